"""[2] The learner of communities: what users visited and accepted in, a community for each out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustering.users.community_count import choose_k
from clustering.users.features import affinity_of, user_features
from clustering.users.spherical import communities
from webrec.batch.history import SiteHistory
from webrec.batch.matrices import by_category
from webrec.batch.steps import Findings, Learned, UserCommunities
from webrec.domain.progress import Progress
from webrec.features.user_classifier import UserClassifier


class UserClusters(NamedTuple):
    """The communities of one batch (n users).

    Attributes:
        labels: int32 (n,), community numbers 0 … k'-1, none empty; -1 is without a community.
        classifier: puts other users into these communities; None where no user has one.
    """

    labels: NDArray[np.int32]
    classifier: UserClassifier | None


@dataclass(frozen=True, slots=True)
class CommunityLearner:
    """Puts visitors into communities by what they visit, page by page and by category.

    Its arrays are those of a `webrec.features.user_classifier.UserClassifier`; none where no
    visitor has a community.

    Attributes:
        accept_weight: what an accept is worth in visits.
        min_visits: visitors with fewer visits stay without a community.
        k: most communities wanted; None leaves it to `choose_k`.
    """

    name: ClassVar = "users"
    accept_weight: float
    min_visits: int
    k: int | None = None

    def learn(
        self, history: SiteHistory, so_far: Findings, seed: int, progress: Progress
    ) -> Learned:
        """Put the visitors of a history into communities."""
        progress("clustering users", 0, 0)
        clusters = cluster_users(
            history.visits(),
            history.accepts(),
            so_far.categories.of_page,
            k=self.k,
            seed=seed,
            accept_weight=self.accept_weight,
            min_visits=self.min_visits,
        )
        return Learned(
            arrays={} if clusters.classifier is None else clusters.classifier.arrays(),
            communities=UserCommunities(clusters.labels),
        )


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
    classifier = None
    if len(known):
        counts = visits[known], accepts[known]
        urls = affinity_of(*counts, accept_weight)
        # summed as counts: affinities may be fractions, whose sums depend on their order
        of_category = [by_category(each, page_category) for each in counts]
        categories = affinity_of(of_category[0], of_category[1], accept_weight)
        measured = user_features(urls, categories)
        wanted = k or choose_k(urls, page_category, measured, seed)
        labels[known], centroids = communities(measured.rows, wanted, seed)
        classifier = UserClassifier(
            measured.pages.astype(np.uint32), measured.idf, centroids, min_visits
        )
    return UserClusters(labels, classifier)
