"""Figures of a measurement: many durations in, the few numbers that describe them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np

_JSON_NAME = "json"


class Figures(NamedTuple):
    """Latencies in milliseconds.

    Attributes:
        n: how many requests.
        sd: standard deviation, of all there were (not an estimate for others).
        p95, p99: percentiles, interpolated between neighbours.
        per_s: requests answered in a second.
    """

    n: int
    mean: float
    median: float
    sd: float
    p95: float
    p99: float
    max: float
    per_s: float


class Spread(NamedTuple):
    """A number that was measured several times."""

    median: float
    low: float
    high: float


def figures(seconds: Sequence[float], wall_s: float) -> Figures:
    """Describe latencies.

    Args:
        seconds: of each request; at least one.
        wall_s: seconds that all of them took together.

    Raises:
        ValueError: there are none.
    """
    if not len(seconds):
        raise ValueError("nothing was measured")
    ms = np.asarray(seconds, np.float64) * 1000
    median, p95, p99 = (float(found) for found in np.percentile(ms, (50, 95, 99)))
    mean, sd = float(ms.mean()), float(ms.std())
    return Figures(len(ms), mean, median, sd, p95, p99, float(ms.max()), len(ms) / wall_s)


def spread(numbers: Sequence[float]) -> Spread:
    """What lies in the middle of one number's repeats, and how far they go.

    Args:
        numbers: one of each repeat; at least one.
    """
    return Spread(float(np.median(numbers)), min(numbers), max(numbers))


def json_name(name: str) -> dict[str, str]:
    """The metadata of a dataclass's field that JSON has another name for."""
    return {_JSON_NAME: name}


def plain(value: object) -> Any:
    """A result as JSON has it: dataclasses and named tuples as objects, by their fields."""
    if is_dataclass(value):
        return {
            field.metadata.get(_JSON_NAME, field.name): plain(getattr(value, field.name))
            for field in fields(value)
        }
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
