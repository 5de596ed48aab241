"""[2] k-means: rows of features in, a cluster number for each row out.

Pages and users are clustered by the same k-means (Lloyd 1982, seeded by k-means++, Arthur and
Vassilvitskii 2007). Several restarts on a sample find good starting centroids; a limited number of
iterations over all rows then moves them to their place.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

Features: TypeAlias = "NDArray[np.float32] | sparse.csr_array[np.float32]"

SAMPLE_ROWS = 20_000
"""Rows on which starting centroids are sought: 200 for each of a hundred clusters, and a restart
costs the same however many rows there are."""

RESTARTS = 4
"""Runs on the sample, of which the best is taken: with 12 the communities of real users scored the
same (decision 15)."""

ITERATIONS = 30
"""Of each run at most, so that its time is bounded where few rows go on moving to and fro."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """The cluster of each row.

    Attributes:
        labels: int32 (n_rows,), cluster numbers 0 … k'-1, none of them empty.
        centroids: float32 (k', n_columns).
    """

    labels: NDArray[np.int32]
    centroids: NDArray[np.float32]


def fit(
    features: Features, k: int, seed: int, weights: NDArray[np.float32] | None = None
) -> Clusters:
    """Put every row into one of at most ``k`` clusters.

    A row of zeros goes to the centroid nearest to the origin. One thread does the arithmetic:
    the order of floating-point sums, and so the result, does not depend on the machine's load
    or number of cores.

    Args:
        features: float32 (n_rows, n_columns), dense or CSR, at least one row.
        k: at least 1; there are fewer clusters where there are fewer distinct rows.
        seed: of the sample and of k-means++.
        weights: float32 (n_rows,), how much each row counts; all the same when left out.
    """
    rows = features.shape[0]
    wanted = min(k, rows)
    if not features.shape[1]:
        return Clusters(np.zeros(rows, dtype=np.int32), np.zeros((1, 0), dtype=np.float32))
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than k
        start = _sampled_centroids(features, wanted, seed, weights)
        found = KMeans(wanted, init=start, n_init=1, max_iter=ITERATIONS)
        found.fit(features, sample_weight=weights)
    return _without_empty(found.labels_, found.cluster_centers_)


def _sampled_centroids(
    features: Features, wanted: int, seed: int, weights: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The best centroids (wanted, n_columns) of several restarts on a sample."""
    chosen = _sample(features.shape[0], max(SAMPLE_ROWS, wanted), seed)
    found = KMeans(wanted, n_init=RESTARTS, max_iter=ITERATIONS, random_state=seed)
    found.fit(features[chosen], sample_weight=None if weights is None else weights[chosen])
    centroids: NDArray[np.float32] = found.cluster_centers_
    return centroids


def _sample(rows: int, size: int, seed: int) -> NDArray[np.int64]:
    """The numbers of at most ``size`` rows, in their order."""
    if rows <= size:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, size, replace=False))


def _without_empty(labels: NDArray[np.int32], centroids: NDArray[np.float32]) -> Clusters:
    """The same clusters, numbered without gaps in the order of their old numbers."""
    used, compact = np.unique(labels, return_inverse=True)
    return Clusters(compact.astype(np.int32), centroids[used].astype(np.float32))
