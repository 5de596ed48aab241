"""What every scorer must do; a test class per scorer inherits this one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, permutations

import pytest

from algorithms import NO_SCORES, Scorer


class ScorerContract:
    """The behaviour of `algorithms.Scorer`; a subclass gives the fixture ``scorer``.

    Attributes:
        number_of_pages: how many pages the generation has, at most six; they are numbered from 0.
    """

    number_of_pages: int

    @pytest.fixture
    def histories(self) -> list[tuple[int, ...]]:
        """Everything that may have been seen: every page at most once, in every order."""
        pages = range(self.number_of_pages)
        return [seen for n in range(self.number_of_pages + 1) for seen in permutations(pages, n)]

    def test_scores_come_in_order(self, scorer: Scorer, histories: list[tuple[int, ...]]) -> None:
        """The greatest first, each page once; the best page has 1, and every other at most that."""
        for seen in histories:
            sums, best, order = scorer.scores(seen)
            assert len(set(order)) == len(order)
            assert all(sums[one] >= sums[other] for one, other in pairwise(order))
            assert best > 0
            if order:
                assert sums[order[0]] == best

    def test_every_page_with_a_score_is_in_the_order(
        self, scorer: Scorer, histories: list[tuple[int, ...]]
    ) -> None:
        """And no other: what speaks against a page is no score."""
        for seen in histories:
            sums, _, order = scorer.scores(seen)
            assert set(order) == {page for page, total in sums.items() if total > 0}
            assert all(0 <= page < self.number_of_pages for page in order)

    def test_scores_are_plain_numbers(
        self, scorer: Scorer, histories: list[tuple[int, ...]]
    ) -> None:
        """Ranking computes with them one by one, and with others it would take longer."""
        for seen in histories:
            sums, best, order = scorer.scores(seen)
            assert type(best) is float
            assert {type(page) for page in order} <= {int}
            assert {type(total) for total in sums.values()} <= {float}

    def test_the_same_question_gets_the_same_answer(
        self, scorer: Scorer, histories: list[tuple[int, ...]]
    ) -> None:
        """Whatever was asked between."""
        first = [scorer.scores(seen) for seen in histories]
        assert [scorer.scores(seen) for seen in reversed(histories)] == first[::-1]

    def test_reasons_are_pages_seen(self, scorer: Scorer, histories: list[tuple[int, ...]]) -> None:
        """Every page asked for has its reasons, the greatest share first, each above 0."""
        pages = list(range(self.number_of_pages))
        for seen in histories:
            found = scorer.reasons(pages, seen, scorer.scores(seen))
            assert list(found) == pages
            for reasons in found.values():
                assert _shares(reasons) == sorted(_shares(reasons), reverse=True)
                assert all(reason.share > 0 and reason.page in seen for reason in reasons)

    def test_without_scores_there_are_no_reasons(self, scorer: Scorer) -> None:
        """Each page asked for is there all the same."""
        assert {page: list(r) for page, r in scorer.reasons([1, 0], [], NO_SCORES).items()} == {
            1: [],
            0: [],
        }


def _shares(reasons: Sequence[tuple[int, float]]) -> list[float]:
    return [share for _, share in reasons]
