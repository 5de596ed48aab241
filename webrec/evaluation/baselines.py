"""What the product is measured against: baselines that score all pages.

Every baseline scores all pages for a visitor from the pages given. A page without any evidence has
the score 0, and `webrec.evaluation.ranking` puts pages of the same score in the order of their
popularity: so a baseline falls back on popularity, as the product falls back on what is best for
anybody.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from webrec.evaluation.measures import Floats

_ITERATIONS = 15
"""Of alternating least squares: the factors hardly change after them."""
VisitMatrix = sparse.csr_array[np.float64]
"""1 where a visitor visited a page: (n_visitors, n_pages)."""


class Baseline(Protocol):
    """Scores pages by what the training users visited."""

    def scores(self, given: VisitMatrix) -> Floats:
        """A score of every page for every row of given pages, float64 of the same shape."""
        ...


class Popularity:
    """What most visitors visited."""

    def __init__(self, visited: VisitMatrix) -> None:
        self._visitors = popularity(visited).astype(np.float64)

    def scores(self, given: VisitMatrix) -> Floats:
        """The number of visitors, whatever is given."""
        return np.tile(self._visitors, (given.shape[0], 1))


class Cosine:
    """Item-to-item neighbours by cosine (Sarwar et al. 2001), summed over the given pages.

    ``Σ_i |V_i ∩ V_j| / sqrt(|V_i| · |V_j|)``, where ``V_i`` are the visitors of page i.
    """

    def __init__(self, visited: VisitMatrix) -> None:
        self._weight = _reciprocal(np.sqrt(popularity(visited)))
        self._visited = visited

    def scores(self, given: VisitMatrix) -> Floats:
        """Sums of similarities; the neighbourhood is never cut."""
        weighted = sparse.csr_array(given @ sparse.diags_array(self._weight))
        return _together(weighted, self._visited) * self._weight


class Conditional:
    """Item-to-item by the chance of a visit given another (Deshpande and Karypis 2004), averaged.

    ``mean_i |V_i ∩ V_j| / |V_i|`` over the given pages i.
    """

    def __init__(self, visited: VisitMatrix) -> None:
        self._weight = _reciprocal(popularity(visited).astype(np.float64))
        self._visited = visited

    def scores(self, given: VisitMatrix) -> Floats:
        """Means of probabilities."""
        n = np.maximum(given.sum(axis=1), 1)
        weighted = sparse.csr_array(given @ sparse.diags_array(self._weight))
        return _together(weighted, self._visited) / n[:, None]


class Ease:
    """EASE (Steck 2019): a linear model of each page by all others, in closed form.

    Args:
        penalty: of the squared weights.
    """

    def __init__(self, visited: VisitMatrix, penalty: float) -> None:
        gram = np.asarray((visited.T @ visited).todense(), np.float64)
        gram[np.diag_indices_from(gram)] += penalty
        inverse = np.linalg.inv(gram)
        self._weights = inverse / -np.diag(inverse)
        np.fill_diagonal(self._weights, 0)

    def scores(self, given: VisitMatrix) -> Floats:
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
        visited: VisitMatrix,
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

    def scores(self, given: VisitMatrix) -> Floats:
        """The product with factors made for each row: the visitor may be unknown."""
        with threadpool_limits(limits=1):
            factors = self._model.recalculate_user(np.arange(given.shape[0]), _confident(given))
            return np.asarray(factors @ self._model.item_factors.T, np.float64)


def popularity(visited: VisitMatrix) -> NDArray[np.int64]:
    """How many visitors each page had, int64 (n_pages,)."""
    return np.bincount(visited.indices, minlength=visited.shape[1])


def _together(weighted: VisitMatrix, visited: VisitMatrix) -> Floats:
    """Weights of given pages, carried over to all pages by the visitors who saw both.

    The matrix of pages by pages is never made: it may be large.
    """
    return np.asarray((sparse.csr_array(weighted @ visited.T) @ visited).todense(), np.float64)


def _reciprocal(values: NDArray[Any]) -> Floats:
    found: Floats = np.divide(1.0, values, out=np.zeros(len(values)), where=values > 0)
    return found


def _confident(visited: VisitMatrix) -> sparse.csr_matrix[np.float32]:
    """As `implicit` takes it."""
    return sparse.csr_matrix(visited.astype(np.float32))
