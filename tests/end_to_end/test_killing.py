"""Processes end without warning, under load: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from tests.end_to_end.load import Found, Ledger, load, settled
from tests.support.running import Batch, Service, let_lease_end, run_batch, wait_until

STEPS = (
    "cutting the log",
    "reading the log",
    "clustering pages",
    "naming categories",
    "writing pages",
    "writing profiles",
    "verifying",
    "publishing",
    "cleaning up",
)
_BUSY_S = 0.4
_LATE_S = 0.05


@dataclass(slots=True)
class Figures:
    """What came of some rounds."""

    rounds: list[str] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    lost: int = 0
    doubled: int = 0
    invented: int = 0

    def add(self, name: str, found: Found) -> None:
        """Take a round's result in."""
        self.rounds.append(f"{name}: {found}")
        self.lost += found.lost
        self.doubled += found.doubled
        self.invented += found.invented

    def __str__(self) -> str:
        ledger = self.ledger
        return (
            f"{len(self.rounds)} rounds, {ledger.events:,} events and "
            f"{ledger.recommendations:,} recommendations acknowledged, {ledger.retried:,} events "
            f"retried and {ledger.repeated:,} repeated, {len(ledger.unsure):,} visits of unknown "
            f"fate; {self.lost} lost, {self.doubled} doubled, {self.invented} invented"
        )


class Killing:
    """Rounds of load in which something is killed.

    Args:
        service: running.
        rng: decides when.
    """

    def __init__(self, service: Service, rng: Random) -> None:
        self.figures = Figures()
        self._service = service
        self._rng = rng

    def worker(self) -> None:
        """One worker is killed; the master starts another."""
        with load(self._service, self.figures.ledger):
            self._be_busy()
            self._service.kill_worker(self._rng.randrange(2))
            self._be_busy()
            wait_until(lambda: len(self._service.workers()) == 2)
        self._look("a worker")

    def all(self) -> None:
        """The master and all workers are killed at once, and started again."""
        with load(self._service, self.figures.ledger):
            self._be_busy()
            self._service.kill()
            self._service.start()
            self._be_busy()
        self._look("master and workers")

    def batch(self, step: str) -> None:
        """A batch is killed at a step or a moment later; the service answers as before."""
        service = self._service
        with load(service, self.figures.ledger), Batch(service.home, service.settings) as batch:
            assert batch.wait_for(step)
            time.sleep(self._rng.uniform(0, _LATE_S))
            batch.kill()
            answers = service.ask_each("POST", "/v1/recommendations", _REQUEST)
            assert all(answer.json["items"] for answer in answers)
        let_lease_end(service.home, service.settings)
        self._look(f"a batch when {step}")

    def batch_that_ends(self) -> None:
        """A batch runs to its end, and its model answers everywhere."""
        run_batch(self._service.home, self._service.settings)
        newest = self._service.ask("GET", "/v1/models").json["models"][0]["id"]
        wait_until(lambda: self._models() == {newest})
        self._look("no one, and a batch ends")

    def _models(self) -> set[str]:
        answers = self._service.ask_each("POST", "/v1/recommendations", _REQUEST)
        return {answer.json["model"] for answer in answers}

    def _be_busy(self) -> None:
        time.sleep(self._rng.uniform(_BUSY_S / 2, _BUSY_S))

    def _look(self, killed: str) -> None:
        self.figures.add(killed, settled(self._service, self.figures.ledger))


_REQUEST = {"url": "https://cooking.example/page-0", "track": False}


def assert_right(figures: Figures) -> None:
    """Nothing is lost, doubled or invented."""
    assert (figures.lost, figures.doubled, figures.invented) == (0, 0, 0), figures.rounds
    assert figures.ledger.statuses.keys() <= {0, 200, 202, 503}, figures.ledger.statuses


@pytest.mark.slow
@pytest.mark.parametrize("what", ["worker", "all"])
def test_kill_the_service(home: Path, what: str) -> None:
    """Killed under load and started again, the service has every acknowledged visit once."""
    with Service(home) as service:
        killing = Killing(service, Random(1))
        getattr(killing, what)()
        killing.batch_that_ends()
        assert killing.figures.ledger.events > 0
        assert_right(killing.figures)


@pytest.mark.slow
def test_kill_a_batch(home: Path) -> None:
    """A batch killed while it writes leaves the old model answering, and no visit out."""
    with Service(home) as service:
        killing = Killing(service, Random(2))
        killing.batch("writing profiles")
        killing.batch_that_ends()
        assert_right(killing.figures)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_kill_everything_many_times(
    home: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """Over many rounds, whatever is killed at whatever step, nothing is lost or counted twice."""
    rng = Random(3)
    with Service(home) as service:
        killing = Killing(service, rng)
        rounds: list[Callable[[], None]] = [
            *[killing.worker] * 8,
            *[killing.all] * 6,
            *[lambda step=step: killing.batch(step) for step in STEPS],
            *[killing.batch_that_ends] * 3,
        ]
        rng.shuffle(rounds)
        for one in [*rounds, killing.batch_that_ends]:
            one()
        with capsys.disabled():
            request.config.get_terminal_writer().line(f"\n{killing.figures}")
        assert_right(killing.figures)
