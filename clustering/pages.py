"""[2] Clustering: the batch's pages in, a category number for each page out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustering import kmeans
from clustering.features import FeatureKind, Progress, features_of, text_of
from clustering.quality import page_quality
from webrec.types import Page


@dataclass(frozen=True, slots=True)
class PageClusters:
    """The categories of one batch, not yet named.

    Attributes:
        labels: int32 (n_pages,), category numbers 0 … k'-1, none empty; -1 is a page without text.
        centroids: float32 (k', n_columns) in the feature space the pages were placed in.
        quality: figures for the batch's report, see `clustering.quality.page_quality`.
    """

    labels: NDArray[np.int32]
    centroids: NDArray[np.float32]
    quality: dict[str, float]


def auto_k(pages: int) -> int:
    """How many categories for so many pages with text: three quarters of ``pages ** 0.4``.

    3 for 30 pages, 12 for 1,000, 30 for 10,000, and 99 for 200,000, where the reference
    experiment had 100. It depends on the count only, so that categories do not come and go from
    batch to batch.
    """
    return max(1, round(0.75 * math.pow(pages, 0.4)))


def cluster_pages(
    pages: Sequence[Page],
    *,
    k: int | None,
    seed: int,
    features: FeatureKind = "semantic",
    progress: Progress | None = None,
) -> PageClusters:
    """Put every page that has any text into one category.

    Args:
        pages: in any order; the same pages in the same order give the same categories.
        k: most categories wanted, at least 1; None leaves it to `auto_k`. There are fewer where
            there are fewer distinct texts.
        seed: of the clustering.
        features: the space in which pages are near each other.
        progress: told how many pages have their features.
    """
    texts = [text_of(page) for page in pages]
    telling = np.flatnonzero([bool(text) for text in texts])
    labels = np.full(len(pages), -1, dtype=np.int32)
    rows = features_of([texts[i] for i in telling], features, progress)
    if not len(telling):
        return PageClusters(labels, np.zeros((0, rows.shape[1]), dtype=np.float32), {})
    found = kmeans.fit(rows, k or auto_k(len(telling)), seed)
    labels[telling] = found.labels
    return PageClusters(labels, found.centroids, page_quality(rows, found.labels, seed))
