"""What came of the reference experiment: laps in, figures and their ratios out.

The published figures are those of Baldominos et al.: 5,000 requests in a world of 200,000 URLs, 100
categories, 10,000 users, 20 communities and 2,000 campaigns, on 8 cores with 16 GB, by Hadoop 2.4,
HBase 0.98 and JBoss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from webrec.bench.checks import Checked
from webrec.bench.figures import Figures, Spread, figures, plain, spread
from webrec.bench.interleaving import Lap, Pace
from webrec.bench.processes import Memory

SERVICE, BASELINE, AGAINST = "service", "floor", "against"
"""The sides that are measured, as the JSON names them: ours, the baseline app, and the service of
another checkout."""

COMPARED = ("mean", "median", "sd", "p95", "p99", "max", "per_s")
"""The figures of which the ratio is given."""

WORSE = 1.10
"""A median so many times another checkout's is worse, where it is above it in every repeat."""


BareRead: TypeAlias = tuple[float, float]
"""Seconds to read recent and profile."""


class Published(NamedTuple):
    """Latency as it was published, in ms."""

    mean: float
    median: float
    sd: float


PUBLISHED: Mapping[int, Published] = MappingProxyType(
    {
        1: Published(447.77, 435, 47.84),
        10: Published(538.80, 540, 40.76),
        30: Published(802.93, 792, 89.58),
    }
)
"""By the number of requests at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One server at one level.

    Attributes:
        figures: over the requests of all repeats.
        laps: the same for each repeat.
        cpu_ms: processor time of all its processes for one request.
    """

    figures: Figures
    laps: list[Figures]
    cpu_ms: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """The load generator: whether it was ever in the way.

    Attributes:
        cpu_us: its processor time for one request to the service.
        share: of one core, while it sent to the service.
        bare_per_s: requests it sends in a second to a process that does nothing but answer.
    """

    cpu_us: float
    share: float
    bare_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """So many requests under way at once.

    Attributes:
        sides: by name.
        ratios: the service's figures over each other side's, by its name and theirs; over the
            repeats.
        tail: the service's p99 over its median, over the repeats.
    """

    at_once: int
    sides: dict[str, Side]
    ratios: dict[str, dict[str, Spread]]
    tail: Spread
    generator: Generator
    published: Published | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """The driver's reads of a visitor's two rows: medians in ms, over the requests one at a time.

    Attributes:
        both: of one after the other.
        ratio: the service's median over the sum of the baseline app's and of ``both``, over the
            repeats.
        ratio_recent: over the baseline app's and ``recent`` alone: all that is read for a visitor
            whose profile is in memory.
    """

    n: int
    recent: float
    profile: float
    both: float
    ratio: Spread
    ratio_recent: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What came of the experiment.

    Attributes:
        world: its numbers.
        machine: what it ran on.
        body_bytes: mean size of an answer's body.
        memory: of the service's processes at the end, the master first.
        bare: on HBase only.
        worse: the levels at which the service is slower than the other checkout's.
    """

    world: dict[str, int]
    pace: Pace
    machine: dict[str, Any]
    body_bytes: int
    levels: list[Level]
    checked: Checked
    memory: list[Memory]
    bare: Bare | None
    worse: list[int]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        document: dict[str, Any] = plain(self)
        return document


def level_of(at_once: int, laps: Mapping[str, list[Lap]], bare_per_s: float) -> Level:
    """Sum up a level.

    Args:
        laps: by side, each in the order of the repeats.
        bare_per_s: see `Generator`.
    """
    sides = {name: _side(each) for name, each in laps.items()}
    ours = sides[SERVICE]
    return Level(
        at_once=at_once,
        sides=sides,
        ratios={name: _ratios(ours, side) for name, side in sides.items() if name != SERVICE},
        tail=spread([lap.p99 / lap.median for lap in ours.laps]),
        generator=_generator(laps[SERVICE], bare_per_s),
        published=PUBLISHED.get(at_once),
    )


def _side(laps: Sequence[Lap]) -> Side:
    seconds = list(chain.from_iterable(lap.seconds for lap in laps))
    return Side(
        figures=figures(seconds, sum(lap.wall_s for lap in laps)),
        laps=[figures(lap.seconds, lap.wall_s) for lap in laps],
        cpu_ms=spread([1000 * lap.server_cpu_s / len(lap.seconds) for lap in laps]),
    )


def _ratios(ours: Side, other: Side) -> dict[str, Spread]:
    pairs = list(zip(ours.laps, other.laps, strict=True))
    return {
        name: spread([getattr(our, name) / getattr(their, name) for our, their in pairs])
        for name in COMPARED
    }


def _generator(laps: Sequence[Lap], bare_per_s: float) -> Generator:
    cpu_s = sum(lap.own_cpu_s for lap in laps)
    n = sum(len(lap.seconds) for lap in laps)
    return Generator(
        cpu_us=1e6 * cpu_s / n,
        share=cpu_s / sum(lap.wall_s for lap in laps),
        bare_per_s=bare_per_s,
    )


def is_worse(level: Level) -> bool:
    """Whether the service is slower than the other checkout's, beyond what repeats differ by."""
    if AGAINST not in level.ratios:
        return False
    ratio = level.ratios[AGAINST]["median"]
    return ratio.low > 1 and ratio.median > WORSE


def bare_of(levels: Sequence[Level], read_s: Sequence[Sequence[BareRead]]) -> Bare | None:
    """Sum up the bare reads; None without any, or where nothing was sent one at a time.

    Args:
        read_s: by repeat, seconds to read recent and profile for each request.
    """
    one = next((level for level in levels if level.at_once == 1), None)
    if one is None or not all(read_s):
        return None
    laps = list(zip(one.sides[SERVICE].laps, one.sides[BASELINE].laps, read_s, strict=True))
    recent, profile, both = _read_ms(list(chain.from_iterable(read_s)))
    return Bare(
        n=sum(map(len, read_s)),
        recent=recent,
        profile=profile,
        both=both,
        ratio=spread([ours.median / (base.median + _read_ms(s)[2]) for ours, base, s in laps]),
        ratio_recent=spread(
            [ours.median / (base.median + _read_ms(s)[0]) for ours, base, s in laps]
        ),
    )


def _read_ms(read_s: Sequence[BareRead]) -> tuple[float, float, float]:
    """Medians in ms: of recent, of profile, of both one after the other."""
    ms = 1000 * np.array(read_s)
    recent, profile = np.median(ms, axis=0).tolist()
    return recent, profile, float(np.median(ms.sum(axis=1)))
