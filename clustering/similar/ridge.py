"""[2] Who visited what in, for each page the weights with which others predict it out.

Each page's column of visits is predicted from those of its neighbours by ridge regression (SLIM,
Ning and Karypis 2011, without its lasso; with all pages for neighbours it is EASE, Steck 2019).

- Visitors weigh ``pages ** -0.5``: who visited many pages has many pairs.
- One column more, of ones, is the intercept: its weights are what anybody may like, and what the
  other pages add is added to it.
- The ridge grows with a page's visits, as dropout would have it (Steck 2020): the best predictor
  alone must not decide.
- Neighbours are the pages nearest by cosine, as many as `LOOKUPS` allows: all pages up to some
  hundreds, so that it is EASE there, and a few dozen of 200,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from webrec.domain.progress import StepProgress

LOOKUPS = 30_000_000
"""Of co-visits, for all pages together: some 10 s, whatever the number of pages."""

FEWEST_NEIGHBOURS = 24
"""Of a page, however many pages there are."""

LEAST_COMMON_VISITORS = 2
"""Of a pair of pages: what one visitor did is no pattern."""

DROPOUT = 0.5
"""The part of the ridge that grows with a page's visits, as a share of them (decision 13)."""

INTERCEPT_RIDGE = 1.0
"""The same of the intercept."""

_ENTRIES = 2_000_000
"""Numbers in the systems of equations that are solved together: 16 MB."""

Matrix = sparse.csr_array[np.float64]


class Coefficients(NamedTuple):
    """Coefficients of ridge regressions (n of them).

    Attributes:
        source: int64 (n,), the page that predicts; the number of pages stands for the intercept.
        target: int64 (n,), the page that is predicted.
        weights: float64 (n,), for each ridge.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weights: list[NDArray[np.float64]]


def co_visits(visited: Matrix) -> tuple[Matrix, Matrix]:
    """Weighted co-visits of pairs of pages with enough common visitors.

    Users with one page say nothing of pairs, and are left out.

    Returns:
        For regressions, with the intercept (P + 1, P + 1): a user of n pages weighs ``n ** -0.5``;
        and of pages alone (P, P), where they weigh ``(n - 1) ** -1.75``: who goes on to few pages
        tells more of what comes next.
    """
    lengths = np.diff(visited.indptr)
    visited = sparse.csr_array(visited[lengths >= 2])
    lengths = np.diff(visited.indptr)
    weights = lengths**-0.5
    joint, alone = _pairs(visited, [weights, (lengths - 1.0) ** -1.75])
    of_intercept: NDArray[np.float64] = np.asarray(visited.T @ weights).reshape(-1, 1)
    pages = sparse.hstack([joint, sparse.csr_array(of_intercept)])
    last = sparse.csr_array(np.append(of_intercept, weights.sum())[None, :])
    gram = sparse.csr_array(sparse.vstack([pages, last], format="csr"))
    gram.sort_indices()
    return gram, alone


def _pairs(visited: Matrix, weights: Sequence[NDArray[np.float64]]) -> list[Matrix]:
    """Co-visits (P, P) by each weighting of the users."""
    weighted = [sparse.csr_array(sparse.diags_array(each) @ visited) for each in weights]
    rows = max(1, _rows_at_once(visited))
    transposed = sparse.csr_array(visited.T)
    parts = [[sparse.csr_array((0, visited.shape[1]))] for _ in weights]
    for first in range(0, visited.shape[1], rows):
        block = sparse.csr_array(transposed[first : first + rows])
        common = sparse.csr_array(block @ visited)
        common.sort_indices()
        few = common.data < LEAST_COMMON_VISITORS
        for done, each in zip(parts, weighted, strict=True):
            sums = sparse.csr_array(block @ each)
            sums.sort_indices()
            sums.data[few] = 0
            sums.eliminate_zeros()
            done.append(sums)
    return [sparse.csr_array(sparse.vstack(done, format="csr")) for done in parts]


def _rows_at_once(visited: Matrix) -> int:
    """Pages whose co-visits are summed together: some millions of entries."""
    lengths = np.diff(visited.indptr).astype(np.float64)
    pairs_of_a_page = float((lengths**2).sum()) / max(visited.shape[1], 1)
    return int(4 * _ENTRIES / max(pairs_of_a_page, 1.0))


def ridge_coefficients(
    gram: Matrix, ridges: Sequence[float], progress: StepProgress
) -> Iterator[Coefficients]:
    """The coefficients of every page's ridge regression, by chunks of pages.

    Args:
        gram: as `co_visits` makes it, with the intercept.
        ridges: each gives weights of its own.
        progress: called after each chunk of pages.
    """
    intercept = gram.shape[0] - 1
    diagonal = gram.diagonal()
    entries = _Entries(gram)
    targets, neighbours, counts = _neighbours(gram, diagonal)
    penalty = DROPOUT * diagonal
    penalty[intercept] = INTERCEPT_RIDGE * diagonal[intercept]
    is_page = np.arange(intercept + 1) < intercept
    penalties = [penalty + ridge * is_page for ridge in ridges]
    ends = np.cumsum(counts)
    done = 0
    while done < len(targets):
        most = int(counts[done])
        # a chunk's targets have about the same number of neighbours: they come in that order
        chunk = slice(done, min(done + max(1, _ENTRIES // (most + 2) ** 2), len(targets)))
        columns = np.full((chunk.stop - done, most + 1), intercept, np.int64)
        there = np.arange(most) < counts[chunk][:, None]
        columns[:, :-1][there] = neighbours[ends[done] - counts[done] : ends[chunk.stop - 1]]
        is_used = np.column_stack([there, np.ones(len(columns), bool)])
        found = _solved(entries, penalties, targets[chunk], columns, is_used)
        target = np.repeat(targets[chunk], is_used.sum(axis=1))
        yield Coefficients(columns[is_used], target, [each[is_used] for each in found])
        done = chunk.stop
        progress(done, len(targets))


def _solved(
    entries: _Entries,
    penalties: Sequence[NDArray[np.float64]],
    targets: NDArray[np.int64],
    columns: NDArray[np.int64],
    is_used: NDArray[np.bool_],
) -> list[NDArray[np.float64]]:
    """The regressions of a chunk.

    Args:
        penalties: by column of the matrix; each gives an answer.
        targets: (n,).
        columns: (n, width), what each target is predicted from.
        is_used: (n, width), whether there is such a column; the others only fill the rows up.

    Returns:
        (n, width) for each penalty; 0 where no column is used.
    """
    n, width = columns.shape
    one, other = np.triu_indices(width + 1)
    both = np.column_stack([columns, targets])
    count = np.column_stack([is_used, np.ones(n, bool)])
    found = entries.at(both[:, one], both[:, other]) * (count[:, one] & count[:, other])
    whole = np.empty((n, width + 1, width + 1))
    whole[:, one, other] = whole[:, other, one] = found
    square, right = whole[:, :-1, :-1], whole[:, :-1, -1:]
    on = np.arange(width)
    diagonal = square[:, on, on]
    solved = []
    for penalty in penalties:
        square[:, on, on] = diagonal + np.where(is_used, penalty[columns], 1.0)
        solved.append(np.linalg.solve(square, right)[:, :, 0])
    return solved


class _Entries:
    """The entries of a sparse matrix, to be looked up by the million."""

    def __init__(self, matrix: Matrix) -> None:
        self._size = matrix.shape[1]
        rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
        self._keys = rows * self._size + matrix.indices
        self._values = matrix.data

    def at(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """The entries at some rows and columns, in their shape."""
        wanted = rows * self._size + columns
        at = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.where(self._keys[at] == wanted, self._values[at], 0.0)


def _neighbours(
    gram: Matrix, diagonal: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The nearest pages of each page that has any, by cosine; ties by number.

    Returns:
        The targets, by how many neighbours they have (descending); the neighbours end to end;
        and how many there are of each.
    """
    size = gram.shape[0] - 1
    pairs = gram[:size, :size].tocoo()
    source, target = pairs.coords
    apart = source != target
    source, target = source[apart].astype(np.int64), target[apart].astype(np.int64)
    cosine = pairs.data[apart] / np.sqrt(diagonal[source] * diagonal[target])
    order = np.lexsort((target, -cosine, source))
    source, target = source[order], target[order]
    counts = np.bincount(source, minlength=size)
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(source)) - starts[source]
    kept = rank < _most_neighbours(counts)
    source, target, rank = source[kept], target[kept], rank[kept]
    counts = np.bincount(source, minlength=size)
    order = np.lexsort((rank, source, -counts[source]))
    targets = np.argsort(-counts, kind="stable")
    targets = targets[counts[targets] > 0]
    return targets, target[order], counts[targets]


def _most_neighbours(counts: NDArray[np.int64]) -> int:
    """As many that all regressions together look up at most `LOOKUPS` entries."""
    most = FEWEST_NEIGHBOURS
    while most < counts.max(initial=0):
        more = most + max(1, most // 8)
        if float((np.minimum(counts, more).astype(np.float64) ** 2).sum()) > LOOKUPS:
            break
        most = more
    return most
