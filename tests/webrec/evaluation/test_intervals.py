"""Intervals by the bootstrap over visitors."""

from __future__ import annotations

import numpy as np
import pytest

from webrec.evaluation import intervals
from webrec.evaluation.intervals import estimates
from webrec.evaluation.measures import Quotient
from webrec.evaluation.result import Estimate


def mean_of(values: list[float] | np.ndarray) -> Quotient:
    """The mean of some values."""
    return Quotient(np.asarray(values, np.float64), np.ones(len(values)))


def one(quotient: Quotient, visitor: list[int] | np.ndarray, seed: int = 0) -> Estimate:
    """The estimate of one measure."""
    (found,) = estimates([quotient], np.asarray(visitor, np.int64), seed)
    assert found is not None
    return found


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    """For many visitors: 1.96 standard errors to each side, within a tenth."""
    values = np.random.default_rng(1).normal(5, 2, 2_000)
    found = one(mean_of(values), np.arange(2_000))
    reach = 1.96 * values.std() / np.sqrt(2_000)
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - reach, abs=0.1 * reach)
    assert found.high == pytest.approx(values.mean() + reach, abs=0.1 * reach)


def test_questions_about_one_visitor_stay_together() -> None:
    """Ten copies of each question add no certainty; as many visitors do."""
    values = np.random.default_rng(2).normal(0, 1, 200)
    apart = one(mean_of(values), np.arange(200))
    copied = one(mean_of(np.repeat(values, 10)), np.repeat(np.arange(200), 10))
    more = one(mean_of(np.repeat(values, 10)), np.arange(2_000))
    assert copied.low == pytest.approx(apart.low)
    assert copied.high == pytest.approx(apart.high)
    assert more.high - more.low < 0.5 * (apart.high - apart.low)


def test_a_single_visitor_leaves_no_doubt_to_measure() -> None:
    """Every resample is the sample."""
    found = one(mean_of([0, 1, 1, 0]), [7, 7, 7, 7])
    assert found == Estimate(0.5, 0.5, 0.5)


def test_a_quotient_is_of_sums() -> None:
    """1 of 1 and 0 of 3 make a quarter."""
    assert one(Quotient(np.array([1.0, 0]), np.array([1.0, 3])), [0, 1]).value == 0.25


def test_what_nothing_judges_has_no_estimate() -> None:
    """The lower part is 0."""
    nothing = Quotient(np.zeros(2), np.zeros(2))
    some = mean_of([1, 1])
    assert estimates([nothing, some], np.array([0, 1]), 0) == [None, Estimate(1, 1, 1)]


def test_a_resample_without_what_is_judged_is_left_out_of_the_interval() -> None:
    """One of two visitors was asked: a resample of the other one alone measures nothing."""
    found = one(Quotient(np.array([3.0, 0]), np.array([4.0, 0])), [0, 1])
    assert found == Estimate(0.75, 0.75, 0.75)


def test_the_same_seed_gives_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where memory allows fewer resamples at a time; another seed gives another."""
    values = np.random.default_rng(3).normal(0, 1, 50)
    found = one(mean_of(values), np.arange(50), seed=9)
    assert one(mean_of(values), np.arange(50), seed=8) != found
    monkeypatch.setattr(intervals, "_CELLS", 400)
    again = one(mean_of(values), np.arange(50), seed=9)
    assert (again.low, again.high) == pytest.approx((found.low, found.high))
