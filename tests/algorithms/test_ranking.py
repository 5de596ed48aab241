"""Priorities and order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms import UNCATEGORISED, Candidate, Item, PageScores, Run, Weights, rank
from algorithms.scorers import RELATED
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


similarities = st.dictionaries(st.integers(0, 40), st.sampled_from([0.125, 0.5, NEXT, 1.0]))


def scores_of(similarity: dict[int, float]) -> PageScores:
    """The pages with a similarity, whose sums are four times as great; one speaks against."""
    sums = {page: 4 * value for page, value in similarity.items()}
    order = sorted(sums, key=lambda page: -sums[page])
    return PageScores({41: -1.0, **sums}, 4.0, order)


@given(
    items,
    affinities,
    weights,
    st.sampled_from([0.5, 32.0, 1e-17]),
    similarities,
    st.sets(st.integers(0, 30)),
    st.integers(1, 40),
)
def test_similar_pages_take_their_places(
    items: list[tuple[int, int, float, float]],
    affinities: dict[int, float],
    weights: Weights,
    w_sim: float,
    similarity: dict[int, float],
    excluded: set[int],
    limit: int,
) -> None:
    """The order is that of a plain sort, whichever pages are similar, in the set or not."""
    weights = weights._replace(w_sim=w_sim)
    expected = [
        Item(page, c, weights.priority(ad, aff, sim), score, aff, ad, sim)
        for page, c, score, ad in items
        for aff, sim in [(affinities.get(c, 0.0), similarity.get(page, 0.0))]
        if page not in excluded
    ]
    expected.sort(key=lambda item: (-item.priority, -item.rank_score, item.page))
    scores = scores_of(similarity)
    found = rank(Listed("L", items), affinities, weights, excluded, limit, scores)
    assert found == expected[:limit]
    assert all(type(value) in (int, float) for item in found for value in item)


def test_a_less_similar_page_may_come_up_to_a_more_similar_one() -> None:
    """By affinity, and then its rank score puts it first, also where the list ends."""
    candidates = Listed("L", [(1, 0, 1.0, 0.0), (2, 1, 9.0, 0.0)])
    scores, weights = scores_of({1: 1.0, 2: 0.5}), Weights(0.0, 0.5, 0.5)
    found = rank(candidates, {0: 0.5, 1: 1.0}, weights, (), 1, scores)
    assert [(item.page, item.priority) for item in found] == [(2, 0.75)]


def test_many_similar_pages_are_cut_before_they_are_sorted() -> None:
    """Ties at the cut and excluded pages change nothing."""
    items = [(page, page % 3, float(page % 7), 0.0) for page in range(2_000)]
    similarity = {page: 1 / (1 + page % 11) for page in range(0, 2_000, 2)}
    excluded = set(range(0, 2_000, 4))
    weights = Weights(0.0, 0.5, 32.0)
    found = rank(Listed("L", items), {}, weights, excluded, 10, scores_of(similarity))
    expected = sorted(
        ((-similarity.get(p, 0.0), -score, p) for p, _, score, _ in items if p not in excluded)
    )
    assert [item.page for item in found] == [page for _, _, page in expected[:10]]


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


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e6), st.floats(0.001, 1e6))
def test_without_similarity_it_is_the_published_priority(
    ad: float, affinity: float, w_ads: float, w_aff: float
) -> None:
    """To the last digit, in both modes."""
    weights = Weights(w_ads, w_aff, 0.0)
    assert weights.priority(ad, affinity, 0.7) == (w_ads * ad + w_aff * affinity) / (w_ads + w_aff)
    assert weights.related() == RELATED


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

    def find(self, page: int) -> Candidate | None:
        return Candidate(0.0, page, page % 2, 0.0)

    def __len__(self) -> int:
        raise AssertionError("nobody counts it")

    def __contains__(self, page: float, /) -> bool:
        return True

    def _candidates(self, category: int) -> Iterable[Candidate]:
        return (Candidate(0.0, 2 * n + category, category, 0.0) for n in range(10**9))

    def _both(self, n: int) -> list[Candidate]:
        return [Candidate(0.0, 2 * n, 0, 0.0), Candidate(0.0, 2 * n + 1, 1, 0.0)]


@pytest.mark.parametrize("affinities", [{}, {0: 1.0}, {1: 0.5}, {0: 0.5, 1: 1.0}])
def test_no_more_is_read_than_shown(affinities: dict[int, float]) -> None:
    """A list of any length costs what its beginning costs."""
    found = rank(_Endless(), affinities, RELATED, {0, 1, 2}, 3)
    assert len(found) == 3
    scores = scores_of({2: 1.0, 4: 0.5})
    both = rank(_Endless(), affinities, Weights(0.0, 0.5, 32.0), {0, 1, 2}, 3, scores)
    assert both[0].page == 4
    assert len(both) == 3
