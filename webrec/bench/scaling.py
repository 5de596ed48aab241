"""How the service and the batch bear a world that grows: sizes in, latency and cost of each out.

Requests: one dimension of the world grows at a time, from one base. The services of all sizes of
an axis run side by side, and each answers a block of requests in turn, the floor (a service that
does nothing) among them: what the machine does meanwhile, it does to all of them. Only one answers
at any moment. Every repeat sends requests that were not sent before. Their visitors are drawn from
all users, so that of a few users most profiles are in memory after a while, of a million hardly
any: the largest size pays for reads that the smallest is spared. Nothing is recorded, so that all
repeats meet the same state.

Batch: the real commands, from nothing to a published model, each in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import orjson

from service.paths import RECOMMENDATIONS
from webrec import config
from webrec.bench.checks import is_degraded
from webrec.bench.commands import environment, python
from webrec.bench.figures import Figures, Spread, figures, plain, spread
from webrec.bench.load import Sent, http_request, send, wall_s
from webrec.bench.processes import Memory
from webrec.bench.server_process import ServerProcess, baseline_app, service
from webrec.bench.synthetic_model import (
    ACCEPT_WEIGHT,
    Progress,
    SyntheticModelSpec,
    requests,
    write_model,
)
from webrec.bench.workspace import beside, only_hbase
from webrec.errors import UsageError, WebrecError
from webrec.storage import open_store
from webrec.tables.tables import Tables

AXES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "urls": (10_000, 100_000, 1_000_000),
        "users": (1_000, 10_000, 100_000, 1_000_000),
        "ads": (100, 1_000, 10_000, 100_000),
        "profile_urls": (10, 100, 500, 2_000),
    }
)
"""What grows, each a field of `SyntheticModelSpec`, and its sizes in ascending order."""

BATCH_URLS = (10_000, 100_000, 1_000_000)
URLS_PER_USER = 20
VISITS_PER_USER = 40
CATEGORIES, COMMUNITIES = 100, 20
_BODY_BYTES = 1_800
_AT_ONCE = 10

AIM = 1.3
"""The largest size's latency should be at most so many times the smallest's."""

# The peak that the system gives for a child is never below that of the process that started it,
# which may have grown a world: so a small process starts it, and says what it took.
_METER = """
import json, os, subprocess, sys, time
began = time.perf_counter()
child = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(child.pid, 0)
wall_s = time.perf_counter() - began
child.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
sys.exit(0 if child.returncode == 0 else 1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many requests each size is sent, one at a time.

    Attributes:
        requests: measured, in each repeat.
        block: in a row, before another size has its turn.
        repeats: each sends other requests.
        warm_up: not measured, before the first repeat.
    """

    requests: int = 2_000
    block: int = 100
    repeats: int = 5
    warm_up: int = 300

    @property
    def in_all(self) -> int:
        """Requests of a whole measurement, of one size."""
        return self.warm_up + self.repeats * self.requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One size of an axis. A `Spread` is over the repeats.

    Attributes:
        size: of the dimension that grows.
        requests: measured, of all repeats.
        median_ms, p95_ms, p99_ms: of the latency of one request.
        ratio: of the median to the floor's median in the same repeat.
        over_floor_ms: the difference of these two.
        cpu_ms: of the service's processes, for one request.
        memory: of a service of two workers that has answered the warm-up: the master, the workers.
        degraded: answers that left out a read that came too late, of all repeats.
        grown_s: seconds to write the world.
        ready_s: seconds from the start of the service until it answered, its model loaded from
            the tables.
    """

    size: int
    requests: int
    median_ms: Spread
    p95_ms: Spread
    p99_ms: Spread
    ratio: Spread
    over_floor_ms: Spread
    cpu_ms: Spread
    memory: list[Memory]
    degraded: int
    grown_s: float
    ready_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisGrowth:
    """What one dimension costs.

    Attributes:
        axis: the field of `SyntheticModelSpec` that grows; the others are the base's.
        floor_ms: median latency of the floor.
        points: by size, ascending.
        growth: the largest size's median over the smallest's, in the same repeat.
    """

    axis: str
    base: SyntheticModelSpec
    pace: Pace
    floor_ms: Spread
    points: list[Point]
    growth: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one command took.

    Attributes:
        cpu_s: of all its threads and processes.
        peak_bytes: the most memory it held at once.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPoint:
    """The batch at one size.

    Attributes:
        world, ingest, batch: the commands, each from its start to its end.
        pages_per_s: of the batch.
    """

    urls: int
    users: int
    visits: int
    world: Cost
    ingest: Cost
    batch: Cost
    pages_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """All that was measured, for the report and the chart.

    Attributes:
        aim: what the growth of an axis should be at most.
    """

    axes: list[AxisGrowth]
    batch: list[BatchPoint]
    aim: float = AIM

    def document(self) -> dict[str, Any]:
        """As JSON."""
        document: dict[str, Any] = plain(self)
        return document


def _own(settings: config.Settings, folder: Path, name: str) -> config.Settings:
    """The caller's settings, but for where things are.

    Raises:
        UsageError: its store is not on HBase.
    """
    only_hbase(settings)
    return settings.model_copy(
        update={
            "home": folder / name,
            "store": beside(settings.store, name),
            "log": "",
            "keys": None,
            "accept_weight": ACCEPT_WEIGHT,
            # so that the one that is warmed up is the one that is measured
            "workers": 1,
        }
    )


@contextmanager
def _for_a_while(settings: config.Settings) -> Iterator[None]:
    """A home and a store that are taken away at the end.

    Raises:
        UsageError: there is something already, which is not ours to take away.
    """
    if settings.store and _tables(settings.store):
        raise UsageError(f"the store {settings.store} holds tables already: give another one")
    try:
        settings.home.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"{settings.home} cannot be made: {error.strerror}") from error
    try:
        yield
    finally:
        if settings.store:
            _drop_all(settings.store)
        shutil.rmtree(settings.home, ignore_errors=True)


def _tables(uri: str) -> list[str]:
    store = open_store(uri)
    try:
        return store.tables()
    finally:
        store.close()


def _drop_all(uri: str) -> None:
    store = open_store(uri)
    try:
        for table in store.tables():
            store.drop_table(table)
    finally:
        store.close()


# --- requests ------------------------------------------------------------------------------------


def request_growth(
    axis: str,
    folder: Path,
    tell: Progress,
    *,
    sizes: Sequence[int] = (),
    base: SyntheticModelSpec | None = None,
    pace: Pace | None = None,
    settings: config.Settings | None = None,
) -> AxisGrowth:
    """Measure one axis.

    Args:
        axis: one of `AXES`.
        folder: for the worlds, which are taken away afterwards.
        tell: told what is being done, how much is, and of how much.
        sizes: ascending; those of `AXES` when left out.
        base: what the other dimensions are.
        settings: of the services. With a store on HBase every world gets one of its own whose name
            begins with it, and is dropped afterwards; else SQLite in ``folder``.

    Raises:
        UsageError: the folder or the store holds what would have to be taken away.
        WebrecError: a request was not answered.
    """
    base, pace, settings = base or SyntheticModelSpec(), pace or Pace(), settings or config.load()
    specs = {size: replace(base, **{axis: size}) for size in sizes or AXES[axis]}
    with ExitStack() as stack:
        idle = stack.enter_context(_idle(base, pace, _own(settings, folder, f"{axis}-floor")))
        runners = {}
        for size, spec in specs.items():
            own = _own(settings, folder, f"{axis}-{size}")
            runners[size] = stack.enter_context(_running(spec, pace, own, tell))
        _take_turns(
            [idle, *runners.values()], pace, lambda done, of: tell(f"measuring {axis}", done, of)
        )
        return _growth(axis, base, pace, idle, runners)


class _Lap(NamedTuple):
    """What a server did in one repeat.

    Attributes:
        cpu_ms: for one request.
        degraded: answers that left out a read.
    """

    latency: Figures
    cpu_ms: float
    degraded: int


class _Runner:
    """A server and the requests it has still to answer.

    Args:
        left: encoded requests, as many as will be sent.
        memory, grown_s, ready_s: see `Point`.

    Attributes:
        laps: the repeats that are done.
    """

    def __init__(
        self,
        server: ServerProcess,
        left: Iterable[bytes],
        memory: list[Memory],
        grown_s: float = 0,
        ready_s: float = 0,
    ) -> None:
        self.server = server
        self.memory = memory
        self.grown_s, self.ready_s = grown_s, ready_s
        self.laps: list[_Lap] = []
        self._left = iter(left)
        self._sent: list[Sent] = []
        self._wall_s = self._cpu_s = 0.0

    def send(self, n: int) -> None:
        """Send the next requests, one at a time.

        Raises:
            WebrecError: one was not answered.
        """
        block = list(islice(self._left, n))
        cpu_s = self.server.cpu_s()
        sent = send(self.server.address, block, 1)
        self._wall_s += wall_s(sent)
        self._cpu_s += self.server.cpu_s() - cpu_s
        for each in sent:
            if each.status != 200:
                raise WebrecError(f"a request was answered with {each.status}: {each.body[:500]!r}")
        self._sent += sent

    def end_lap(self) -> None:
        """Sum up what was sent since the last lap."""
        n = len(self._sent)
        latency = figures([each.done - each.sent for each in self._sent], self._wall_s)
        degraded = sum(is_degraded(each.body) for each in self._sent)
        self.laps.append(_Lap(latency, 1000 * self._cpu_s / n, degraded))
        self.forget()

    def forget(self) -> None:
        """Leave out what was sent since the last lap."""
        self._sent.clear()
        self._wall_s = self._cpu_s = 0.0


def _encoded(spec: SyntheticModelSpec, pace: Pace) -> Iterator[bytes]:
    """The requests of one size, as they go over the wire."""
    now_ms = time.time_ns() // 1_000_000
    for document in requests(spec, pace.in_all, now_ms):
        yield http_request(RECOMMENDATIONS, orjson.dumps(document))


@contextmanager
def _idle(spec: SyntheticModelSpec, pace: Pace, settings: config.Settings) -> Iterator[_Runner]:
    """The floor; its answers are about as large as the service's."""
    alone = settings.model_copy(update={"store": ""})
    with _for_a_while(alone), baseline_app(alone, _BODY_BYTES) as server:
        yield _Runner(server, list(_encoded(spec, pace)), [])


@contextmanager
def _running(
    spec: SyntheticModelSpec, pace: Pace, settings: config.Settings, tell: Progress
) -> Iterator[_Runner]:
    """The service of one size, its world taken away at the end."""
    began = time.perf_counter()
    with _for_a_while(settings):
        _grow(settings, spec, tell)
        grown_s = time.perf_counter() - began
        left = list(_encoded(spec, pace))
        began = time.perf_counter()
        with service(settings.model_copy(update={"workers": 2})) as server:
            ready_s = time.perf_counter() - began
            send(server.address, left[: pace.warm_up], _AT_ONCE)
            memory = server.memory()
        with service(settings) as server:
            yield _Runner(server, left, memory, grown_s, ready_s)


def _grow(settings: config.Settings, spec: SyntheticModelSpec, tell: Progress) -> None:
    store = open_store(settings.store_uri)
    try:
        write_model(Tables(store), spec, tell)
    finally:
        store.close()


def _take_turns(runners: Sequence[_Runner], pace: Pace, tell: Callable[[int, int], None]) -> None:
    """Let each answer its requests, in blocks.

    The order is drawn anew for every round, so that none always comes after the same other.
    """
    rng = np.random.default_rng(0)
    for runner in runners:
        runner.send(pace.warm_up)
        runner.forget()
    for repeat in range(pace.repeats):
        for start in range(0, pace.requests, pace.block):
            tell(repeat * pace.requests + start, pace.repeats * pace.requests)
            for place in rng.permutation(len(runners)).tolist():
                runners[place].send(min(pace.block, pace.requests - start))
        for runner in runners:
            runner.end_lap()


def _growth(
    axis: str, base: SyntheticModelSpec, pace: Pace, idle: _Runner, runners: Mapping[int, _Runner]
) -> AxisGrowth:
    medians = [_medians(runner) for runner in runners.values()]
    return AxisGrowth(
        axis=axis,
        base=base,
        pace=pace,
        floor_ms=spread(_medians(idle)),
        points=[_point(size, runner, _medians(idle)) for size, runner in runners.items()],
        growth=spread(_ratios(medians[-1], medians[0])),
    )


def _point(size: int, runner: _Runner, floor_ms: Sequence[float]) -> Point:
    laps, median_ms = runner.laps, _medians(runner)
    return Point(
        size=size,
        requests=sum(lap.latency.n for lap in laps),
        median_ms=spread(median_ms),
        p95_ms=spread([lap.latency.p95 for lap in laps]),
        p99_ms=spread([lap.latency.p99 for lap in laps]),
        ratio=spread(_ratios(median_ms, floor_ms)),
        over_floor_ms=spread([a - b for a, b in zip(median_ms, floor_ms, strict=True)]),
        cpu_ms=spread([lap.cpu_ms for lap in laps]),
        memory=runner.memory,
        degraded=sum(lap.degraded for lap in laps),
        grown_s=runner.grown_s,
        ready_s=runner.ready_s,
    )


def _medians(runner: _Runner) -> list[float]:
    """In each repeat."""
    return [lap.latency.median for lap in runner.laps]


def _ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(above, below, strict=True)]


# --- batch ---------------------------------------------------------------------------------------


def batch_growth(
    urls: int,
    folder: Path,
    tell: Progress,
    *,
    categories: int = CATEGORIES,
    communities: int = COMMUNITIES,
    settings: config.Settings | None = None,
) -> BatchPoint:
    """Make a synthetic world, load it and cluster it, by the commands.

    Users and visits grow with the URLs.

    Args:
        urls: how many.
        folder: for the files, which are taken away afterwards.
        tell: told which command runs.
        settings: of the commands. With a store on HBase one whose name begins with it is used,
            and dropped afterwards; else SQLite in ``folder``.

    Raises:
        UsageError: the folder or the store holds what would have to be taken away.
        WebrecError: a command failed.
    """
    users = max(communities, urls // URLS_PER_USER)
    settings = _own(settings or config.load(), folder, f"batch-{urls}")
    home = settings.home
    many = ("--categories", f"{categories}", "--communities", f"{communities}")
    world = ("--urls", f"{urls}", "--users", f"{users}", "--campaigns", "0", "--requests", "0")
    files = [str(home / "world" / name) for name in ("pages.ndjson", "visits.ndjson")]
    commands = {
        "world": (*world, *many, "--out", str(home / "world")),
        "ingest": (*files, "--strict"),
        "batch": many,
    }
    costs: dict[str, Cost] = {}
    with _for_a_while(settings):
        for done, (name, arguments) in enumerate(commands.items()):
            tell(f"a batch of {urls:,} URLs: {name}", done, len(commands))
            costs[name] = measured([name, *arguments, "--json"], settings)
    return BatchPoint(
        urls=urls,
        users=users,
        visits=users * VISITS_PER_USER,
        **costs,
        pages_per_s=urls / costs["batch"].wall_s,
    )


def measured(arguments: Sequence[str], settings: config.Settings) -> Cost:
    """Run one `webrec` command to its end.

    Args:
        settings: those it runs with, and no others.

    Raises:
        WebrecError: it failed.
    """
    with subprocess.Popen(  # noqa: S603 - our own command
        [*python("-c", _METER), *python("-m", "webrec"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(settings),
        start_new_session=True,
    ) as process:
        try:
            said, errors = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)  # what it started, too
            raise
    if process.returncode:
        raise WebrecError(f"webrec {' '.join(arguments)} failed: {errors.decode()[-2_000:]}")
    wall_s, cpu_s, peak_bytes = orjson.loads(said.splitlines()[-1])
    return Cost(wall_s=wall_s, cpu_s=cpu_s, peak_bytes=peak_bytes)
