"""What a request takes in a world of which one dimension grows: an axis in, latency by size out.

The services of all sizes of an axis run side by side, and each answers a block of requests in turn,
the baseline app among them: what the machine does meanwhile, it does to all of them. Only one
answers at any moment. Every repeat sends requests that were not sent before. Their visitors are
drawn from all users, so that of a few users most profiles are in memory after a while, of a million
hardly any: the largest size pays for reads that the smallest is spared. Nothing is recorded, so
that all repeats meet the same state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import orjson

from service.paths import RECOMMENDATIONS
from webrec import config
from webrec.bench.figures import spread
from webrec.bench.load import http_request, send
from webrec.bench.scaling.result import AxisScaling, Point, ScalingPace
from webrec.bench.scaling.runner import SizeRunner
from webrec.bench.scaling.temporary import own_settings, temporary_store
from webrec.bench.server_process import baseline_app, service
from webrec.bench.synthetic_model import SyntheticModelSpec, requests, write_model
from webrec.domain.progress import Progress
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

_BODY_BYTES = 1_800
"""Size of the baseline app's answers: about that of the service's."""

_WARM_UP_AT_ONCE = 10
"""Requests under way at once while a service of two workers warms up."""


def measure_axis(
    axis: str,
    folder: Path,
    progress: Progress,
    *,
    sizes: Sequence[int] = (),
    base: SyntheticModelSpec | None = None,
    pace: ScalingPace | None = None,
    settings: config.Settings | None = None,
) -> AxisScaling:
    """Measure one axis.

    Args:
        axis: one of `AXES`.
        folder: for the worlds, which are taken away afterwards.
        progress: is called with what is being done, how much of it is, and of how much.
        sizes: ascending; those of `AXES` when left out.
        base: what the other dimensions are.
        settings: of the services. With a store on HBase every world gets one of its own whose name
            begins with it, and is dropped afterwards; else SQLite in ``folder``.

    Raises:
        UsageError: the folder or the store holds what would have to be taken away.
        WebrecError: a request was not answered.
    """
    base, pace, settings = (
        base or SyntheticModelSpec(),
        pace or ScalingPace(),
        settings or config.load(),
    )
    specs = {size: replace(base, **{axis: size}) for size in sizes or AXES[axis]}
    with ExitStack() as stack:
        baseline = stack.enter_context(
            _baseline(base, pace, own_settings(settings, folder, f"{axis}-baseline"))
        )
        runners = {}
        for size, spec in specs.items():
            own = own_settings(settings, folder, f"{axis}-{size}")
            runners[size] = stack.enter_context(_service(spec, pace, own, progress))
        _interleave(
            [baseline, *runners.values()],
            pace,
            lambda done, of: progress(f"measuring {axis}", done, of),
        )
        return _summed_up(axis, base, pace, baseline, runners)


def _encoded(spec: SyntheticModelSpec, pace: ScalingPace) -> Iterator[bytes]:
    """The requests of one size, as they go over the wire."""
    now_ms = time.time_ns() // 1_000_000
    for document in requests(spec, pace.in_all, now_ms):
        yield http_request(RECOMMENDATIONS, orjson.dumps(document))


@contextmanager
def _baseline(
    spec: SyntheticModelSpec, pace: ScalingPace, settings: config.Settings
) -> Iterator[SizeRunner]:
    """The baseline app; its answers are about as large as the service's."""
    alone = settings.model_copy(update={"store": ""})
    with temporary_store(alone), baseline_app(alone, _BODY_BYTES) as server:
        yield SizeRunner(server, list(_encoded(spec, pace)), [])


@contextmanager
def _service(
    spec: SyntheticModelSpec, pace: ScalingPace, settings: config.Settings, progress: Progress
) -> Iterator[SizeRunner]:
    """The service of one size, its world taken away at the end."""
    started = time.perf_counter()
    with temporary_store(settings):
        _write_model(settings, spec, progress)
        written_s = time.perf_counter() - started
        left = list(_encoded(spec, pace))
        started = time.perf_counter()
        with service(settings.model_copy(update={"workers": 2})) as server:
            ready_s = time.perf_counter() - started
            send(server.address, left[: pace.warm_up], _WARM_UP_AT_ONCE)
            memory = server.memory()
        with service(settings) as server:
            yield SizeRunner(server, left, memory, written_s, ready_s)


def _write_model(settings: config.Settings, spec: SyntheticModelSpec, progress: Progress) -> None:
    store = open_store(settings.store_uri)
    try:
        write_model(Tables(store), spec, progress)
    finally:
        store.close()


def _interleave(
    runners: Sequence[SizeRunner], pace: ScalingPace, progress: Callable[[int, int], None]
) -> None:
    """Let each answer its requests, in blocks.

    The order is drawn anew for every block, so that none always comes after the same other.
    """
    rng = np.random.default_rng(0)
    for runner in runners:
        runner.send(pace.warm_up)
        runner.forget()
    for repeat in range(pace.repeats):
        for start in range(0, pace.requests, pace.block):
            progress(repeat * pace.requests + start, pace.repeats * pace.requests)
            for index in rng.permutation(len(runners)).tolist():
                runners[index].send(min(pace.block, pace.requests - start))
        for runner in runners:
            runner.end_lap()


def _summed_up(
    axis: str,
    base: SyntheticModelSpec,
    pace: ScalingPace,
    baseline: SizeRunner,
    runners: Mapping[int, SizeRunner],
) -> AxisScaling:
    medians = [_medians(runner) for runner in runners.values()]
    return AxisScaling(
        axis=axis,
        base=base,
        pace=pace,
        baseline_ms=spread(_medians(baseline)),
        points=[_point(size, runner, _medians(baseline)) for size, runner in runners.items()],
        growth=spread(_ratios(medians[-1], medians[0])),
    )


def _point(size: int, runner: SizeRunner, baseline_ms: Sequence[float]) -> Point:
    laps, median_ms = runner.laps, _medians(runner)
    return Point(
        size=size,
        requests=sum(lap.latency.n for lap in laps),
        median_ms=spread(median_ms),
        p95_ms=spread([lap.latency.p95 for lap in laps]),
        p99_ms=spread([lap.latency.p99 for lap in laps]),
        ratio=spread(_ratios(median_ms, baseline_ms)),
        over_baseline_ms=spread([a - b for a, b in zip(median_ms, baseline_ms, strict=True)]),
        cpu_ms=spread([lap.cpu_ms for lap in laps]),
        memory=runner.memory,
        degraded=sum(lap.degraded for lap in laps),
        written_s=runner.written_s,
        ready_s=runner.ready_s,
    )


def _medians(runner: SizeRunner) -> list[float]:
    """In each repeat."""
    return [lap.latency.median for lap in runner.laps]


def _ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(above, below, strict=True)]
