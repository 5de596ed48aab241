"""Baselines are fitted, their parameters chosen by validation users."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from tests.webrec.evaluation.sites import checkerboard, no_progress, visited
from webrec.evaluation import fitting
from webrec.evaluation.baselines import VisitMatrix
from webrec.evaluation.fitting import fit


def test_parameters_are_chosen_without_the_questions() -> None:
    """All baselines are there, those with a grid with what was chosen; the same every time."""
    board = checkerboard()
    fitted = fit(board, 3, no_progress)
    assert list(fitted.by_name) == [
        "popularity", "item-item cosine", "item-item conditional", "ALS", "EASE",
    ]  # fmt: skip
    assert fitted.left_out == {}
    assert set(fitted.parameters) == {"ALS", "EASE"}
    assert fit(board, 3, no_progress).parameters == fitted.parameters


def test_the_best_setting_of_the_grid_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A penalty that leaves nothing of the weights is worse than one that does not."""
    for penalties in ((1e200, 1.0), (1.0, 1e200)):
        monkeypatch.setattr(fitting, "_PENALTIES", penalties)
        board = _two_tastes()
        assert fit(board, 0, no_progress).parameters["EASE"] == {"penalty": 1.0}


def _two_tastes() -> VisitMatrix:
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
    fitted = fit(visited([1, 0, 0], [0, 1, 0]), 0, no_progress)
    assert fitted.parameters["EASE"] == {"penalty": 1.0}


def test_without_the_extra_als_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it says how to get it."""
    monkeypatch.setitem(sys.modules, "implicit", None)
    fitted = fit(checkerboard(), 0, no_progress)
    assert "ALS" not in fitted.by_name
    assert fitted.left_out == {"ALS": 'implicit is not installed: pip install "webrec[evaluate]"'}


def test_a_large_site_has_no_ease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its matrix of pages by pages would take the memory."""
    monkeypatch.setattr(fitting, "EASE_PAGES", 9)
    fitted = fit(checkerboard(), 0, no_progress)
    assert "EASE" not in fitted.by_name
    assert "9 pages" in fitted.left_out["EASE"]
