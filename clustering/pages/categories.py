"""[2] Clustering: the batch's pages in, a category number for each page out."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustering import kmeans
from clustering.kmeans import Clusters
from clustering.pages import features
from clustering.pages.quality import page_quality, site_quality
from webrec.domain.progress import StepProgress, no_progress
from webrec.domain.types import Arrays, Page
from webrec.features import boilerplate as templates
from webrec.features.boilerplate import host_of
from webrec.features.page_classifier import FeatureKind, PageClassifier, informative_text

USUAL = 0.99
"""A page that comes later is placed if it is no more unlike the categories than all but one in a
hundred of the batch's own pages."""

_SAMPLE_TEXTS = 10_000
_TO_THE_ORIGIN = 1.0
_NUMBERS = re.compile(r"[\d\s]+")


@dataclass(frozen=True, slots=True)
class PageClusters:
    """The categories of one batch, not yet named.

    Attributes:
        labels: int32 (n_pages,), category numbers 0 … k'-1, none empty; -1 is a page without text.
        texts: what was read of each page; empty for one without text.
        space: what the pages were placed in, see `webrec.features.page_classifier.PageClassifier`.
        quality: figures for the batch's report, see `clustering.pages.quality`.
    """

    labels: NDArray[np.int32]
    texts: list[str]
    space: Arrays
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
    kind: FeatureKind = "semantic",
    progress: StepProgress = no_progress,
) -> PageClusters:
    """Put every page that has any text into one category.

    Args:
        pages: in any order; the same pages in the same order give the same categories.
        k: most categories wanted, at least 1; None leaves it to `auto_k`. There are fewer where
            there are fewer distinct texts.
        seed: of the clustering.
        kind: the space in which pages are near each other.
        progress: called with how many of the pages with text have their features.
    """
    known = templates.learn((page.url, page.title) for page in pages)
    said = [informative_text(page, known) for page in pages]
    texts = [each.text for each in said]
    placed = np.flatnonzero([bool(text) for text in texts]).tolist()
    labels = np.full(len(pages), -1, dtype=np.int32)
    rows, vocabulary = features.learn([said[i] for i in placed], kind, progress)
    if not placed:
        return PageClusters(labels, texts, {}, {})
    hosts = [host_of(pages[i].url) for i in placed]
    weights = _weights(hosts, [texts[i] for i in placed])
    found = kmeans.fit(rows, k or auto_k(len(placed)), seed, weights)
    labels[placed] = found.labels
    space = vocabulary | {
        "centroids": found.centroids,
        "radii": _radii(rows, found),
        "known": np.zeros(1, np.float32),
        "templates": known.hashes,
    }
    space["known"][0] = _usual_known(PageClassifier(space), [texts[i] for i in placed])
    quality = page_quality(rows, found.labels, seed) | site_quality(hosts, found.labels)
    return PageClusters(labels, texts, space, quality)


def _weights(hosts: Sequence[str], texts: Sequence[str]) -> NDArray[np.float32]:
    """How much each page counts: those of a host that differ by numbers alone count as one.

    Else a few hundred pages of "Our comic, #12" would be a category of a site.
    """
    alike = [(host, _NUMBERS.sub("", text)) for host, text in zip(hosts, texts, strict=True)]
    count = Counter(alike)
    return np.array([1 / count[each] for each in alike], np.float32)


def _radii(rows: features.Rows, found: Clusters) -> NDArray[np.float32]:
    """How far from each centroid, squared, a page may be: as far as 99 of 100 of its members are.

    Or of all pages, where that is farther: a category of few pages says little of what is far. Or
    as far as the origin is from the page: the pages of a small site may be alike word by word, and
    a new one need not be; but nearer to the category than to nothing in particular.
    """
    members = [_squares(rows[found.labels == n], c) for n, c in enumerate(found.centroids)]
    usual = float(np.quantile(np.concatenate(members), USUAL))
    own = [float(np.quantile(squares, USUAL)) for squares in members]
    return np.array([max(each, usual, _TO_THE_ORIGIN) for each in own], np.float32)


def _usual_known(space: PageClassifier, texts: Sequence[str]) -> float:
    """The share of known words that nearly every text has; distance alone does not tell.

    Random letters lie as near to pages in a rare language as these lie to each other.
    """
    sample = texts[:: 1 + len(texts) // _SAMPLE_TEXTS]
    return float(np.quantile([space.known_elsewhere(text) for text in sample], 1 - USUAL))


def _squares(members: features.Rows, centroid: NDArray[np.float32]) -> NDArray[np.float32]:
    """The squared distances of n rows from where their centroid would be without each of them.

    That is their distance from the centroid, n / (n - 1) times.
    """
    dense = members.toarray() if isinstance(members, sparse.csr_array) else members
    others = max(1, len(dense) - 1)
    squares: NDArray[np.float32] = ((dense - centroid) ** 2).sum(axis=1)
    return squares * np.float32((len(dense) / others) ** 2)
