"""The baselines against scores that can be worked out otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from tests.webrec.evaluation.sites import GIVEN_0, GIVEN_1_2, SITE, checkerboard, lists_of, visited
from webrec.evaluation.baselines import Als, Conditional, Cosine, Ease, Popularity
from webrec.evaluation.ranking import BaselineQuestions, ranked


def test_popularity_is_the_number_of_visitors() -> None:
    """Pages of the same number stand in the order of their URLs; given ones in no list."""
    assert Popularity(SITE).scores(GIVEN_0).tolist() == [[3, 2, 1, 2, 0]]
    assert lists_of(Popularity(SITE), GIVEN_0) == [[1, 3, 2, 4, -1]]


def test_cosine_by_hand() -> None:
    """Pages 1 and 2 are given: |V1 ∩ V0| = 2 of sqrt(2·3), |V2 ∩ V0| = 1 of sqrt(1·3)."""
    scores = Cosine(SITE).scores(GIVEN_1_2)[0]
    assert scores[0] == pytest.approx(2 / np.sqrt(6) + 1 / np.sqrt(3))
    assert scores[3] == scores[4] == 0


def test_conditional_by_hand() -> None:
    """Of page 1's two visitors two saw page 0, of page 2's one did: on average all."""
    assert Conditional(SITE).scores(GIVEN_1_2)[0][[0, 3]].tolist() == [1, 0]
    # of page 0's three visitors two saw page 1, one each pages 2 and 3
    scores = Conditional(SITE).scores(GIVEN_0)[0]
    assert scores[1:].tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3, 0])


def test_nothing_given_is_popularity() -> None:
    """No baseline knows anything better then."""
    nothing = visited([0] * 5)
    for baseline in (Cosine(SITE), Conditional(SITE), Ease(SITE, 1.0)):
        assert lists_of(baseline, nothing) == [[0, 1, 3, 2, 4]]


def test_ease_is_the_ridge_regression_of_each_page_by_the_others() -> None:
    """Its closed form solves, column by column, what a ridge regression does."""
    board = checkerboard()
    dense = board.toarray()
    weights = np.zeros((10, 10))
    for page in range(10):
        others = [p for p in range(10) if p != page]
        x, y = dense[:, others], dense[:, page]
        weights[others, page] = np.linalg.solve(x.T @ x + 3.0 * np.eye(9), x.T @ y)
    found = Ease(board, 3.0).scores(board)
    assert found == pytest.approx(dense @ weights)


def test_als_fills_in_the_checkerboard() -> None:
    """Who saw even pages gets the even ones that are missing, also an unknown visitor."""
    board = checkerboard()
    als = Als(board, factors=4, confidence=5.0, regularization=0.1, seed=1)
    given = sparse.csr_array(
        np.array([[0, 0, 1, 0, 1, 0, 1, 0, 1, 0], [0, 0, 0, 1, 0, 1, 0, 1, 0, 1]], float)
    )
    lists = ranked(als, BaselineQuestions(board, given), 1)
    assert lists.tolist() == [[0], [1]]


def test_als_is_the_same_for_the_same_seed() -> None:
    """To the last bit."""
    board = checkerboard()
    first, second = (
        Als(board, factors=4, confidence=5.0, regularization=0.1, seed=1).scores(board)
        for _ in range(2)
    )
    assert np.array_equal(first, second)
