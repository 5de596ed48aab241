"""[5] Priorities and order: a set of candidates in, its best items out.

The result is that of sorting the whole set by priority (descending), rank score (descending) and
URL; but the set comes in sorted sequences, so merging their heads until the list is full is
enough, and the cost does not grow with the set. The pages similar to what the visitor saw, which
are few and whose priority is each their own, are looked up in the set and merged with the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from heapq import heappop, heappush, heappushpop, heapreplace, merge
from itertools import islice
from typing import NamedTuple

from algorithms.candidates import Candidate, Candidates, Pages, Run
from algorithms.scorers import NO_SCORES, PageScores, Weights

_ALL = -2  # the number of a stream of many categories: neither one of them nor `UNCATEGORISED`
_HIGHEST = 1.0  # no campaign's priority is higher


_Head = tuple[float, int, Iterable[Candidate]]
"""A run: its priority, negated; the number of its stream, so that no two are compared further."""


class _Stream(NamedTuple):
    """The runs of a category, or of several that share an affinity; not looked at yet.

    Attributes:
        best: the priority that none of them exceeds, negated: a better one sorts first.
        number: the category's, or `_ALL`; no two streams have the same.
    """

    best: float
    number: int
    affinity: float


class Item(NamedTuple):
    """One recommended URL and what its place in the list came from."""

    page: float
    category: int
    priority: float
    rank_score: float
    affinity: float
    ad_priority: float
    similarity: float = 0.0


_item = partial(tuple.__new__, Item)  # in a third of the time that calling the class takes


def rank(
    candidates: Candidates,
    affinities: Mapping[int, float],
    weights: Weights,
    excluded: Pages,
    limit: int,
    scores: PageScores = NO_SCORES,
) -> list[Item]:
    """The first ``limit`` items of a set without the excluded pages.

    Args:
        affinities: the visitor's affinity by category; 0 for those that are missing.
        excluded: page numbers that may not be shown.
        scores: pages with a similarity; the few there are get their priority one by one.
    """
    similar = _similar(candidates, affinities, weights, excluded, limit, scores)
    most = weights.priority(_HIGHEST, 1.0)  # no page without a similarity can come up to more
    others = _others(candidates, affinities, weights, excluded, scores.sums)
    if not similar or similar[-1].priority > most:
        return [*similar, *islice(others, limit - len(similar))]
    return list(islice(merge(similar, others, key=_sort_key), limit))


def _sort_key(item: Item) -> tuple[float, float, float]:
    return -item.priority, -item.rank_score, item.page


def _others(
    candidates: Candidates,
    affinities: Mapping[int, float],
    weights: Weights,
    excluded: Pages,
    sums: Mapping[int, float],
) -> Iterator[Item]:
    """The items without a similarity, in order."""
    sum_of, affinity_of = sums.get, affinities.get
    for priority, run in _runs(candidates, affinities, weights):
        for rank_, page, category, ad_priority in run:
            if page not in excluded and sum_of(page, 0.0) <= 0:  # type: ignore[call-overload]
                affinity = affinity_of(category, 0.0)
                yield _item((page, category, priority, -rank_, affinity, ad_priority, 0.0))


def _similar(
    candidates: Candidates,
    affinities: Mapping[int, float],
    weights: Weights,
    excluded: Pages,
    limit: int,
    scores: PageScores,
) -> list[Item]:
    """The first ``limit`` of the items with a similarity, in order."""
    found: list[Item] = []
    highest: list[float] = []  # the priorities of the best of them, a heap of at most ``limit``
    sums, best, order = scores
    find, weigh = candidates.find, weights.priority
    for page in order:
        similarity = sums[page] / best
        if len(highest) == limit and weigh(_HIGHEST, 1.0, similarity) < highest[0]:
            break  # those that follow are less similar still
        candidate = find(page)
        if candidate is None or page in excluded:
            continue
        rank_, _, category, ad_priority = candidate
        affinity = affinities.get(category, 0.0)
        priority = weigh(ad_priority, affinity, similarity)
        found.append(_item((page, category, priority, -rank_, affinity, ad_priority, similarity)))
        if len(highest) < limit:
            heappush(highest, priority)
        else:
            heappushpop(highest, priority)
    found.sort(key=_sort_key)
    return found[:limit]


def _runs(
    candidates: Candidates, affinities: Mapping[int, float], weights: Weights
) -> Iterator[tuple[float, Iterable[Candidate]]]:
    """The whole set as runs of one priority each, the best first.

    A category is not looked at before something of it may be next: most lists are full by then.
    """
    categories = candidates.categories()
    liked = {c: affinity for c, affinity in affinities.items() if affinity > 0 and c in categories}
    waiting = sorted(_streams(candidates, liked, weights), reverse=True)
    heads: list[tuple[float, int, Iterable[Candidate], Iterator[_Head]]] = []
    while True:
        while waiting and (not heads or waiting[-1].best <= heads[0][0]):
            following = _opened(waiting.pop(), candidates, liked, weights)
            if head := next(following, None):
                heappush(heads, (*head, following))
        if not heads:
            return
        # priorities may be the same for several runs, also after rounding: then rank score decides
        best, same = heads[0][0], []
        while heads and heads[0][0] == best:
            _, _, run, following = heads[0]
            same.append(run)
            if head := next(following, None):
                heapreplace(heads, (*head, following))
            else:
                heappop(heads)
        yield -best, same[0] if len(same) == 1 else merge(*same)


def _streams(
    candidates: Candidates, liked: Mapping[int, float], weights: Weights
) -> Iterator[_Stream]:
    """One for each liked category; those of affinity 0, which share one order, may be in one."""
    for c, affinity in liked.items():
        yield _Stream(-weights.priority(_HIGHEST, affinity), c, affinity)
    categories = candidates.categories()
    rest = len(categories) - len(liked)
    least = -weights.priority(_HIGHEST, 0.0)
    if 0 < rest <= len(liked):
        yield from (_Stream(least, c, 0.0) for c in categories if c not in liked)
    elif rest:
        yield _Stream(least, _ALL, 0.0)


def _opened(
    stream: _Stream, candidates: Candidates, liked: Mapping[int, float], weights: Weights
) -> Iterator[_Head]:
    """The runs of a stream."""
    _, number, affinity = stream
    runs: Iterable[Run]
    if number != _ALL:
        runs = candidates.of(number)
    elif not liked:
        runs = candidates.whole()
    else:  # at least half of the categories are in it: passing over the others costs little
        runs = ((p, (c for c in run if c.category not in liked)) for p, run in candidates.whole())
    return ((-weights.priority(p, affinity), number, run) for p, run in runs)
