"""Small sites for the baselines: who visited which pages."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from webrec.evaluation.baselines import Baseline, VisitMatrix
from webrec.evaluation.ranking import BaselineQuestions, ranked


def visited(*rows: list[int]) -> VisitMatrix:
    """1 where a visitor (a row) visited a page."""
    return sparse.csr_array(np.array(rows, np.float64))


# three visitors saw page 0, two page 1, one page 2, two page 3, none page 4
SITE = visited(
    [1, 1, 0, 0, 0],
    [1, 1, 1, 0, 0],
    [1, 0, 0, 1, 0],
    [0, 0, 0, 1, 0],
)
GIVEN_0 = visited([1, 0, 0, 0, 0])
GIVEN_1_2 = visited([0, 1, 1, 0, 0])


def no_progress(_done: int, _total: int) -> None:
    """Is called, and does nothing."""


def lists_of(baseline: Baseline, given: VisitMatrix, limit: int = 5) -> list[list[int]]:
    """The rankings of a baseline."""
    return ranked(baseline, BaselineQuestions(SITE, given), limit).tolist()


def checkerboard() -> VisitMatrix:
    """Forty visitors: the even ones saw most even pages of ten, the odd ones most odd ones."""
    board = np.array([[(v + p) % 2 == 0 for p in range(10)] for v in range(40)], np.float64)
    board[np.arange(40), np.arange(40) % 10] = 0
    return sparse.csr_array(board)
