"""[4] A generation in memory: its arrays in; pages, candidate sets and classifiers out."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from algorithms import UNCATEGORISED, Candidates, Scorer
from webrec.domain.hashing import hash64
from webrec.domain.types import Arrays
from webrec.features.page_classifier import PageClassifier
from webrec.features.user_classifier import UserClassifier
from webrec.model.arrays import EMPTY_ARRAYS, ModelArrays
from webrec.model.candidate_sets import ColList, RecList, RecUnion
from webrec.model.co_visit_scorer import CoVisitScorer
from webrec.model.ragged import span
from webrec.rawlog import Watermark
from webrec.tables.generations import Generation


class Model:
    """One generation, to be read by page, category and community number.

    Args:
        generation: what it is.
        arrays: its arrays.

    Attributes:
        co_visit_scorer: how similar pages are to what a visitor saw.
    """

    def __init__(self, generation: Generation, arrays: ModelArrays) -> None:
        self.generation = generation
        self._arrays = arrays
        self.co_visit_scorer: Scorer = CoVisitScorer(self.learned("similar"))

    def learned(self, learner: str) -> Arrays:
        """The arrays of a learner (``pages``, ``users``, ``similar``); empty without any."""
        return self._arrays.learned.get(learner, {})

    @cached_property
    def user_classifier(self) -> UserClassifier | None:
        """The nearest community of a visitor; None in a generation without the arrays for it."""
        learned = self.learned("users")
        return UserClassifier.of(learned) if learned else None

    @cached_property
    def page_classifier(self) -> PageClassifier | None:
        """The nearest category of a page; None in a generation without the arrays for it."""
        learned = self.learned("pages")
        return PageClassifier(learned) if learned else None

    @property
    def size(self) -> int:
        """How many pages there are."""
        return len(self._arrays.url_ends)

    def find(self, url: str) -> int | None:
        """The number of a page; None for a URL that the generation does not hold."""
        key = url.encode()
        wanted = hash64(key)
        arrays = self._arrays
        hashes = arrays.hashes
        at = bisect_left(hashes, wanted)
        while at < len(hashes) and hashes[at] == wanted:  # other URLs may have the same hash
            page: int = arrays.hash_pages[at]
            if bytes(arrays.urls[span(arrays.url_ends, page)]) == key:
                return page
            at += 1
        return None

    def sort_position(self, url: str) -> int:
        """How many of the generation's URLs come before one in their order."""
        return bisect_left(range(self.size), url, key=self.url)

    def url(self, page: int) -> str:
        """The URL of a page."""
        return str(self._arrays.urls[span(self._arrays.url_ends, page)], "ascii")

    def category(self, page: int) -> int:
        """The category of a page, or `UNCATEGORISED`."""
        found: int = self._arrays.category[page]
        return found

    def has_category(self, url: str) -> bool:
        """Whether the generation has a category for a page."""
        page = self.find(url)
        return page is not None and self.category(page) != UNCATEGORISED

    def total(self, page: int) -> float:
        """Total affinity of a page."""
        found: float = self._arrays.total[page]
        return found

    def rec(self, category: int) -> Candidates:
        """``recL[c]``."""
        return self._rec_lists[category]

    @cached_property
    def rec_all(self) -> Candidates:
        """``recL``."""
        filled = [category for category, found in enumerate(self._rec_lists) if len(found)]
        return RecUnion(self._arrays, filled, "recL")

    def rec_of(self, community: int) -> Candidates:
        """The union of ``recL[c]`` over the categories of ``colL[g]``."""
        name = f"∪ recL[c] for c in categories(colL[{self.generation.community_ids[community]}])"
        return RecUnion(self._arrays, sorted(self.categories_of(community)), name)

    def col(self, community: int) -> Candidates:
        """``colL[g]``."""
        return self._col_lists[community]

    def categories_of(self, community: int) -> set[int]:
        """The categories of ``colL[g]``."""
        return set(self._col_lists[community].categories()) - {UNCATEGORISED}

    def col_ranks(self, community: int, pages: NDArray[np.uint32]) -> list[tuple[int, float]]:
        """Those of some pages that are in ``colL[g]``, each with its affinity there."""
        return self._col_lists[community].ranks_of(pages)

    @cached_property
    def _rec_lists(self) -> list[RecList]:
        ids = enumerate(self.generation.category_ids)
        return [RecList(self._arrays, category, id_) for category, id_ in ids]

    @cached_property
    def _col_lists(self) -> list[ColList]:
        ids = enumerate(self.generation.community_ids)
        return [ColList(self._arrays, community, id_) for community, id_ in ids]


EMPTY = Model(Generation("", 0, 0, Watermark(), 1.0, (), (), ()), EMPTY_ARRAYS)
"""Before the first batch: a model without a page."""
