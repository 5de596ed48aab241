"""[2][4] The nearest category of a page by its words: the page's text in, a category out.

The batch learns the classifier's arrays from all its pages and keeps them in the generation, so
that a page which the generation does not hold is categorised by the same measure between batches.
Both make rows of features by this code, of the same rounded arrays.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from webrec.domain.hashing import hash64
from webrec.domain.sorted_numbers import positions_of
from webrec.domain.types import Arrays, Page
from webrec.features.boilerplate import Templates
from webrec.features.text import LONGEST_TEXT, embed, text_of, to_unit, words

FeatureKind: TypeAlias = Literal["semantic", "tfidf"]
Rows: TypeAlias = NDArray[np.float32]

CONTEXT_WEIGHT = 2.0
"""What the company that a text's words keep weighs beside its general meaning, each of length 1:
more, because of names and jargon the general meaning knows only fragments."""

_NUMBERS_AT_ONCE = 1 << 22
"""Numbers in the features of the pages that are categorised together: 16 MB of them."""

_CACHED_TEXTS = 4_096
"""Texts whose category is kept in memory, some hundred bytes each."""

_DIGEST_BYTES = 16  # of a cached text: no two have the same by chance


class InformativeText(NamedTuple):
    """What a page is categorised by.

    Attributes:
        text: its words; a page without any gets no category.
        path: the words in its URL, which say what a page is about where the title is a joke. They
            count in the context of ``semantic`` only: as words among others they did no good.
    """

    text: str
    path: str


class PageClassifier:
    """The nearest centroid, within its radius, of what a page says.

    Args:
        arrays: in memory or mapped (V words, k categories, d columns):
            ``words``: uint64 (V,), hashes of the vocabulary, sorted; ``idf``: float32 (V,);
            ``context`` (semantic): float16 (V, d), the vectors of the words, see
            `clustering.pages.features`; ``components`` (tfidf, where there are many pages): float16
            (V, d), the words' share in each latent dimension; without either d is V;
            ``centroids``: float32 (k, d); ``radii``: float32 (k,), how far a page may be from
            its category, squared; ``known``: float32 (1,), the share of its different words that
            must be in the vocabulary, and at least one of them must;
            ``templates``: see `webrec.features.boilerplate.Templates`.
    """

    def __init__(self, arrays: Arrays) -> None:
        # a mapped file as a plain array: the same memory, and looked into in half the time
        held = {name: np.asarray(array) for name, array in arrays.items()}
        self._words, self._idf = held["words"], held["idf"]
        self._context, self._components = held.get("context"), held.get("components")
        self._centroids, self._radii = held["centroids"], held["radii"]
        self._squared_lengths = np.einsum("ij,ij->i", self._centroids, self._centroids)
        self._least_known = float(held["known"][0])
        self._templates = Templates(held["templates"])
        self._cache: dict[bytes, int | None] = {}
        self._lock = threading.Lock()  # guards changes of the cache

    def category(self, page: Page) -> int | None:
        """The category of a page; None where it says nothing, or nothing like any category."""
        text = informative_text(page, self._templates)
        if not text.text:
            return None
        key = _digest_of(text)
        try:
            return self._cache[key]
        except KeyError:
            (found,) = self._categorise([text])
        with self._lock:
            while len(self._cache) >= _CACHED_TEXTS:
                del self._cache[next(iter(self._cache))]
            self._cache[key] = found
        return found

    def categories(self, pages: Sequence[Page]) -> Iterator[int | None]:
        """The category of each of many pages, in order; they are found as they are asked for."""
        at_once = max(1, _NUMBERS_AT_ONCE // max(1, self._centroids.shape[1]))
        for start in range(0, len(pages), at_once):
            chunk = pages[start : start + at_once]
            yield from self._categorise([informative_text(page, self._templates) for page in chunk])

    def rows(self, texts: Sequence[InformativeText]) -> Rows:
        """The features of pages: float32 (n_pages, d), rows of length 1 or 0."""
        return self._rows(texts, [self._weighed(text) for text in texts])

    def nearest(self, rows: Rows) -> tuple[NDArray[np.intp], Rows]:
        """The category whose centroid is nearest to each row, and its distance, squared."""
        distances = self._squared_lengths - 2 * (rows @ self._centroids.T)
        labels = distances.argmin(axis=1)
        least = distances[np.arange(len(rows)), labels]
        return labels, least + np.einsum("ij,ij->i", rows, rows)

    def known_elsewhere(self, text: str) -> float:
        """The share of the words of a batch's text that would be known without it, in [0, 1].

        Different words count, each once. The rarest ones are not among those known: a word of few
        texts may be known from this one alone.
        """
        weighed = self._weighed(InformativeText(text, ""))
        common = self._idf[weighed.positions] < self._idf.max(initial=0)
        return float(np.count_nonzero(common) / max(1, weighed.different))

    def _categorise(self, texts: Sequence[InformativeText]) -> list[int | None]:
        weighed = [self._weighed(text) for text in texts]
        labels, distances = self.nearest(self._rows(texts, weighed))
        within = (distances <= self._radii[labels]).tolist()
        return [
            label if is_within and self._is_known(each) else None
            for label, is_within, each in zip(labels.tolist(), within, weighed, strict=True)
        ]

    def _is_known(self, weighed: _Weighed) -> bool:
        return 0 < weighed.known >= self._least_known * weighed.different

    def _rows(self, texts: Sequence[InformativeText], weighed: Sequence[_Weighed]) -> Rows:
        if self._context is not None:
            meaning = embed([text.text for text in texts])
            return with_context(meaning, _summed(weighed, self._context))
        if self._components is not None:
            return to_unit(_summed(weighed, self._components))
        rows = np.zeros((len(texts), len(self._words)), np.float32)
        for row, each in zip(rows, weighed, strict=True):
            row[each.positions] = each.weights
        return rows

    def _weighed(self, text: InformativeText) -> _Weighed:
        counts = Counter(words(text.text))
        different = len(counts)
        if self._context is not None:
            counts.update(words(text.path))
        if not counts or not len(self._words):
            return _NOTHING
        is_known, positions = positions_of(self._words, hashes_of(list(counts)))
        often = np.array(list(counts.values()), np.float32)[is_known]
        weights = (1 + np.log(often)) * self._idf[positions]
        known_in_text = int(np.count_nonzero(is_known[:different]))
        return _Weighed(positions, to_unit(weights[np.newaxis])[0], known_in_text, different)


class _Weighed(NamedTuple):
    """The words of a text.

    Attributes:
        positions: of those that are in the vocabulary, there.
        weights: their TF-IDF, of length 1.
        known, different: how many different words the text itself has, and how many of them are
            known.
    """

    positions: NDArray[np.intp]
    weights: Rows
    known: int
    different: int


_NOTHING = _Weighed(np.empty(0, np.intp), np.empty(0, np.float32), 0, 0)


def _summed(weighed: Sequence[_Weighed], vectors: NDArray[np.float16]) -> Rows:
    """The weighted sum of each text's word vectors."""
    rows = np.empty((len(weighed), vectors.shape[1]), np.float32)
    for row, each in zip(rows, weighed, strict=True):
        row[:] = each.weights @ vectors[each.positions].astype(np.float32)
    return rows


def informative_text(page: Page, templates: Templates) -> InformativeText:
    """What counts of a page: not what its site says everywhere, and no more than needed."""
    title = templates.without(page.url, page.title)
    text = text_of(page if title is page.title else replace(page, title=title))
    return InformativeText(text[:LONGEST_TEXT], templates.path_words(page.url)[:LONGEST_TEXT])


def _digest_of(text: InformativeText) -> bytes:
    """What stands for a text in the cache: few bytes, however long it is."""
    return blake2b("\n".join(text).encode(), digest_size=_DIGEST_BYTES).digest()


def with_context(meaning: Rows, context: Rows) -> Rows:
    """What texts mean in general, and by the company their words keep, as rows of length 1.

    Args:
        meaning: (n_texts, d), rows of length 1 or 0; changed in place.
        context: the same shape, rows of any length; changed in place.
    """
    meaning += CONTEXT_WEIGHT * to_unit(context)
    return to_unit(meaning)


def hashes_of(words_: Sequence[str]) -> NDArray[np.uint64]:
    """What stands for each word in a vocabulary."""
    return np.array([hash64(word.encode()) for word in words_], np.uint64)
