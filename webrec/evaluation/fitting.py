"""Baselines fitted to a training part, their parameters chosen by a small grid.

Of each grid the parameters are taken that do best for validation users: some of the training part,
of whom one page each is hidden. No question of the evaluation is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import sparse

from webrec.domain.progress import StepProgress
from webrec.evaluation.baselines import (
    Als,
    Baseline,
    Conditional,
    Cosine,
    Ease,
    Popularity,
    VisitMatrix,
)
from webrec.evaluation.measures import AT, hits, ndcg
from webrec.evaluation.ranking import BaselineQuestions, ranked

EASE_PAGES = 5_000
"""EASE inverts a matrix of pages by pages: it is left out of larger sites."""

_VALIDATION_USERS = 1_000
"""Enough to tell the points of the grid apart; more would only take longer."""

_FACTORS, _CONFIDENCES, _REGULARIZATIONS = (16, 64), (1.0, 5.0), (1.0, 10.0, 100.0)
_PENALTIES = (1.0, 10.0, 100.0, 1_000.0)


@dataclass(frozen=True, slots=True)
class FittedBaselines:
    """The baselines of one training part.

    Attributes:
        by_name: in the order of the table.
        parameters: of the baselines that have some, those that were chosen; by name.
        left_out: the baselines that are missing, and why.
    """

    by_name: Mapping[str, Baseline]
    parameters: dict[str, dict[str, float]]
    left_out: dict[str, str]


class GridPoint(NamedTuple):
    """One point of the grid of a baseline's parameters."""

    parameters: dict[str, float]
    make: Callable[[VisitMatrix], Baseline]


def fit(visited: VisitMatrix, seed: int, progress: StepProgress) -> FittedBaselines:
    """Fit every baseline.

    Parameters are those of a small grid that did best (NDCG at 10) for at most 1,000 validation
    users.

    Args:
        progress: called before each model that is fitted, and at the end.
    """
    made: dict[str, Baseline] = {
        "popularity": Popularity(visited),
        "item-item cosine": Cosine(visited),
        "item-item conditional": Conditional(visited),
    }
    grids, left_out = _grids(visited.shape[1], seed)
    parameters: dict[str, dict[str, float]] = {}
    validation, done = ValidationUsers(visited, seed), 0
    total = sum(map(len, grids.values()))
    for name, grid in grids.items():
        scores = []
        for point in grid:
            progress(done, total)
            scores.append(validation.ndcg_of(point))
            done += 1
        best = grid[int(np.argmax(scores))]
        parameters[name], made[name] = best.parameters, best.make(visited)
    progress(total, total)
    return FittedBaselines(made, parameters, left_out)


def _grids(pages: int, seed: int) -> tuple[dict[str, list[GridPoint]], dict[str, str]]:
    """The grid of each baseline that has parameters, and the baselines that cannot be fitted."""
    grids: dict[str, list[GridPoint]] = {}
    left_out: dict[str, str] = {}
    if find_spec("implicit"):
        grids["ALS"] = [
            GridPoint(
                {"factors": f, "confidence": c, "regularization": r},
                partial(Als, factors=f, confidence=c, regularization=r, seed=seed),
            )
            for f, c, r in product(_FACTORS, _CONFIDENCES, _REGULARIZATIONS)
        ]
    else:
        left_out["ALS"] = 'implicit is not installed: pip install "webrec[evaluate]"'
    if pages <= EASE_PAGES:
        grids["EASE"] = [GridPoint({"penalty": p}, partial(Ease, penalty=p)) for p in _PENALTIES]
    else:
        left_out["EASE"] = f"the site has more than {EASE_PAGES:,} pages"
    return grids, left_out


class ValidationUsers:
    """Some visitors of the training part, one page of each hidden: they choose the parameters."""

    def __init__(self, visited: VisitMatrix, seed: int) -> None:
        rng = np.random.default_rng(seed)
        able = np.flatnonzero(np.diff(visited.indptr) >= 2)
        asked = np.sort(rng.choice(able, min(_VALIDATION_USERS, len(able)), replace=False))
        positions = visited.indptr[asked] + rng.integers(np.diff(visited.indptr)[asked])
        self._wanted = [[page] for page in visited.indices[positions].tolist()]
        self._rest = visited.copy()
        self._rest.data[positions] = 0
        self._rest.eliminate_zeros()
        self._given = sparse.csr_array(self._rest[asked])

    def ndcg_of(self, point: GridPoint) -> float:
        """NDCG at 10 of a model that has not seen the hidden pages; 0 without validation users."""
        if not self._wanted:
            return 0.0
        lists = ranked(point.make(self._rest), BaselineQuestions(self._rest, self._given), AT)
        return float(ndcg(hits(lists, self._wanted), np.ones(len(lists), np.int64)).mean())
