"""[2] Rows of features and their cluster numbers in, figures for the batch's report out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.metrics import (
    adjusted_rand_score,
    normalized_mutual_info_score,
    silhouette_score,
)

from clustering.kmeans import Features

SAMPLE_ROWS = 2_000
"""Rows of the silhouette, which takes the distances of all pairs: 4 million of them."""

SITE_PURITY = 0.8
"""Past this share of one host's pages a category is that of a site, not of a subject …"""

LARGE_SITE = 0.4
"""… unless the host has so many of all pages: then any category would be."""


def page_quality(features: Features, labels: NDArray[np.int32], seed: int) -> dict[str, float]:
    """How well separated and how even the clusters are.

    Args:
        features: float32 (n_rows, n_columns), rows of length 1 or 0.
        labels: int32 (n_rows,), 0 … k-1; -1 is left out.
        seed: of the sample of 2,000 rows that the silhouette is taken on.

    Returns:
        ``clusters``; ``largest_share`` and ``smallest_share`` of the clustered rows, in [0, 1];
        ``silhouette`` by cosine distance, in [-1, 1] (Rousseeuw 1987), 0 where the sample has
        fewer than two clusters or only clusters of one row. Empty where no row is in a cluster.
    """
    clustered = np.flatnonzero(labels >= 0)
    if not len(clustered):
        return {}
    sizes = np.bincount(labels[clustered])
    return {
        "clusters": float(len(sizes)),
        "largest_share": float(sizes.max() / len(clustered)),
        "smallest_share": float(sizes.min() / len(clustered)),
        "silhouette": _silhouette(features, labels, clustered, seed),
    }


def site_quality(hosts: Sequence[str], labels: NDArray[np.int32]) -> dict[str, float]:
    """How far the clusters are clusters of sites.

    Args:
        hosts: of each row.
        labels: int32 (n_rows,), 0 … k-1, at least one row.

    Returns:
        ``site_share``: of the rows, how many are in a cluster that one host makes up (four fifths
        of it), though the host is no large part of all rows; ``site_nmi``: normalised mutual
        information of host and cluster, in [0, 1].
    """
    names, host = np.unique(np.array(hosts), return_inverse=True)
    together = _together(labels, host)
    sizes = np.bincount(labels)
    main = np.asarray(together.argmax(axis=1)).ravel()
    share = np.asarray(together.max(axis=1).toarray()).ravel() / np.maximum(sizes, 1)
    is_large = np.bincount(host, minlength=len(names)) > LARGE_SITE * len(hosts)
    of_sites = (share > SITE_PURITY) & ~is_large[main]
    return {
        "site_share": float(sizes[of_sites].sum() / len(hosts)),
        "site_nmi": float(normalized_mutual_info_score(host, labels)),
    }


def agreement(given: Sequence[str | None], labels: NDArray[np.int32]) -> dict[str, float]:
    """How well clusters agree with what people say.

    Args:
        given: a person's label for each row; None where there is none.
        labels: int32 (n_rows,), 0 … k-1; -1 is left out.

    Returns:
        ``labelled``: how many rows have both; of these ``labels_nmi``: normalised mutual
        information, in [0, 1] (arithmetic mean of the entropies); ``labels_ari``: the Rand index
        adjusted for chance, 1 for the same, 0 for chance (Hubert and Arabie 1985);
        ``labels_purity``: the share of rows with the label that most of their cluster have. Only
        the first where that is 0.
    """
    both = [i for i, label in enumerate(given) if label is not None and labels[i] >= 0]
    if not both:
        return {"labelled": 0.0}
    _, truth = np.unique(np.array([given[i] for i in both]), return_inverse=True)
    found = labels[both]
    return {
        "labelled": float(len(both)),
        "labels_nmi": float(normalized_mutual_info_score(truth, found)),
        "labels_ari": float(adjusted_rand_score(truth, found)),
        "labels_purity": float(_together(found, truth).max(axis=1).sum() / len(both)),
    }


def _together(labels: NDArray[np.int32], others: NDArray[np.intp]) -> sparse.csr_array[np.int64]:
    """How many rows each cluster has of each other value."""
    ones = np.ones(len(labels), np.int64)
    return sparse.csr_array((ones, (labels, others)))


def _silhouette(
    features: Features, labels: NDArray[np.int32], clustered: NDArray[np.intp], seed: int
) -> float:
    rng = np.random.default_rng(seed)
    sample = rng.choice(clustered, min(SAMPLE_ROWS, len(clustered)), replace=False)
    if not 1 < len(np.unique(labels[sample])) < len(sample):
        return 0.0
    return float(silhouette_score(features[sample], labels[sample], metric="cosine"))
