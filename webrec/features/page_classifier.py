"""[2][4] The space in which pages are near each other: what a page says in, its category out.

The batch learns it from all its pages and keeps it beside them in the generation, so that a page
the generation does not know can be placed by the same measure. Both make rows of features here, of
the same rounded arrays.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from webrec.domain.types import Page
from webrec.features.boilerplate import Templates
from webrec.features.text import LONGEST_TEXT, embed, text_of, to_unit, words

FeatureKind: TypeAlias = Literal["semantic", "tfidf"]
Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Rows: TypeAlias = NDArray[np.float32]

CONTEXT_WEIGHT = 2.0
_NUMBERS_AT_ONCE = 1 << 22
_REMEMBERED = 4_096


class Telling(NamedTuple):
    """What a page is placed by.

    Attributes:
        text: its words; a page without any is not placed.
        path: the words in its URL, which say what a page is about where the title is a joke. They
            count in the context of ``semantic`` only: as words among others they did no good.
    """

    text: str
    path: str


class PageSpace:
    """Categories as places among words.

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
        self._lengths = np.einsum("ij,ij->i", self._centroids, self._centroids)
        self._least_known = float(held["known"][0])
        self._templates = Templates(held["templates"])
        self._remembered: dict[bytes, int | None] = {}
        self._lock = threading.Lock()

    def category(self, page: Page) -> int | None:
        """The category of a page; None where it says nothing, or nothing like them."""
        said = telling(page, self._templates)
        if not said.text:
            return None
        key = _short(said)
        try:
            return self._remembered[key]
        except KeyError:
            (found,) = self._place([said])
        with self._lock:
            while len(self._remembered) >= _REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[key] = found
        return found

    def categories(self, pages: Sequence[Page]) -> Iterator[int | None]:
        """The same for many pages, in order; they are placed as they are asked for."""
        at_once = max(1, _NUMBERS_AT_ONCE // max(1, self._centroids.shape[1]))
        for start in range(0, len(pages), at_once):
            chunk = pages[start : start + at_once]
            yield from self._place([telling(page, self._templates) for page in chunk])

    def rows(self, said: Sequence[Telling]) -> Rows:
        """The features of pages: float32 (n_pages, d), rows of length 1 or 0."""
        return self._rows(said, [self._counted(each) for each in said])

    def nearest(self, rows: Rows) -> tuple[NDArray[np.intp], Rows]:
        """The category whose centroid is nearest to each row, and its distance, squared."""
        distances = self._lengths - 2 * (rows @ self._centroids.T)
        labels = distances.argmin(axis=1)
        least = distances[np.arange(len(rows)), labels]
        return labels, least + np.einsum("ij,ij->i", rows, rows)

    def known_elsewhere(self, text: str) -> float:
        """How many of the different words of a batch's text would be known without it, in [0, 1].

        Not the rarest ones: a word of few texts may be known from this one alone.
        """
        each = self._counted(Telling(text, ""))
        common = self._idf[each.places] < self._idf.max(initial=0)
        return float(np.count_nonzero(common) / max(1, each.different))

    def _place(self, said: Sequence[Telling]) -> list[int | None]:
        counted = [self._counted(each) for each in said]
        labels, distances = self.nearest(self._rows(said, counted))
        near = (distances <= self._radii[labels]).tolist()
        return [
            label if is_near and self._is_known(each) else None
            for label, is_near, each in zip(labels.tolist(), near, counted, strict=True)
        ]

    def _is_known(self, each: _Counted) -> bool:
        return 0 < each.known >= self._least_known * each.different

    def _rows(self, said: Sequence[Telling], counted: Sequence[_Counted]) -> Rows:
        if self._context is not None:
            texts = [each.text for each in said]
            return with_context(embed(texts), _summed(counted, self._context))
        if self._components is not None:
            return to_unit(_summed(counted, self._components))
        rows = np.zeros((len(said), len(self._words)), np.float32)
        for row, each in zip(rows, counted, strict=True):
            row[each.places] = each.weights
        return rows

    def _counted(self, said: Telling) -> _Counted:
        counts = Counter(words(said.text))
        different = len(counts)
        if self._context is not None:
            counts.update(words(said.path))
        if not counts or not len(self._words):
            return _NOTHING
        wanted = hashes_of(list(counts))
        places = np.minimum(np.searchsorted(self._words, wanted), len(self._words) - 1)
        known = self._words[places] == wanted
        places = places[known]
        often = np.array(list(counts.values()), np.float32)[known]
        weights = (1 + np.log(often)) * self._idf[places]
        known_in_text = int(np.count_nonzero(known[:different]))
        return _Counted(places, to_unit(weights[np.newaxis])[0], known_in_text, different)


class _Counted(NamedTuple):
    """A text's words.

    Attributes:
        places: where those that are known stand in the vocabulary.
        weights: their TF-IDF, of length 1.
        known, different: how many different words the text itself has, and how many of them are
            known.
    """

    places: NDArray[np.intp]
    weights: Rows
    known: int
    different: int


_NOTHING = _Counted(np.empty(0, np.intp), np.empty(0, np.float32), 0, 0)


def _summed(counted: Sequence[_Counted], vectors: NDArray[np.float16]) -> Rows:
    """The weighted sum of each text's word vectors."""
    rows = np.empty((len(counted), vectors.shape[1]), np.float32)
    for row, each in zip(rows, counted, strict=True):
        row[:] = each.weights @ vectors[each.places].astype(np.float32)
    return rows


def telling(page: Page, templates: Templates) -> Telling:
    """What counts of a page: not what its site says everywhere, and no more than needed."""
    title = templates.without(page.url, page.title)
    text = text_of(page if title is page.title else replace(page, title=title))
    return Telling(text[:LONGEST_TEXT], templates.path_words(page.url)[:LONGEST_TEXT])


def _short(said: Telling) -> bytes:
    """What stands for a text where many are remembered: few bytes, however long it is."""
    return blake2b("\n".join(said).encode(), digest_size=16).digest()


def with_context(meaning: Rows, context: Rows) -> Rows:
    """What texts mean in general, and by the company their words keep, as rows of length 1.

    Args:
        meaning: (n_texts, d), rows of length 1 or 0; changed in place.
        context: the same shape, rows of any length; changed in place.
    """
    meaning += CONTEXT_WEIGHT * to_unit(context)
    return to_unit(meaning)


def hashes_of(words_: Sequence[str]) -> NDArray[np.uint64]:
    """What stands for words in a vocabulary."""
    return np.array([_hash(word) for word in words_], np.uint64)


def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")
