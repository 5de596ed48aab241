"""[1] → [2] Visits one by one in, sparse matrices of visitors by pages or categories out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_PAIRS_IN_MEMORY = 2_000_000
"""Numbers that a `PairTally` holds one by one before it combines those of the same pair: as lists
they take some 200 MB."""

Pairs = sparse.csr_array[np.int64]
"""A number for pairs of a visitor and a page."""


@dataclass(frozen=True, slots=True)
class VisitMatrices:
    """What users visited (U visitors, P pages), all int64 CSR of shape (U, P).

    Attributes:
        visits, accepts: how often a visitor opened a page, or followed a recommendation of it.
        last_visits: the moment (ms) of the visitor's last visit of the page.
    """

    visits: Pairs
    accepts: Pairs
    last_visits: Pairs


class PairTally:
    """Numbers by pairs of a visitor's and a page's number, in bounded memory.

    Args:
        combine: what is done with several numbers of one pair.
    """

    def __init__(self, combine: np.ufunc) -> None:
        self._combine = combine
        self._rows: list[int] = []
        self._cols: list[int] = []
        self._numbers: list[int] = []
        self._sums: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []

    def add(self, row: int, col: int, number: int) -> None:
        """Take in one number of a pair."""
        self._rows.append(row)
        self._cols.append(col)
        self._numbers.append(number)
        if len(self._rows) >= _PAIRS_IN_MEMORY:
            self._fold()

    def matrix(self, row_order: NDArray[np.int64], col_order: NDArray[np.int64]) -> Pairs:
        """The numbers, with row ``i`` at ``row_order[i]`` and column ``j`` at ``col_order[j]``."""
        self._fold()
        pairs, counts = self._sums[0]
        rows, cols = row_order[pairs >> 32], col_order[pairs & 0xFFFF_FFFF]
        shape = (len(row_order), len(col_order))
        matrix: Pairs = sparse.csr_array((counts, (rows, cols)), shape=shape, dtype=np.int64)
        matrix.sort_indices()
        return matrix

    def _fold(self) -> None:
        new = (np.array(self._rows, np.int64) << 32) | np.array(self._cols, np.int64)
        parts = [*self._sums, (new, np.array(self._numbers, np.int64))]
        pairs, where = np.unique(np.concatenate([p for p, _ in parts]), return_inverse=True)
        sums = np.zeros(len(pairs), np.int64)
        self._combine.at(sums, where, np.concatenate([n for _, n in parts]))
        self._sums = [(pairs, sums)]
        self._rows, self._cols, self._numbers = [], [], []


def by_category(
    counts: sparse.csr_array[Any], page_category: NDArray[np.int32]
) -> sparse.csr_array[Any]:
    """Sum counts of pages by the pages' categories.

    Args:
        counts: CSR (n_users, P).
        page_category: int32 (P,), category numbers; a page with -1 counts for no category.

    Returns:
        CSR (n_users, n_categories), of the same type.
    """
    pages = np.flatnonzero(page_category >= 0)
    shape = (len(page_category), int(page_category.max(initial=-1)) + 1)
    ones = np.ones(len(pages), counts.dtype)
    member = sparse.csr_array((ones, (pages, page_category[pages])), shape=shape)
    return sparse.csr_array(counts @ member)


def strongest(
    visits: Pairs, accepts: Pairs, accept_weight: float, most: int
) -> tuple[Pairs, Pairs]:
    """Visits and accepts with every user cut to the pages of greatest affinity.

    Args:
        accept_weight: what an accept is worth in visits.
        most: how many pages of a user stay; of equal ones those with the smaller numbers.
    """
    # its zeros are none, so that a page only accepted is there whatever an accept weighs
    touched = sparse.csr_array(visits + accepts)
    weight = sparse.csr_array(visits + accepts.astype(np.float64) * accept_weight)
    kept_visits, kept_accepts = visits.copy(), accepts.copy()
    for user in np.flatnonzero(np.diff(touched.indptr) > most):
        pages = touched.indices[touched.indptr[user] : touched.indptr[user + 1]]
        weights = weight[[user]].toarray().ravel()[pages]
        dropped = pages[np.lexsort((pages, -weights))[most:]]
        for matrix in (kept_visits, kept_accepts):
            row = slice(matrix.indptr[user], matrix.indptr[user + 1])
            matrix.data[row][np.isin(matrix.indices[row], dropped)] = 0
    kept_visits.eliminate_zeros()
    kept_accepts.eliminate_zeros()
    return kept_visits, kept_accepts
