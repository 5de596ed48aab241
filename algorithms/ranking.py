"""[5] Priorities and order: a set of candidates in, its best items out.

The result is that of sorting the whole set by priority (descending), rank score (descending) and
URL; but the set comes in sorted sequences, so merging their heads until the list is full is
enough, and the cost does not grow with the set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from algorithms.candidates import Candidate, Candidates, Pages, Run

_Ranked = tuple[float, float, int, int, float]
"""Priority, negated; then a `Candidate`. Sorts as the list does."""


class Weights(NamedTuple):
    """Weights of campaign priority and of the visitor's affinity; not both 0."""

    w_ads: float
    w_aff: float

    def priority(self, ad_priority: float, affinity: float) -> float:
        """The weighted average of both, in [0, 1] where they are."""
        return (self.w_ads * ad_priority + self.w_aff * affinity) / (self.w_ads + self.w_aff)


RELATED = Weights(0.0, 1.0)
"""In related mode an item's priority is the visitor's affinity."""


class Item(NamedTuple):
    """One recommended URL and what its place in the list came from."""

    page: int
    category: int
    priority: float
    rank_score: float
    affinity: float
    ad_priority: float


def rank(
    candidates: Candidates,
    affinities: Mapping[int, float],
    weights: Weights,
    excluded: Pages,
    limit: int,
) -> list[Item]:
    """The first ``limit`` items of a set without the excluded pages.

    Args:
        affinities: the visitor's affinity by category; 0 for those that are missing.
        excluded: page numbers that may not be shown.
    """
    items: list[Item] = []
    for priority, rank_, page, category, ad_priority in _merged(candidates, affinities, weights):
        if page not in excluded:
            affinity = affinities.get(category, 0.0)
            items.append(Item(page, category, -priority, -rank_, affinity, ad_priority))
            if len(items) == limit:
                break
    return items


def _merged(
    candidates: Candidates, affinities: Mapping[int, float], weights: Weights
) -> Iterable[_Ranked]:
    """The whole set in the order of the list, read lazily."""
    categories = candidates.categories()
    liked = {c for c, affinity in affinities.items() if affinity > 0 and c in categories}
    streams = [_stream(candidates.of(c), affinities[c], weights) for c in liked]
    if len(liked) < len(categories):
        streams += _unliked(candidates, categories, liked, weights)
    return streams[0] if len(streams) == 1 else merge(*streams)


def _unliked(
    candidates: Candidates, categories: Collection[int], liked: set[int], weights: Weights
) -> list[Iterator[_Ranked]]:
    """Streams of the categories with affinity 0, which share one order."""
    if not liked:
        return [_stream(candidates.whole(), 0.0, weights)]
    if len(categories) - len(liked) <= len(liked):
        rest = [c for c in categories if c not in liked]
        return [_stream(candidates.of(c), 0.0, weights) for c in rest]
    # at least half of the categories are in it: passing over the others costs little
    runs = ((p, (c for c in run if c.category not in liked)) for p, run in candidates.whole())
    return [_stream(runs, 0.0, weights)]


def _stream(runs: Iterable[Run], affinity: float, weights: Weights) -> Iterator[_Ranked]:
    """Candidates of one affinity in the order of the list."""
    weighed = ((weights.priority(p, affinity), run) for p, run in runs)
    for priority, equal in groupby(weighed, key=itemgetter(0)):
        # ad priorities that differ may weigh the same after rounding: then rank score decides
        same: list[Iterable[Candidate]] = [run for _, run in equal]
        for candidate in same[0] if len(same) == 1 else merge(*same):
            yield (-priority, *candidate)
