"""[2] Clustering: what each user visited and accepted in, a community number for each user out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustering import kmeans
from webrec.user_space import Rows, UserSpace, features, nearest

URL_COLUMNS = 20_000
_AT_ONCE = 2_000


class UserClusters(NamedTuple):
    """The communities of one batch (n users).

    Attributes:
        labels: int32 (n,), community numbers 0 … k'-1, none empty; -1 is without a community.
        space: what users are measured by; None where nobody has a community.
    """

    labels: NDArray[np.int32]
    space: UserSpace | None


def auto_k(users: int) -> int:
    """How many communities for so many users: twice ``users ** 0.2``.

    3 for 12 users, 5 for 100, 13 for 10,000, 16 for 30,000, 32 for a million. Few on purpose: a
    community's list is as good as the number of people behind it. It depends on the count only,
    so that communities do not come and go from batch to batch.
    """
    return max(1, round(2 * math.pow(users, 0.2)))


def cluster_users(
    visits: sparse.csr_array[Any] | sparse.csr_matrix[Any],
    accepts: sparse.csr_array[Any] | sparse.csr_matrix[Any],
    page_category: NDArray[np.int32],
    *,
    k: int | None,
    seed: int,
    accept_weight: float,
    min_visits: int,
    progress: Callable[[int], None] | None = None,
) -> UserClusters:
    """Put every user with enough visits into one community, the nearest.

    Args:
        visits: CSR (n_users, n_pages), how often each user opened each page.
        accepts: CSR of the same shape, how often each user followed a recommendation of it.
        page_category: int32 (n_pages,), category numbers; -1 is uncategorised.
        k: most communities wanted, at least 1; None leaves it to `auto_k`.
        seed: of the clustering.
        accept_weight: what an accept is worth in visits.
        min_visits: users with fewer visits, repeats included and accepts not, stay without.
        progress: told how many users are placed, at the end.
    """
    visits, accepts = sparse.csr_array(visits), sparse.csr_array(accepts)
    labels = np.full(visits.shape[0], -1, dtype=np.int32)
    known = np.flatnonzero(visits.sum(axis=1) >= min_visits)
    space = None
    if len(known):
        counts = visits[known], accepts[known]
        urls = _affinity(*counts, accept_weight)
        # summed as counts: affinities may be fractions, whose sums depend on their order
        of_category = [_by_category(each, page_category) for each in counts]
        categories = _affinity(of_category[0], of_category[1], accept_weight)
        rows, pages, idf = user_features(urls, categories)
        centroids = _centroids(rows, k or auto_k(len(known)), seed)
        labels[known], used = _placed(rows, centroids)
        space = UserSpace(pages.astype(np.uint32), idf, centroids[:, used], min_visits)
    if progress is not None:
        progress(len(known))
    return UserClusters(labels, space)


class UserFeatures(NamedTuple):
    """What each user prefers: URLs and categories side by side, see `webrec.user_space`.

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
    pages = _telling(urls)
    idf = np.concatenate([_idf(urls)[pages], _idf(categories)])
    rows = sparse.csr_array(sparse.hstack([urls[:, pages], categories], format="csr"))
    rows.sort_indices()
    rows.data = features(_entries(rows), idf, len(pages))
    return UserFeatures(rows, pages, idf)


def _entries(rows: sparse.csr_array[np.float64]) -> Rows:
    return Rows(rows.indptr, rows.indices, rows.data)


def _affinity(
    visits: sparse.csr_array[Any], accepts: sparse.csr_array[Any], accept_weight: float
) -> sparse.csr_array[np.float64]:
    """Visits and accepts as one number, and only where it is not 0."""
    affinity = sparse.csr_array(visits + accept_weight * accepts, dtype=np.float64)
    affinity.eliminate_zeros()
    return affinity


def _by_category(
    counts: sparse.csr_array[Any], page_category: NDArray[np.int32]
) -> sparse.csr_array[Any]:
    """Counts (n_users, n_categories) out of counts (n_users, n_pages)."""
    pages = np.flatnonzero(page_category >= 0)
    shape = (len(page_category), int(page_category.max(initial=-1)) + 1)
    ones = np.ones(len(pages), counts.dtype)
    member = sparse.csr_array((ones, (pages, page_category[pages])), shape=shape)
    return sparse.csr_array(counts @ member)


def _idf(affinity: sparse.csr_array[np.float64]) -> NDArray[np.float64]:
    """``log((1 + n) / (1 + df)) + 1`` of each column, which is never 0."""
    return np.asarray(np.log((1 + affinity.shape[0]) / (1 + _users_of(affinity))) + 1)


def _users_of(affinity: sparse.csr_array[np.float64]) -> NDArray[np.intp]:
    """How many users each column has."""
    return np.bincount(affinity.indices, minlength=affinity.shape[1])


def _telling(urls: sparse.csr_array[np.float64]) -> NDArray[np.intp]:
    """The URLs that become columns, in their order: the 20,000 that carry most weight.

    None of them is one that a single user visited: such a URL joins nobody. So the dimension is
    bounded whatever the number of URLs, and users of rare pages are still known by their
    categories.
    """
    weight = np.bincount(urls.indices, np.log1p(urls.data) ** 2, minlength=urls.shape[1])
    energy = weight * _idf(urls) ** 2
    energy[_users_of(urls) < 2] = 0
    best = np.argsort(-energy, kind="stable")[:URL_COLUMNS]
    return np.sort(best[energy[best] > 0])


def _centroids(rows: sparse.csr_array[np.float64], k: int, seed: int) -> NDArray[np.float32]:
    """The directions of at most ``k`` clusters: float32 (n_columns, k'), columns of length 1.

    Length 1 takes away what a centroid's length says: that its members are alike. Else those who
    visited little would go to the most diffuse community, which is near to everything.
    """
    found = kmeans.fit(_float32(rows), k, seed).centroids.astype(np.float64)
    lengths = np.sqrt((found * found).sum(axis=1, keepdims=True))
    unit = found / np.where(lengths > 0, lengths, 1)
    return np.ascontiguousarray(unit.T, dtype=np.float32)


def _float32(rows: sparse.csr_array[np.float64]) -> sparse.csr_array[np.float32]:
    """The same rows as scikit-learn takes them: it refuses 64-bit indices."""
    parts = (
        rows.data.astype(np.float32),
        rows.indices.astype(np.int32),
        rows.indptr.astype(np.int32),
    )
    return sparse.csr_array(parts, shape=rows.shape)


def _placed(
    rows: sparse.csr_array[np.float64], centroids: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The community of each row, numbered without gaps, and the centroids that have rows.

    Who is as near to one community as to another goes to the largest, where it is felt least.
    """
    entries = _entries(rows)
    labels = np.concatenate(
        [
            nearest(_part(entries, at, at + _AT_ONCE), centroids)
            for at in range(0, rows.shape[0], _AT_ONCE)
        ]
    )
    largest = np.bincount(labels[labels >= 0], minlength=1).argmax()
    used, compact = np.unique(np.where(labels < 0, largest, labels), return_inverse=True)
    return compact.astype(np.int32), used


def _part(rows: Rows, first: int, last: int) -> Rows:
    """Some rows, one after the other."""
    ends = rows.ends[first : last + 1]
    entries = slice(int(ends[0]), int(ends[-1]))
    return Rows(ends - ends[0], rows.columns[entries], rows.values[entries])
