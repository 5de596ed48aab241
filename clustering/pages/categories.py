"""[2] The learner of categories: what pages say in, a category for each and its keywords out."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustering import kmeans
from clustering.kmeans import Clusters
from clustering.pages import features
from clustering.pages.keywords import category_keywords
from clustering.pages.quality import agreement, page_quality, site_quality
from webrec.batch.history import SiteHistory
from webrec.batch.steps import Findings, Learned, PageCategories
from webrec.domain.progress import Progress, StepProgress, no_progress, step
from webrec.domain.types import Arrays, Page
from webrec.features import boilerplate as templates
from webrec.features.boilerplate import host_of
from webrec.features.page_classifier import FeatureKind, PageClassifier, informative_text

USUAL = 0.99
"""A page that comes later is categorised if it is no more unlike the categories than all but one in
a hundred of the batch's own pages."""

_SAMPLE_TEXTS = 10_000
"""Texts whose known words are counted: a hundredth of them, which `USUAL` leaves out, is enough to
estimate a quantile by."""

_TO_THE_ORIGIN = 1.0
"""The distance, squared, of a row of features from a row of zeros."""

_NUMBERS = re.compile(r"[\d\s]+")


@dataclass(frozen=True, slots=True)
class PageClusters:
    """The categories of one batch, not yet named.

    Attributes:
        labels: int32 (n_pages,), category numbers 0 … k'-1, none empty; -1 is a page without text.
        texts: what was read of each page; empty for one without text.
        arrays: of a `webrec.features.page_classifier.PageClassifier` that puts other pages into
            these categories; empty where no page has text.
        quality: figures for the batch's report, see `clustering.pages.quality`.
    """

    labels: NDArray[np.int32]
    texts: list[str]
    arrays: Arrays
    quality: dict[str, float]


@dataclass(frozen=True, slots=True)
class CategoryLearner:
    """Puts pages into categories by what they say, and finds the keywords of each category.

    Its arrays are those of a `webrec.features.page_classifier.PageClassifier`.

    Attributes:
        k: most categories wanted; None leaves it to `auto_k`.
        kind: the feature space in which pages are near each other.
        truth: labels of pages by URL, which people gave: the categories are compared with them.
    """

    name: ClassVar = "pages"
    k: int | None = None
    kind: FeatureKind = "semantic"
    truth: Mapping[str, str] = field(default_factory=dict)

    def learn(
        self,
        history: SiteHistory,
        so_far: Findings,  # noqa: ARG002 - the protocol's
        seed: int,
        progress: Progress,
    ) -> Learned:
        """Categorise the pages of a history; those without text stay without."""
        pages = history.pages
        progress("clustering pages", 0, len(pages))
        clusters = cluster_pages(
            pages, k=self.k, seed=seed, kind=self.kind, progress=step(progress, "clustering pages")
        )
        progress("finding keywords", 0, 0)
        return Learned(
            arrays=clusters.arrays,
            quality=clusters.quality | self._agreement(pages, clusters),
            categories=PageCategories(clusters.labels, _keywords(pages, clusters)),
        )

    def _agreement(self, pages: Sequence[Page], clusters: PageClusters) -> dict[str, float]:
        """How well the categories agree with the labels that were given, if any were."""
        if not self.truth:
            return {}
        return agreement([self.truth.get(page.url) for page in pages], clusters.labels)


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
        kind: the feature space in which pages are near each other.
        progress: called with how many of the pages with text have their features.
    """
    known = templates.learn((page.url, page.title) for page in pages)
    informative = [informative_text(page, known) for page in pages]
    texts = [each.text for each in informative]
    with_text = np.flatnonzero([bool(text) for text in texts]).tolist()
    labels = np.full(len(pages), -1, dtype=np.int32)
    rows, vocabulary = features.learn([informative[i] for i in with_text], kind, progress)
    if not with_text:
        return PageClusters(labels, texts, {}, {})
    hosts = [host_of(pages[i].url) for i in with_text]
    weights = _weights(hosts, [texts[i] for i in with_text])
    found = kmeans.fit(rows, k or auto_k(len(with_text)), seed, weights)
    labels[with_text] = found.labels
    arrays = vocabulary | {
        "centroids": found.centroids,
        "radii": _radii(rows, found),
        "known": np.zeros(1, np.float32),
        "templates": known.hashes,
    }
    arrays["known"][0] = _usual_known(PageClassifier(arrays), [texts[i] for i in with_text])
    quality = page_quality(rows, found.labels, seed) | site_quality(hosts, found.labels)
    return PageClusters(labels, texts, arrays, quality)


def _keywords(pages: Sequence[Page], clusters: PageClusters) -> list[list[str]]:
    with_text = np.flatnonzero(clusters.labels >= 0).tolist()
    return category_keywords(
        [clusters.texts[number] for number in with_text],
        clusters.labels[with_text],
        authored=[pages[number].keywords for number in with_text],
    )


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


def _usual_known(classifier: PageClassifier, texts: Sequence[str]) -> float:
    """The share of known words that nearly every text has; distance alone does not tell.

    Random letters lie as near to pages in a rare language as these lie to each other.
    """
    sample = texts[:: 1 + len(texts) // _SAMPLE_TEXTS]
    return float(np.quantile([classifier.known_elsewhere(text) for text in sample], 1 - USUAL))


def _squares(members: features.Rows, centroid: NDArray[np.float32]) -> NDArray[np.float32]:
    """The squared distances of n rows from where their centroid would be without each of them.

    That is their distance from the centroid, n / (n - 1) times.
    """
    dense = members.toarray() if isinstance(members, sparse.csr_array) else members
    others = max(1, len(dense) - 1)
    squares: NDArray[np.float32] = ((dense - centroid) ** 2).sum(axis=1)
    return squares * np.float32((len(dense) / others) ** 2)
