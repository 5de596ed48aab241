"""[2] What each user visited and accepted in, a row of features for each user out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from webrec.features.user_classifier import Rows, features

URL_COLUMNS = 20_000
"""Pages at most that are columns: with 24 communities their centroids take 2 MB of a generation."""


class UserFeatures(NamedTuple):
    """What each user prefers: URLs and categories side by side: `webrec.features.user_classifier`.

    Attributes:
        rows: float64 CSR (n_users, n_columns), rows of length 1, or 0 for a user of uncategorised
            pages that nobody else visited.
        pages: those that are the first columns.
        idf: by column.
    """

    rows: sparse.csr_array[np.float64]
    pages: NDArray[np.intp]
    idf: NDArray[np.float64]


def user_features(
    urls: sparse.csr_array[np.float64], categories: sparse.csr_array[np.float64]
) -> UserFeatures:
    """The features of some users, out of their affinities for pages and for categories."""
    pages = _informative_pages(urls)
    idf = np.concatenate([_idf(urls)[pages], _idf(categories)])
    return UserFeatures(rows_of(urls, categories, pages, idf), pages, idf)


def rows_of(
    urls: sparse.csr_array[np.float64],
    categories: sparse.csr_array[np.float64],
    pages: NDArray[np.intp],
    idf: NDArray[np.float64],
) -> sparse.csr_array[np.float64]:
    """The rows of users by columns and weights that are given, see `UserFeatures`."""
    rows = sparse.csr_array(sparse.hstack([urls[:, pages], categories], format="csr"))
    rows.sort_indices()
    rows.data = features(entries(rows), idf, len(pages))
    return rows


def entries(rows: sparse.csr_array[np.float64]) -> Rows:
    """The same rows as `webrec.features.user_classifier` takes them."""
    return Rows(rows.indptr, rows.indices, rows.data)


def affinity_of(
    visits: sparse.csr_array[Any], accepts: sparse.csr_array[Any], accept_weight: float
) -> sparse.csr_array[np.float64]:
    """Visits and accepts as one number, and only where it is not 0."""
    affinity = sparse.csr_array(visits + accept_weight * accepts, dtype=np.float64)
    affinity.eliminate_zeros()
    return affinity


def _idf(affinity: sparse.csr_array[np.float64]) -> NDArray[np.float64]:
    """``log((1 + n) / (1 + df)) + 1`` of each column, which is never 0."""
    return np.asarray(np.log((1 + affinity.shape[0]) / (1 + _users_of(affinity))) + 1)


def _users_of(affinity: sparse.csr_array[np.float64]) -> NDArray[np.intp]:
    """How many users each column has."""
    return np.bincount(affinity.indices, minlength=affinity.shape[1])


def _informative_pages(urls: sparse.csr_array[np.float64]) -> NDArray[np.intp]:
    """The URLs that become columns, in their order: the 20,000 that carry most weight.

    None of them is one that a single user visited: such a URL joins no two users. So the dimension
    is bounded whatever the number of URLs, and users of rare pages are still known by their
    categories.
    """
    weight = np.bincount(urls.indices, np.log1p(urls.data) ** 2, minlength=urls.shape[1])
    energy = weight * _idf(urls) ** 2
    energy[_users_of(urls) < 2] = 0
    best = np.argsort(-energy, kind="stable")[:URL_COLUMNS]
    return np.sort(best[energy[best] > 0])
