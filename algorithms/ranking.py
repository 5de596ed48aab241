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

_Stream = Iterator[tuple[float, int, Iterable[Candidate]]]
"""Runs in the order of their priorities: the priority, negated; a number that no other stream has,
so that runs need no order of their own; the run."""

_ALL = -2  # the number of a stream of many categories: neither one of them nor `UNCATEGORISED`


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
    for priority, run in _runs(candidates, affinities, weights):
        for rank_, page, category, ad_priority in run:
            if page not in excluded:
                affinity = affinities.get(category, 0.0)
                items.append(Item(page, category, priority, -rank_, affinity, ad_priority))
                if len(items) == limit:
                    return items
    return items


def _runs(
    candidates: Candidates, affinities: Mapping[int, float], weights: Weights
) -> Iterator[tuple[float, Iterable[Candidate]]]:
    """The whole set as runs of one priority each, the best first, read lazily."""
    categories = candidates.categories()
    liked = {c for c, affinity in affinities.items() if affinity > 0 and c in categories}
    streams = [_stream(c, candidates.of(c), affinities[c], weights) for c in liked]
    if len(liked) < len(categories):
        streams += _unliked(candidates, categories, liked, weights)
    runs = streams[0] if len(streams) == 1 else merge(*streams)
    for negated, equal in groupby(runs, key=itemgetter(0)):
        # priorities may be the same for several runs, also after rounding: then rank score decides
        same = [run for _, _, run in equal]
        yield -negated, same[0] if len(same) == 1 else merge(*same)


def _unliked(
    candidates: Candidates, categories: Collection[int], liked: set[int], weights: Weights
) -> list[_Stream]:
    """Streams of the categories with affinity 0, which share one order."""
    if not liked:
        return [_stream(_ALL, candidates.whole(), 0.0, weights)]
    if len(categories) - len(liked) <= len(liked):
        rest = [c for c in categories if c not in liked]
        return [_stream(c, candidates.of(c), 0.0, weights) for c in rest]
    # at least half of the categories are in it: passing over the others costs little
    runs = ((p, (c for c in run if c.category not in liked)) for p, run in candidates.whole())
    return [_stream(_ALL, runs, 0.0, weights)]


def _stream(number: int, runs: Iterable[Run], affinity: float, weights: Weights) -> _Stream:
    """Runs of one affinity."""
    return ((-weights.priority(p, affinity), number, run) for p, run in runs)
