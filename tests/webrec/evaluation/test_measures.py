"""Every measure against lists that can be judged by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import ndcg_score

from webrec.evaluation import measures
from webrec.evaluation.measures import Lists, Quotient, hits


def lists(*rows: list[int], limit: int = 12) -> Lists:
    """Lists, filled up."""
    filled = [row + [measures.NO_PAGE] * (limit - len(row)) for row in rows]
    return np.array(filled, np.int32).reshape(len(rows), limit)


def n_of(*numbers: int) -> NDArray[np.int64]:
    """How many pages each question wants."""
    return np.array(numbers, np.int64)


def value(quotient: Quotient) -> float:
    """A measure over all questions."""
    return float(quotient.upper.sum() / quotient.lower.sum())


LONG = list(range(100, 112))
"""Twelve pages, the page 100 + r at rank r."""


def test_a_hit_is_where_a_wanted_page_stands_in_its_own_list() -> None:
    """Neither a page wanted by another question is a hit, nor the filling behind a short list."""
    found = hits(lists([5, 3, 7], [3, 5], [], limit=4), [[3], [7, 5, 900], [0]])
    assert found.tolist() == [
        [False, True, False, False],
        [False, True, False, False],
        [False, False, False, False],
    ]


def test_hits_of_no_question_at_all() -> None:
    """Nothing asked, nothing found."""
    assert hits(lists(limit=3), []).shape == (0, 3)


def test_the_rank_score_halves_every_five_places() -> None:
    """In front 100, five places on 50, at rank 10 a quarter, and nothing for what is missing."""
    for page, score in ((100, 100), (105, 50), (110, 25), (7, 0)):
        found = hits(lists(LONG), [[page]])
        assert value(measures.rank_score(found, n_of(1))) == pytest.approx(score)


def test_the_rank_score_of_several_pages_is_a_share_of_the_best_list() -> None:
    """Ranks 0 and 5 of two wanted pages: 1 + 1/2 of the best 1 + 2^(-1/5)."""
    found = hits(lists(LONG), [[100, 105]])
    best = 1 + 2 ** (-1 / 5)
    assert value(measures.rank_score(found, n_of(2))) == pytest.approx(100 * 1.5 / best)
    # one more page that is in no list makes the best list better, and ours no better
    best += 2 ** (-2 / 5)
    assert value(measures.rank_score(found, n_of(3))) == pytest.approx(100 * 1.5 / best)


def test_the_rank_score_of_many_questions_divides_sums() -> None:
    """As Breese, Heckerman and Kadie have it: who wants more weighs more."""
    found = hits(lists(LONG, LONG), [[100], [7, 8]])
    best = 1 + 1 + 2 ** (-1 / 5)
    assert value(measures.rank_score(found, n_of(1, 2))) == pytest.approx(100 / best)


def test_precision_recall_and_f1_look_at_the_first_ten() -> None:
    """Of three wanted pages two are in the list, one of them among the first ten."""
    judged = measures.accuracy(hits(lists(LONG), [[103, 111, 7]]), n_of(3))
    assert value(judged["precision"]) == pytest.approx(1 / 10)
    assert value(judged["recall"]) == pytest.approx(1 / 3)
    assert value(judged["f1"]) == pytest.approx(2 * (1 / 10) * (1 / 3) / (1 / 10 + 1 / 3))


def test_a_short_list_is_not_excused() -> None:
    """One right page that is all the list has is still one of ten."""
    judged = measures.accuracy(hits(lists([4]), [[4]]), n_of(1))
    assert value(judged["precision"]) == pytest.approx(0.1)


def test_the_reciprocal_rank_is_that_of_the_first_right_page_of_ten() -> None:
    """Rank 2 counts 1/3 whatever follows; rank 10 counts nothing."""
    judged = measures.accuracy(hits(lists(LONG, LONG), [[102, 104], [110]]), n_of(2, 1))
    assert judged["mrr"].upper.tolist() == pytest.approx([1 / 3, 0])


def test_ndcg_by_hand() -> None:
    """Rank 1 of two wanted pages: 1/log2(3) of the best 1 + 1/log2(3)."""
    found = hits(lists(LONG), [[101, 7]])
    expected = (1 / math.log2(3)) / (1 + 1 / math.log2(3))
    assert measures.ndcg(found, n_of(2)).tolist() == pytest.approx([expected])


def test_ndcg_is_that_of_scikit_learn() -> None:
    """On random full rankings of 30 pages with up to 14 wanted ones."""
    rng = np.random.default_rng(4)
    for _ in range(50):
        ranking = rng.permutation(30)
        wanted = rng.choice(30, rng.integers(1, 15), replace=False)
        relevance = np.zeros((1, 30))
        relevance[0, wanted] = 1
        scores = np.zeros((1, 30))
        scores[0, ranking] = -np.arange(30.0)
        found = hits(ranking[None, :].astype(np.int32), [wanted.tolist()])
        ours = measures.ndcg(found, n_of(len(wanted)))
        assert ours.tolist() == pytest.approx([ndcg_score(relevance, scores, k=10)])


def test_novelty_is_the_mean_information_of_what_is_recommended() -> None:
    """Of 8 visitors 4, 1 and none had the pages: 1, 3 and (as one visitor's) 3 bits."""
    found = measures.novelty(lists([0, 1], [2]), np.array([4, 1, 0]), 8)
    assert value(found) == pytest.approx((1 + 3 + 3) / 3)


def test_novelty_and_coverage_look_at_the_first_ten() -> None:
    """What stands behind them is hardly seen."""
    row = [0] * 10 + [1]
    assert value(measures.novelty(lists(row), np.array([8, 1]), 8)) == 0
    assert measures.coverage(lists(row), 2) == 0.5


def test_coverage_counts_every_page_once() -> None:
    """Pages 3 and 4, one of them twice, of eight; the filling is no page."""
    assert measures.coverage(lists([3, 4], [3]), 8) == 2 / 8


def test_known_is_the_share_of_lists_that_hold_what_came_next() -> None:
    """Among the first ten, of the questions that count."""
    found = hits(lists(LONG, LONG, LONG), [[LONG[9]], [LONG[10]], [LONG[0]]])
    asked = np.array([True, True, False])
    assert value(measures.known(found, asked)) == 0.5


def test_a_measure_over_some_questions_leaves_the_others_out() -> None:
    """Above and below."""
    quotient = Quotient(np.array([1.0, 0.0]), np.array([1.0, 1.0]))
    assert value(measures.only(quotient, np.array([False, True]))) == 0
    assert value(measures.only(quotient, np.array([True, False]))) == 1
