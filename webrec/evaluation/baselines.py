"""What the product is measured against, under the same protocol: rankings of all pages.

Every baseline scores all pages for a visitor from the pages given; pages of the same score stand in
the order of popularity, then of their URLs. So a baseline that has nothing to say of a page falls
back on popularity, as the product falls back on what is best for anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import product
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from webrec.domain.progress import StepProgress
from webrec.evaluation.measures import AT, NO_PAGE, Floats, Lists, hits, ndcg

EASE_PAGES = 5_000
"""EASE inverts a matrix of pages by pages: it is left out of larger sites."""

_VALIDATED = 1_000
_CELLS = 20_000_000  # of scores at a time: 160 MB
_FACTORS, _CONFIDENCES, _REGULARIZATIONS = (16, 64), (1.0, 5.0), (1.0, 10.0, 100.0)
_ITERATIONS = 15
_PENALTIES = (1.0, 10.0, 100.0, 1_000.0)

Visited = sparse.csr_array[np.float64]
"""1 where a visitor visited a page: (n_visitors, n_pages)."""


class Baseline(Protocol):
    """Something that has learnt from what others visited."""

    def scores(self, given: Visited) -> Floats:
        """A score of every page for every row of given pages, float64 of the same shape."""
        ...


class Popularity:
    """What most visitors visited."""

    def __init__(self, visited: Visited) -> None:
        self._visitors = popularity(visited).astype(np.float64)

    def scores(self, given: Visited) -> Floats:
        """The number of visitors, whatever is given."""
        return np.tile(self._visitors, (given.shape[0], 1))


class Cosine:
    """Item-to-item neighbours by cosine (Sarwar et al. 2001), summed over the given pages.

    ``Σ_i |V_i ∩ V_j| / sqrt(|V_i| · |V_j|)``, where ``V_i`` are the visitors of page i.
    """

    def __init__(self, visited: Visited) -> None:
        self._weight = _reciprocal(np.sqrt(popularity(visited)))
        self._visited = visited

    def scores(self, given: Visited) -> Floats:
        """Sums of similarities; the neighbourhood is never cut."""
        weighted = sparse.csr_array(given @ sparse.diags_array(self._weight))
        return _together(weighted, self._visited) * self._weight


class Conditional:
    """Item-to-item by the chance of a visit given another (Deshpande and Karypis 2004), averaged.

    ``mean_i |V_i ∩ V_j| / |V_i|`` over the given pages i.
    """

    def __init__(self, visited: Visited) -> None:
        self._weight = _reciprocal(popularity(visited).astype(np.float64))
        self._visited = visited

    def scores(self, given: Visited) -> Floats:
        """Means of probabilities."""
        n = np.maximum(given.sum(axis=1), 1)
        weighted = sparse.csr_array(given @ sparse.diags_array(self._weight))
        return _together(weighted, self._visited) / n[:, None]


class Ease:
    """EASE (Steck 2019): a linear model of each page by all others, in closed form.

    Args:
        penalty: of the squared weights.
    """

    def __init__(self, visited: Visited, penalty: float) -> None:
        gram = np.asarray((visited.T @ visited).todense(), np.float64)
        gram[np.diag_indices_from(gram)] += penalty
        inverse = np.linalg.inv(gram)
        self._weights = inverse / -np.diag(inverse)
        np.fill_diagonal(self._weights, 0)

    def scores(self, given: Visited) -> Floats:
        """``given @ B``."""
        return np.asarray(given @ self._weights)


class Als:
    """Matrix factorisation of implicit feedback (Hu, Koren and Volinsky 2008), by `implicit`.

    Args:
        confidence: of a visit, in multiples of that of its absence.
        regularization: of the squared factors.
        seed: of the first factors.
    """

    def __init__(
        self,
        visited: Visited,
        *,
        factors: int,
        confidence: float,
        regularization: float,
        seed: int,
    ) -> None:
        from implicit.cpu.als import AlternatingLeastSquares

        # once more: the import may have brought a BLAS of its own
        with threadpool_limits(limits=1):
            self._model: Any = AlternatingLeastSquares(
                factors=factors,
                alpha=confidence,
                regularization=regularization,
                iterations=_ITERATIONS,
                num_threads=1,
                random_state=seed,
            )
            self._model.fit(_confident(visited), show_progress=False)

    def scores(self, given: Visited) -> Floats:
        """The product with factors made for each row: nobody need be known."""
        with threadpool_limits(limits=1):
            factors = self._model.recalculate_user(np.arange(given.shape[0]), _confident(given))
            return np.asarray(factors @ self._model.item_factors.T, np.float64)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The baselines of one part of a log.

    Attributes:
        by_name: in the order of the table.
        parameters: how those were set that have some, by name.
        left_out: those that are missing, and why.
    """

    by_name: Mapping[str, Baseline]
    parameters: dict[str, dict[str, float]]
    left_out: dict[str, str]


class _Setting(NamedTuple):
    """One point of a grid."""

    parameters: dict[str, float]
    make: Callable[[Visited], Baseline]


def fit(visited: Visited, seed: int, progress: StepProgress) -> Fitted:
    """Fit every baseline.

    Parameters are those of a small grid that did best (NDCG at 10) for at most 1,000 of these
    visitors, one page of each hidden.

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
    trial, done = _Trial(visited, seed), 0
    total = sum(map(len, grids.values()))
    for name, grid in grids.items():
        scores = []
        for setting in grid:
            progress(done, total)
            scores.append(trial.ndcg_of(setting))
            done += 1
        best = grid[int(np.argmax(scores))]
        parameters[name], made[name] = best.parameters, best.make(visited)
    progress(total, total)
    return Fitted(made, parameters, left_out)


def _grids(pages: int, seed: int) -> tuple[dict[str, list[_Setting]], dict[str, str]]:
    """The settings to try, by baseline, and the baselines that cannot be tried."""
    grids: dict[str, list[_Setting]] = {}
    left_out: dict[str, str] = {}
    if find_spec("implicit"):
        grids["ALS"] = [
            _Setting(
                {"factors": f, "confidence": c, "regularization": r},
                partial(Als, factors=f, confidence=c, regularization=r, seed=seed),
            )
            for f, c, r in product(_FACTORS, _CONFIDENCES, _REGULARIZATIONS)
        ]
    else:
        left_out["ALS"] = 'implicit is not installed: pip install "webrec[evaluate]"'
    if pages <= EASE_PAGES:
        grids["EASE"] = [_Setting({"penalty": p}, partial(Ease, penalty=p)) for p in _PENALTIES]
    else:
        left_out["EASE"] = f"the site has more than {EASE_PAGES:,} pages"
    return grids, left_out


class _Trial:
    """Some visitors, one page of each hidden: to choose between settings without the questions."""

    def __init__(self, visited: Visited, seed: int) -> None:
        rng = np.random.default_rng(seed)
        able = np.flatnonzero(np.diff(visited.indptr) >= 2)
        asked = np.sort(rng.choice(able, min(_VALIDATED, len(able)), replace=False))
        places = visited.indptr[asked] + rng.integers(np.diff(visited.indptr)[asked])
        self._wanted = [[page] for page in visited.indices[places].tolist()]
        self._rest = visited.copy()
        self._rest.data[places] = 0
        self._rest.eliminate_zeros()
        self._given = sparse.csr_array(self._rest[asked])

    def ndcg_of(self, setting: _Setting) -> float:
        """NDCG at 10 of a model that has not seen what is hidden; 0 with nobody to ask about."""
        if not self._wanted:
            return 0.0
        lists = ranked(setting.make(self._rest), Asked(self._rest, self._given), AT)
        return float(ndcg(hits(lists, self._wanted), np.ones(len(lists), np.int64)).mean())


class Asked:
    """Questions as the baselines see them.

    Args:
        visited: what was learnt from: it gives the order of pages with the same score.
        given: the pages each question gives; they are in no list.
        allowed: bool (n_pages,), which pages may be in a list; None for all.

    Attributes:
        order: int64 (n_candidates,), page numbers, the most popular first, then by URL.
        at_once: how many questions are scored together, so that memory stays bounded.
    """

    def __init__(
        self, visited: Visited, given: Visited, allowed: NDArray[np.bool_] | None = None
    ) -> None:
        self.given = given
        self.at_once = max(1, _CELLS // max(*visited.shape, 1))
        n_visitors = popularity(visited)
        order = np.lexsort((np.arange(len(n_visitors)), -n_visitors))
        self.order = order if allowed is None else order[allowed[order]]


def ranked(baseline: Baseline, asked: Asked, limit: int) -> Lists:
    """The first pages of a baseline's ranking for every question, int32 (n_questions, limit)."""
    lists = np.full((asked.given.shape[0], limit), NO_PAGE, np.int32)
    for start in range(0, len(lists), asked.at_once):
        given = sparse.csr_array(asked.given[start : start + asked.at_once])
        scores = baseline.scores(given)
        rows = np.repeat(np.arange(given.shape[0]), np.diff(given.indptr))
        scores[rows, given.indices] = -np.inf
        lists[start : start + asked.at_once] = _first(scores[:, asked.order], asked.order, limit)
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


def popularity(visited: Visited) -> NDArray[np.int64]:
    """How many visitors each page had, int64 (n_pages,)."""
    return np.bincount(visited.indices, minlength=visited.shape[1])


def _together(weighted: Visited, visited: Visited) -> Floats:
    """Weights of given pages, carried over to all pages by the visitors who saw both.

    The matrix of pages by pages is never made: it may be large.
    """
    return np.asarray((sparse.csr_array(weighted @ visited.T) @ visited).todense(), np.float64)


def _reciprocal(values: NDArray[Any]) -> Floats:
    found: Floats = np.divide(1.0, values, out=np.zeros(len(values)), where=values > 0)
    return found


def _confident(visited: Visited) -> sparse.csr_matrix[np.float32]:
    """As `implicit` takes it."""
    return sparse.csr_matrix(visited.astype(np.float32))
