"""How similar pages are to what a visitor saw."""

from __future__ import annotations

import numpy as np
import pytest

from algorithms import NO_SCORES, Reason
from tests.contracts.scorer import ScorerContract
from webrec.model.co_visit_scorer import MOST_SEEN, CoVisitScorer

LISTS = {0: {1: 0.5, 2: 0.25}, 1: {0: 1.0, 2: -0.5, 3: 0.25}, 2: {}, 3: {2: 0.5}}
INTERCEPT = {3: 0.125}


def scorer(lists: dict[int, dict[int, float]], intercept: dict[int, float]) -> CoVisitScorer:
    """Of the similar pages of pages 0, 1, …, and of those that anybody may like."""
    rows = [lists[page] for page in sorted(lists)]
    return CoVisitScorer(
        {
            "pages": np.array([page for row in rows for page in row], np.uint32),
            "weights": np.array([w for row in rows for w in row.values()], np.float32),
            "ends": np.cumsum([len(row) for row in rows], dtype=np.int64),
            "start_pages": np.array(list(intercept), np.uint32),
            "start_weights": np.array(list(intercept.values()), np.float32),
            "alone_pages": np.array([3, 1], np.uint32),
            "alone_weights": np.array([0.5, 0.25], np.float32),
            "alone_ends": np.array([2] * len(rows), np.int64),
        }
    )


def similarity(found: CoVisitScorer, *seen: int) -> dict[int, float]:
    """The similarity of the pages similar to some, by number, the greatest first."""
    sums, best, order = found.scores(seen)
    assert {page for page, total in sums.items() if total > 0} == set(order)
    return {page: sums[page] / best for page in order}


def test_weights_are_summed_and_the_greatest_becomes_1() -> None:
    """After pages 0 and 1: 0 has 0.95, 1 has 0.5, 3 has 0.25 * 0.95 and the intercept's 0.125."""
    assert similarity(scorer(LISTS, INTERCEPT), 0, 1) == pytest.approx(
        {0: 1.0, 1: 0.5 / 0.95, 3: (0.25 * 0.95 + 0.125) / 0.95}
    )


def test_what_was_seen_last_counts_most() -> None:
    """The order of the pages seen is that of their weights; a sum below 0 is no similarity."""
    found = scorer(LISTS, {})
    assert similarity(found, 0, 1) == pytest.approx({0: 1.0, 1: 0.5 / 0.95, 3: 0.25})
    assert similarity(found, 1, 0) == pytest.approx({0: 1.0, 1: 0.475, 3: 0.25})


def test_nothing_seen_is_nothing_similar() -> None:
    """What anybody may like is not similar to nothing; nor is anything in an older generation."""
    assert similarity(scorer(LISTS, INTERCEPT)) == {}
    assert similarity(CoVisitScorer({}), 0, 1) == {}
    assert CoVisitScorer({}).reasons([0], [1], NO_SCORES) == {0: []}


def test_sums_that_are_all_below_0() -> None:
    """Nothing is similar then, and nothing is divided by."""
    assert similarity(scorer({0: {1: -0.5}, 1: {}}, {}), 0, 1) == {}


def test_of_one_page_alone_what_is_visited_with_it_counts() -> None:
    """Whatever else the page speaks for, and whatever anybody may like; it is the reason."""
    found = scorer(LISTS, INTERCEPT)
    assert similarity(found, 0) == {3: 1.0, 1: 0.5}
    assert found.reasons([3, 1, 2], [0], found.scores([0])) == {
        3: [Reason(0, 1.0)],
        1: [Reason(0, 0.5)],
        2: [],
    }
    assert similarity(found, 2) == {}


def test_only_so_many_pages_count() -> None:
    """Those seen last; the others might not be there."""
    lists = {page: {MOST_SEEN: 0.5} for page in range(MOST_SEEN)}
    lists |= {MOST_SEEN: {0: 1.0}}
    found = scorer(lists, {})
    seen = list(range(MOST_SEEN + 1))
    assert similarity(found, *seen) == similarity(found, *seen[:-1]) == {MOST_SEEN: 1.0}


def test_reasons_are_the_shares_in_a_similarity() -> None:
    """The strongest first, none that speaks against; with the intercept's they add up."""
    found = scorer(LISTS, {2: 0.125})
    reasons = found.reasons([2, 0], [0, 1, 3], found.scores([0, 1, 3]))
    assert reasons[2] == [
        Reason(3, pytest.approx(0.5 * 0.95**2 / 0.95)),  # type: ignore[arg-type]
        Reason(0, pytest.approx(0.25 / 0.95)),  # type: ignore[arg-type]
    ]
    assert reasons[0] == [Reason(1, 1.0)]
    against = -0.5 * 0.95 / 0.95
    total = sum(share for _, share in reasons[2]) + 0.125 / 0.95 + against
    assert similarity(found, 0, 1, 3)[2] == pytest.approx(total)


class TestCoVisitScorer(ScorerContract):
    """It is a scorer, also of a generation that has nothing for it."""

    number_of_pages = 4

    @pytest.fixture(params=["learned", "empty"])
    def scorer(self, request: pytest.FixtureRequest) -> CoVisitScorer:
        """Of the pages above."""
        return scorer(LISTS, INTERCEPT) if request.param == "learned" else CoVisitScorer({})
