"""Priorities and order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms import UNCATEGORISED, Candidate, Item, Run, Weights, rank
from algorithms.ranking import RELATED
from tests.algorithms.signals import Listed

NEXT = math.nextafter(0.5, 1)
items = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.integers(UNCATEGORISED, 4),
        st.sampled_from([0.0, 1.0, 2.0, 0.1 + 0.2, 0.3]),
        st.sampled_from([0.0, 0.5, NEXT, 1.0]),
    ),
    unique_by=lambda item: item[0],
)
affinities = st.dictionaries(st.integers(0, 5), st.sampled_from([0.0, 0.5, NEXT, 1.0]))
weights = st.sampled_from(
    [Weights(0.5, 0.5), Weights(1, 0), Weights(1e-17, 1.0), Weights(0.3, 0.7), Weights(2.0, 1.0)]
)


@given(items, affinities, weights, st.sets(st.integers(0, 30)), st.integers(1, 40))
def test_the_order_is_that_of_a_plain_sort(
    items: list[tuple[int, int, float, float]],
    affinities: dict[int, float],
    weights: Weights,
    excluded: set[int],
    limit: int,
) -> None:
    """Priority descending, rank score descending, URL ascending; then the limit."""
    expected = [
        Item(
            page, c, weights.priority(ad, affinities.get(c, 0.0)), score, affinities.get(c, 0.0), ad
        )
        for page, c, score, ad in items
        if page not in excluded
    ]
    expected.sort(key=lambda item: (-item.priority, -item.rank_score, item.page))
    assert rank(Listed("L", items), affinities, weights, excluded, limit) == expected[:limit]


@given(items, affinities, weights, st.integers(1, 40), st.integers(1, 40))
def test_a_shorter_list_is_the_beginning_of_a_longer_one(
    items: list[tuple[int, int, float, float]],
    affinities: dict[int, float],
    weights: Weights,
    few: int,
    more: int,
) -> None:
    """The limit only cuts."""
    candidates = Listed("L", items)
    few, more = sorted((few, more))
    longer = rank(candidates, affinities, weights, (), more)
    assert rank(candidates, affinities, weights, (), few) == longer[:few]


@given(
    st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e6), st.floats(0, 1e6).filter(lambda w: w > 0)
)
def test_a_priority_lies_between_what_it_averages(
    ad: float, affinity: float, w_ads: float, w_aff: float
) -> None:
    """A weighted average is in [0, 1], and does not fall when either part rises."""
    weights = Weights(w_ads, w_aff)
    priority = weights.priority(ad, affinity)
    assert 0 <= priority <= 1 + 1e-9
    assert weights.priority(1.0, affinity) >= priority
    assert weights.priority(ad, 1.0) >= priority


@given(st.floats(0, 1))
def test_related_priority_is_the_affinity(affinity: float) -> None:
    """To the last digit."""
    assert RELATED.priority(0.0, affinity) == affinity


def test_equal_priorities_fall_back_to_rank_score_and_url() -> None:
    """Ad priorities that weigh the same after rounding do not decide."""
    tiny = Weights(1e-17, 1.0)
    ads = Listed("L", [(3, 0, 1.0, 1.0), (1, 0, 2.0, 0.5), (2, 0, 2.0, 0.0)])
    assert [item.page for item in rank(ads, {0: 1.0}, tiny, (), 10)] == [1, 2, 3]


class _Endless:
    """A set that never ends."""

    expression = "L"

    def categories(self) -> list[int]:
        return [0, 1]

    def of(self, category: int) -> Iterator[Run]:
        yield 0.0, self._candidates(category)

    def whole(self) -> Iterator[Run]:
        yield 0.0, (c for n in range(10**9) for c in self._both(n))

    def _candidates(self, category: int) -> Iterable[Candidate]:
        return (Candidate(0.0, 2 * n + category, category, 0.0) for n in range(10**9))

    def _both(self, n: int) -> list[Candidate]:
        return [Candidate(0.0, 2 * n, 0, 0.0), Candidate(0.0, 2 * n + 1, 1, 0.0)]


@pytest.mark.parametrize("affinities", [{}, {0: 1.0}, {1: 0.5}, {0: 0.5, 1: 1.0}])
def test_no_more_is_read_than_shown(affinities: dict[int, float]) -> None:
    """A list of any length costs what its beginning costs."""
    found = rank(_Endless(), affinities, RELATED, {0, 1, 2}, 3)
    assert len(found) == 3
