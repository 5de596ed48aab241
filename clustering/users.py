"""[2] Clustering: what each user visited and accepted in, a community number for each user out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustering import kmeans

URL_COLUMNS = 20_000
CATEGORY_WEIGHT = 0.25


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
) -> NDArray[np.int32]:
    """Put every user with enough visits into one community.

    Args:
        visits: CSR (n_users, n_pages), how often each user opened each page.
        accepts: CSR of the same shape, how often each user followed a recommendation of it.
        page_category: int32 (n_pages,), category numbers; -1 is uncategorised.
        k: most communities wanted, at least 1; None leaves it to `auto_k`.
        seed: of the clustering.
        accept_weight: what an accept is worth in visits.
        min_visits: users with fewer visits, repeats included and accepts not, stay without.
        progress: told how many users are placed, at the end.

    Returns:
        int32 (n_users,), community numbers 0 … k'-1, none empty; -1 is without a community.
    """
    visits, accepts = sparse.csr_array(visits), sparse.csr_array(accepts)
    labels = np.full(visits.shape[0], -1, dtype=np.int32)
    known = np.flatnonzero(visits.sum(axis=1) >= min_visits)
    if len(known):
        affinity = sparse.csr_array(visits[known] + accept_weight * accepts[known])
        rows = user_features(affinity, page_category)
        labels[known] = kmeans.fit(rows, k or auto_k(len(known)), seed).labels
    if progress is not None:
        progress(len(known))
    return labels


def user_features(
    affinity: sparse.csr_array[np.float64], page_category: NDArray[np.int32]
) -> sparse.csr_array[np.float32]:
    """What a user prefers: URLs and categories side by side.

    Affinities are damped by ``log(1 + x)``, weighted by inverse document frequency and brought
    to length 1, URLs and categories each for themselves. Of the URLs only the 20,000 that carry
    most weight are kept, and none that a single user visited: such a URL joins nobody. So the
    dimension is bounded whatever the number of URLs, and users of rare pages are still known by
    their categories.

    Returns:
        float32 CSR (n_users, at most 20,000 + n_categories), rows of length 1, or 0 for a user
        of uncategorised pages that nobody else visited.
    """
    urls = _strongest(_weighted(affinity))
    categories = _weighted(_by_category(affinity, page_category))
    both = sparse.hstack([_unit(urls), CATEGORY_WEIGHT * _unit(categories)], format="csr")
    return _float32(_unit(both))


def _unit(rows: sparse.csr_array[np.float64]) -> sparse.csr_array[np.float64]:
    """Every row but zeros at length 1."""
    lengths = np.sqrt(rows.power(2).sum(axis=1))
    return sparse.csr_array(sparse.diags_array(1 / np.where(lengths > 0, lengths, 1)) @ rows)


def _float32(rows: sparse.csr_array[np.float64]) -> sparse.csr_array[np.float32]:
    """The same rows as scikit-learn takes them: it refuses 64-bit indices."""
    parts = (
        rows.data.astype(np.float32),
        rows.indices.astype(np.int32),
        rows.indptr.astype(np.int32),
    )
    return sparse.csr_array(parts, shape=rows.shape)


def _by_category(
    affinity: sparse.csr_array[np.float64], page_category: NDArray[np.int32]
) -> sparse.csr_array[np.float64]:
    """Affinities (n_users, n_categories) out of affinities (n_users, n_pages)."""
    pages = np.flatnonzero(page_category >= 0)
    shape = (len(page_category), int(page_category.max(initial=-1)) + 1)
    member = sparse.csr_array((np.ones(len(pages)), (pages, page_category[pages])), shape=shape)
    return sparse.csr_array(affinity @ member)


def _weighted(affinity: sparse.csr_array[np.float64]) -> sparse.csr_array[np.float64]:
    """Damped affinities times ``log((1 + n) / (1 + df)) + 1``, which is never 0."""
    users_of = _users_of(affinity)
    idf = np.log((1 + affinity.shape[0]) / (1 + users_of)) + 1
    return sparse.csr_array(affinity.log1p() @ sparse.diags_array(idf))


def _users_of(affinity: sparse.csr_array[np.float64]) -> NDArray[np.intp]:
    """How many users each column has."""
    return np.bincount(affinity.indices, minlength=affinity.shape[1])


def _strongest(weighted: sparse.csr_array[np.float64]) -> sparse.csr_array[np.float64]:
    """The columns of at least two users with the largest sums of squares, in their order."""
    energy: NDArray[np.float64] = weighted.power(2).sum(axis=0)
    energy[_users_of(weighted) < 2] = 0
    best = np.argsort(-energy, kind="stable")[:URL_COLUMNS]
    return sparse.csr_array(weighted[:, np.sort(best[energy[best] > 0])])
