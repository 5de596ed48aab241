"""[2] Clustering: old and new clusters in, an id for each new cluster out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

MIN_OVERLAP = 0.25


def take_over_ids(
    old: Mapping[str, AbstractSet[str]],
    new: Sequence[AbstractSet[str]],
    fresh: Callable[[], str],
    min_overlap: float = MIN_OVERLAP,
) -> list[str]:
    """Give every new cluster the id of the old one it continues, or a fresh one.

    The matching is one to one and shares the most members in all (Kuhn 1955). The overlap of a
    pair is its Jaccard index over the members that both generations know: a cluster that only
    grew, or lost pages that are gone, overlaps fully with its old self, however much it grew. A
    pair below ``min_overlap`` is never matched. A quarter lets the largest of up to four equal
    parts keep the id, and survives a re-clustering where three fifths of each side stay together
    (3/5 / 7/5 = 0.43); two clusters drawn at random out of 100 overlap by 0.005.

    Args:
        old: id to members, no member in two clusters; members are URLs (or visitor keys).
        new: the members of each new cluster, no member in two clusters.
        fresh: makes an id nobody has used.
        min_overlap: in (0, 1].

    Returns:
        One id per new cluster, in their order, no two the same.
    """
    ids = sorted(old)
    overlap, shared = _overlaps([old[i] for i in ids], new)
    shared[overlap < min_overlap] = 0
    rows, columns = linear_sum_assignment(shared, maximize=True)
    taken = {int(c): ids[r] for r, c in zip(rows, columns, strict=True) if shared[r, c]}
    return [taken.get(c) or fresh() for c in range(len(new))]


def _overlaps(
    old: Sequence[AbstractSet[str]], new: Sequence[AbstractSet[str]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Jaccard index and number of shared members of each pair, both (n_old, n_new)."""
    place = {member: row for row, members in enumerate(old) for member in members}
    shared = np.zeros((len(old), len(new)), dtype=np.int64)
    for column, members in enumerate(new):
        for row, count in Counter(place[m] for m in members if m in place).items():
            shared[row, column] = count
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    return shared / np.maximum(union, 1), shared
