"""What came of growing worlds: the figures of each axis and of the batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from webrec.bench.figures import Spread, json_name, plain
from webrec.bench.processes import Memory
from webrec.bench.synthetic_model import SyntheticModelSpec

AIM = 1.3
"""The largest size's latency should be at most so many times the smallest's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingPace:
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
        ratio: of the median to the baseline app's median in the same repeat.
        over_baseline_ms: the difference of these two.
        cpu_ms: of the service's processes, for one request.
        memory: of a service of two workers that has answered the warm-up: the master, the workers.
        degraded: answers that left out a read that came too late, of all repeats.
        written_s: seconds to write the world.
        ready_s: seconds from the start of the service until it answered, its model loaded from
            the tables.
    """

    size: int
    requests: int
    median_ms: Spread
    p95_ms: Spread
    p99_ms: Spread
    ratio: Spread
    over_baseline_ms: Spread = field(metadata=json_name("over_floor_ms"))
    cpu_ms: Spread
    memory: list[Memory]
    degraded: int
    written_s: float = field(metadata=json_name("grown_s"))
    ready_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisScaling:
    """What one dimension costs.

    Attributes:
        axis: the field of `SyntheticModelSpec` that grows; the others are the base's.
        baseline_ms: median latency of the baseline app.
        points: by size, ascending.
        growth: the largest size's median over the smallest's, in the same repeat.
    """

    axis: str
    base: SyntheticModelSpec
    pace: ScalingPace
    baseline_ms: Spread = field(metadata=json_name("floor_ms"))
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
class Scaling:
    """All that was measured, for the report and the chart.

    Attributes:
        aim: what the growth of an axis should be at most.
    """

    axes: list[AxisScaling]
    batch: list[BatchPoint]
    aim: float = AIM

    def document(self) -> dict[str, Any]:
        """As JSON."""
        document: dict[str, Any] = plain(self)
        return document
