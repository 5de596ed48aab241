"""The baselines against scores that can be worked out otherwise."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from webrec.evaluation import baselines
from webrec.evaluation.baselines import (
    Als,
    Asked,
    Baseline,
    Conditional,
    Cosine,
    Ease,
    Popularity,
    Visited,
    fit,
    ranked,
)


def visited(*rows: list[int]) -> Visited:
    """1 where a visitor (a row) visited a page."""
    return sparse.csr_array(np.array(rows, np.float64))


# three visitors saw page 0, two page 1, one page 2, two page 3, nobody page 4
SITE = visited(
    [1, 1, 0, 0, 0],
    [1, 1, 1, 0, 0],
    [1, 0, 0, 1, 0],
    [0, 0, 0, 1, 0],
)
GIVEN_0 = visited([1, 0, 0, 0, 0])
GIVEN_1_2 = visited([0, 1, 1, 0, 0])


def silent(_done: int, _total: int) -> None:
    """Nobody is told."""


def lists_of(baseline: Baseline, given: Visited, limit: int = 5) -> list[list[int]]:
    """The rankings of a baseline."""
    return ranked(baseline, Asked(SITE, given), limit).tolist()


def checkerboard() -> Visited:
    """Forty visitors: the even ones saw most even pages of ten, the odd ones most odd ones."""
    board = np.array([[(v + p) % 2 == 0 for p in range(10)] for v in range(40)], np.float64)
    board[np.arange(40), np.arange(40) % 10] = 0
    return sparse.csr_array(board)


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


def test_pages_of_the_same_score_stand_in_the_order_of_popularity() -> None:
    """Pages 2 and 3 share a score, and page 3 has more visitors."""
    assert lists_of(Conditional(SITE), GIVEN_0) == [[1, 3, 2, 4, -1]]


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
    """Who saw even pages gets the even ones that are missing, also a visitor nobody knew."""
    board = checkerboard()
    als = Als(board, factors=4, confidence=5.0, regularization=0.1, seed=1)
    given = sparse.csr_array(
        np.array([[0, 0, 1, 0, 1, 0, 1, 0, 1, 0], [0, 0, 0, 1, 0, 1, 0, 1, 0, 1]], float)
    )
    lists = ranked(als, Asked(board, given), 1)
    assert lists.tolist() == [[0], [1]]


def test_als_is_the_same_for_the_same_seed() -> None:
    """To the last bit."""
    board = checkerboard()
    first, second = (
        Als(board, factors=4, confidence=5.0, regularization=0.1, seed=1).scores(board)
        for _ in range(2)
    )
    assert np.array_equal(first, second)


def test_a_list_is_the_head_of_the_whole_ranking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut at the limit, made in parts, it is what sorting everything gives."""
    rng = np.random.default_rng(5)
    site = sparse.csr_array((rng.random((60, 40)) < 0.2).astype(np.float64))
    given = sparse.csr_array((rng.random((20, 40)) < 0.1).astype(np.float64))
    baseline, asked = Conditional(site), Asked(site, given)
    popular = {page: place for place, page in enumerate(asked.order.tolist())}
    scores, rows = baseline.scores(given), given.toarray()
    expected = [
        sorted(
            (p for p in range(40) if not rows[q, p]), key=lambda p, q=q: (-scores[q, p], popular[p])
        )
        for q in range(20)
    ]
    for limit in (1, 7, 40):
        found = ranked(baseline, asked, limit).tolist()
        assert [[p for p in row if p >= 0] for row in found] == [row[:limit] for row in expected]
    monkeypatch.setattr(baselines, "_CELLS", 200)
    parts = Asked(site, given)
    assert parts.at_once == 3
    assert np.array_equal(ranked(baseline, parts, 7), ranked(baseline, asked, 7))


def test_only_what_is_allowed_is_in_a_list() -> None:
    """As for ads: pages 2 and 4 may be recommended."""
    allowed = np.array([False, False, True, False, True])
    asked = Asked(SITE, GIVEN_0, allowed)
    assert ranked(Cosine(SITE), asked, 3).tolist() == [[2, 4, -1]]


def test_everything_given_leaves_an_empty_list() -> None:
    """There is nothing more to recommend."""
    assert lists_of(Popularity(SITE), visited([1] * 5)) == [[-1] * 5]


def test_parameters_are_chosen_without_the_questions() -> None:
    """All baselines are there, those with a grid with what was chosen; the same every time."""
    board = checkerboard()
    fitted = fit(board, 3, silent)
    assert list(fitted.by_name) == [
        "popularity", "item-item cosine", "item-item conditional", "ALS", "EASE",
    ]  # fmt: skip
    assert fitted.left_out == {}
    assert set(fitted.parameters) == {"ALS", "EASE"}
    assert fit(board, 3, silent).parameters == fitted.parameters


def test_the_best_setting_of_the_grid_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A penalty that leaves nothing of the weights is worse than one that does not."""
    for penalties in ((1e200, 1.0), (1.0, 1e200)):
        monkeypatch.setattr(baselines, "_PENALTIES", penalties)
        board = _two_tastes()
        assert fit(board, 0, silent).parameters["EASE"] == {"penalty": 1.0}


def _two_tastes() -> Visited:
    """Two groups of ten visitors and fifteen pages each; one group is larger by far."""
    rng = np.random.default_rng(6)
    rows: list[NDArray[np.float64]] = []
    for group in (0, 1):
        for _ in range(90 if group else 30):
            row = np.zeros(30)
            row[rng.choice(15, 6, replace=False) + 15 * group] = 1
            rows.append(row)
    return sparse.csr_array(np.array(rows))


def test_nobody_with_two_pages_is_no_reason_to_fail() -> None:
    """Then the first setting is taken."""
    fitted = fit(visited([1, 0, 0], [0, 1, 0]), 0, silent)
    assert fitted.parameters["EASE"] == {"penalty": 1.0}


def test_without_the_extra_als_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it says how to get it."""
    monkeypatch.setitem(sys.modules, "implicit", None)
    fitted = fit(checkerboard(), 0, silent)
    assert "ALS" not in fitted.by_name
    assert fitted.left_out == {"ALS": 'implicit is not installed: pip install "webrec[evaluate]"'}


def test_a_large_site_has_no_ease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its matrix of pages by pages would take the memory."""
    monkeypatch.setattr(baselines, "EASE_PAGES", 9)
    fitted = fit(checkerboard(), 0, silent)
    assert "EASE" not in fitted.by_name
    assert "9 pages" in fitted.left_out["EASE"]
