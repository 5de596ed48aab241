"""How sure a measure is: the bootstrap over visitors (Efron 1979), percentile intervals.

Visitors are drawn with repetition, each with all the questions asked about them: questions about
one visitor are not independent of each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from webrec.evaluation.measures import Floats, Quotient
from webrec.evaluation.result import Estimate

RESAMPLES = 1_000
_TAILS = (2.5, 97.5)
_CELLS = 4_000_000


def estimates(
    quotients: Sequence[Quotient], visitor: NDArray[np.int64], seed: int
) -> list[Estimate | None]:
    """Each measure with its 95 % interval.

    All measures are resampled together, so the same seed and visitors draw the same for all.

    Args:
        quotients: over the same n questions.
        visitor: int64 (n,), whose question it is.
        seed: of the draws.

    Returns:
        None for a measure whose lower part is 0: nothing was asked that it could measure.
    """
    _, who = np.unique(visitor, return_inverse=True)
    n = int(who.max(initial=-1)) + 1
    upper = _by_visitor([q.upper for q in quotients], who, n)
    lower = _by_visitor([q.lower for q in quotients], who, n)
    values = _divided(upper.sum(axis=0), lower.sum(axis=0))
    resampled = _resampled(upper, lower, seed)
    return [
        None if np.isnan(value) else Estimate(float(value), *_interval(column))
        for value, column in zip(values, resampled.T, strict=True)
    ]


def _by_visitor(parts: Sequence[Floats], who: NDArray[np.intp], n: int) -> Floats:
    """Sums by visitor, float64 (n_visitors, n_measures)."""
    return np.array([np.bincount(who, part, minlength=n) for part in parts]).reshape(-1, n).T


def _resampled(upper: Floats, lower: Floats, seed: int) -> Floats:
    """Every measure in every resample, float64 (RESAMPLES, n_measures)."""
    rng, n = np.random.default_rng(seed), len(upper)
    at_once = max(1, _CELLS // max(n, 1))
    parts = []
    for start in range(0, RESAMPLES, at_once):
        size = min(at_once, RESAMPLES - start)
        drawn = rng.multinomial(n, np.full(n, 1 / max(n, 1)), size).astype(np.float64)
        parts.append(_divided(drawn @ upper, drawn @ lower))
    return np.concatenate(parts)


def _divided(upper: Floats, lower: Floats) -> Floats:
    return np.divide(upper, lower, out=np.full_like(upper, np.nan), where=lower > 0)


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.nanpercentile(values, _TAILS).tolist()
    return low, high
