"""[2] Clustering: what each user visited and accepted in, a community number for each user out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustering.users.community_count import choose_k
from clustering.users.features import affinity_of, by_category, user_features
from clustering.users.spherical import communities
from webrec.features.user_classifier import UserClassifier


class UserClusters(NamedTuple):
    """The communities of one batch (n users).

    Attributes:
        labels: int32 (n,), community numbers 0 … k'-1, none empty; -1 is without a community.
        space: what users are measured by; None where nobody has a community.
    """

    labels: NDArray[np.int32]
    space: UserClassifier | None


def cluster_users(
    visits: sparse.csr_array[Any] | sparse.csr_matrix[Any],
    accepts: sparse.csr_array[Any] | sparse.csr_matrix[Any],
    page_category: NDArray[np.int32],
    *,
    k: int | None,
    seed: int,
    accept_weight: float,
    min_visits: int,
) -> UserClusters:
    """Put every user with enough visits into one community, the nearest.

    Args:
        visits: CSR (n_users, n_pages), how often each user opened each page.
        accepts: CSR of the same shape, how often each user followed a recommendation of it.
        page_category: int32 (n_pages,), category numbers; -1 is uncategorised.
        k: most communities wanted, at least 1; None leaves it to `choose_k`.
        seed: of the clustering.
        accept_weight: what an accept is worth in visits.
        min_visits: users with fewer visits, repeats included and accepts not, stay without.
    """
    visits, accepts = sparse.csr_array(visits), sparse.csr_array(accepts)
    labels = np.full(visits.shape[0], -1, dtype=np.int32)
    known = np.flatnonzero(visits.sum(axis=1) >= min_visits)
    space = None
    if len(known):
        counts = visits[known], accepts[known]
        urls = affinity_of(*counts, accept_weight)
        # summed as counts: affinities may be fractions, whose sums depend on their order
        of_category = [by_category(each, page_category) for each in counts]
        categories = affinity_of(of_category[0], of_category[1], accept_weight)
        measured = user_features(urls, categories)
        wanted = k or choose_k(urls, page_category, measured, seed)
        labels[known], centroids = communities(measured.rows, wanted, seed)
        space = UserClassifier(
            measured.pages.astype(np.uint32), measured.idf, centroids, min_visits
        )
    return UserClusters(labels, space)
