"""[2] Clustering: rows of features and their cluster numbers in, figures for the report out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import silhouette_score

from clustering.kmeans import Features

SAMPLE_ROWS = 2_000


def page_quality(features: Features, labels: NDArray[np.int32], seed: int) -> dict[str, float]:
    """How well separated and how even the clusters are.

    Args:
        features: float32 (n_rows, n_columns), rows of length 1 or 0.
        labels: int32 (n_rows,), 0 … k-1; -1 is left out.
        seed: of the sample of 2,000 rows that the silhouette is taken on.

    Returns:
        ``clusters``; ``largest_share`` and ``smallest_share`` of the placed rows, in [0, 1];
        ``silhouette`` by cosine distance, in [-1, 1] (Rousseeuw 1987), 0 where the sample has
        fewer than two clusters or only clusters of one row. Empty where no row is placed.
    """
    placed = np.flatnonzero(labels >= 0)
    if not len(placed):
        return {}
    sizes = np.bincount(labels[placed])
    return {
        "clusters": float(len(sizes)),
        "largest_share": float(sizes.max() / len(placed)),
        "smallest_share": float(sizes.min() / len(placed)),
        "silhouette": _silhouette(features, labels, placed, seed),
    }


def _silhouette(
    features: Features, labels: NDArray[np.int32], placed: NDArray[np.intp], seed: int
) -> float:
    rng = np.random.default_rng(seed)
    sample = rng.choice(placed, min(SAMPLE_ROWS, len(placed)), replace=False)
    if not 1 < len(np.unique(labels[sample])) < len(sample):
        return 0.0
    return float(silhouette_score(features[sample], labels[sample], metric="cosine"))
