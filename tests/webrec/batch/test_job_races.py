"""Batches that meet another batch, an operator or their own end: one whole generation stays."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import orjson
import pytest

from tests.support.worlds import batch, opened, seen
from tests.webrec.batch.known_site import PAGE, visit
from webrec.batch import lease
from webrec.errors import Conflict, LeaseLost
from webrec.serving.engine import Engine


def test_two_batches_never_run_at_once(engine: Engine, tmp_path: Path) -> None:
    """The second fails, naming the first, and changes nothing."""
    outcomes: list[Exception] = []

    def report(doing: str, _done: int, _total: int) -> None:
        if doing == "publishing":
            with opened(tmp_path) as other, pytest.raises(LeaseLost, match="running") as error:
                batch(other)
            outcomes.append(error.value)

    batch(engine, report)
    assert len(outcomes) == 1
    assert len(engine.tables.generations.all()) == 1


def _take_lease_from(engine: Engine) -> None:
    engine.tables.meta.swap_lease(
        engine.tables.meta.lease(), orjson.dumps({"owner": "thief", "until": time.time() + 60})
    )


@pytest.mark.parametrize("moment", ["clustering users", "verifying", "publishing"])
def test_a_batch_that_lost_its_lease_publishes_nothing(engine: Engine, moment: str) -> None:
    """Whenever it loses it, the active generation and the list of them stay as they are."""
    first = batch(engine)

    def report(doing: str, done: int, _total: int) -> None:
        if doing == moment and done == 0:
            _take_lease_from(engine)

    with pytest.raises(LeaseLost):
        batch(engine, report)
    assert [g.id for g in engine.tables.generations.all()] == [first.id]
    assert engine.tables.generations.active() == first


def test_a_model_activated_meanwhile_wins(engine: Engine) -> None:
    """A batch does not switch the pointer over an operator's choice that it has not seen."""
    first, second = batch(engine), batch(engine)

    def report(doing: str, _done: int, _total: int) -> None:
        if doing == "publishing":
            engine.tables.generations.activate(first.id, second.id)

    with pytest.raises(Conflict):
        batch(engine, report)
    assert engine.tables.generations.active() == first
    assert batch(engine).id > second.id


_KILLED = """
import os, signal, sys
from pathlib import Path
from clustering.learners import default_learners
from webrec import config
from webrec.batch import job
from webrec.batch.options import BatchOptions
from webrec.serving.engine import Engine

engine = Engine(config.load(home=Path(sys.argv[1])))

def report(doing, done, total):
    if doing == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

parts = engine.tables, engine.log, engine.recorder, engine.settings
options = BatchOptions()
job.run(*parts, default_learners(options, engine.settings), options, report)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    [
        "writing profiles",
        "clustering pages",
        "publishing",
        "cleaning up",
    ],
)
def test_a_killed_batch_leaves_a_whole_generation(
    engine: Engine, tmp_path: Path, moment: str
) -> None:
    """The old one stays, or the new one is whole; the next batch succeeds and tidies up."""
    first = batch(engine)
    engine.recorder.record([visit(visitor="u:late")])
    engine.recorder.flush()
    # a segment of our own must not keep the killed batch waiting
    engine.recorder.roll()
    writing = threading.Event()

    def keep_rolling() -> None:
        while not writing.wait(0.05):
            engine.recorder.roll()
            engine.recorder.flush()

    thread = threading.Thread(target=keep_rolling)
    thread.start()
    command = [sys.executable, "-c", _KILLED, str(tmp_path), moment]
    killed = subprocess.run(command, check=False, capture_output=True)
    writing.set()
    thread.join()
    assert killed.returncode == -9, killed.stderr
    engine.refresh()
    assert engine.model is not None
    assert (engine.model == first) == (moment != "cleaning up")
    assert seen(engine, "u:late") == {PAGE: (1, 0)}
    with pytest.raises(LeaseLost, match="if it died"):
        batch(engine)
    held = engine.tables.meta.lease()
    assert held is not None
    document = orjson.loads(held)
    assert document["until"] - time.time() <= lease.TERM_S
    engine.tables.meta.swap_lease(held, orjson.dumps({**document, "until": 0.0}))  # as time would
    second = batch(engine)
    assert engine.model == second
    listed = {g.id for g in engine.tables.generations.all()}
    assert engine.tables.generations.with_tables() == listed
    assert seen(engine, "u:late") == {PAGE: (1, 0)}
