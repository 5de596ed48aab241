"""The rankings of baselines: scores of all pages in, the first pages for every question out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from webrec.evaluation.baselines import Baseline, VisitMatrix, popularity
from webrec.evaluation.measures import NO_PAGE, Floats, Lists

_CELLS = 20_000_000
"""Scores at a time: 160 MB."""


class BaselineQuestions:
    """Questions as the baselines see them: rows of given pages.

    Args:
        visited: of the training part: it gives the order of pages with the same score.
        given: the pages each question gives; they are in no list.
        allowed: bool (n_pages,), which pages may be in a list; None for all.

    Attributes:
        order: int64 (n_candidates,), page numbers, the most popular first, then by URL.
        at_once: how many questions are scored together, so that memory stays bounded.
    """

    def __init__(
        self, visited: VisitMatrix, given: VisitMatrix, allowed: NDArray[np.bool_] | None = None
    ) -> None:
        self.given = given
        self.at_once = max(1, _CELLS // max(*visited.shape, 1))
        n_visitors = popularity(visited)
        order = np.lexsort((np.arange(len(n_visitors)), -n_visitors))
        self.order = order if allowed is None else order[allowed[order]]


def ranked(baseline: Baseline, questions: BaselineQuestions, limit: int) -> Lists:
    """The first pages of a baseline's ranking for every question, int32 (n_questions, limit)."""
    lists = np.full((questions.given.shape[0], limit), NO_PAGE, np.int32)
    for start in range(0, len(lists), questions.at_once):
        given = sparse.csr_array(questions.given[start : start + questions.at_once])
        scores = baseline.scores(given)
        rows = np.repeat(np.arange(given.shape[0]), np.diff(given.indptr))
        scores[rows, given.indices] = -np.inf
        lists[start : start + questions.at_once] = _first(
            scores[:, questions.order], questions.order, limit
        )
    return lists


def _first(scores: Floats, order: NDArray[np.intp], limit: int) -> Lists:
    """The pages with the highest scores; those of the same score in their order.

    Args:
        scores: float64 (n, n_candidates); pages at -inf are left out.
        order: page numbers by column.
    """
    lists = np.full((len(scores), limit), NO_PAGE, np.int32)
    for row, values in zip(lists, -scores, strict=True):
        if len(values) > limit:
            worst = np.partition(values, limit - 1)[limit - 1]
            columns = np.flatnonzero(values <= worst)
        else:
            columns = np.arange(len(values))
        columns = columns[np.argsort(values[columns], kind="stable")][:limit]
        columns = columns[np.isfinite(values[columns])]
        row[: len(columns)] = order[columns]
    return lists
