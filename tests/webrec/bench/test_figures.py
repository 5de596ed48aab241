"""Figures, on numbers that can be worked out by hand."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from webrec.bench.figures import Figures, Spread, figures, plain, spread


def test_figures_of_a_few() -> None:
    """2, 4, 4, 4, 5, 5, 7 and 9 ms: mean 5, deviation 2, and percentiles between neighbours."""
    found = figures([s / 1000 for s in (9, 2, 4, 4, 4, 5, 5, 7)], 0.5)
    assert found == pytest.approx(
        Figures(n=8, mean=5, median=4.5, sd=2, p95=8.3, p99=8.86, max=9, per_s=16)
    )


def test_figures_of_one() -> None:
    """One request is its own every figure."""
    assert figures([0.003], 0.003) == pytest.approx(Figures(1, 3, 3, 0, 3, 3, 3, 1 / 0.003))


def test_figures_of_nothing() -> None:
    """Nothing measured has none."""
    with pytest.raises(ValueError, match="nothing was measured"):
        figures([], 1)


def test_a_spread() -> None:
    """Median, least and most."""
    assert spread([3.0, 1.0, 2.0, 10.0]) == Spread(2.5, 1.0, 10.0)


def test_a_result_as_json() -> None:
    """Named tuples become objects by their fields, wherever they are; keys become strings."""

    class Point(NamedTuple):
        at: tuple[int, int]

    assert plain({1: [Point((2, 3))], "n": None}) == {"1": [{"at": [2, 3]}], "n": None}
