"""[4] Similar pages: what a visitor saw in, how similar the other pages are to it out.

A generation holds for each page the pages similar to it, with weights learned from co-visits
(`clustering.similarity`), and a list of pages that anybody may like: the similar ones of nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms import NOTHING_NEAR, Near
from webrec.tables import Space

MOST_SEEN = 10
"""Pages of a visitor that count: those seen last."""

DECAY = 0.95
"""What a page weighs beside the one that was seen next: chosen with `webrec evaluate`, 0.95 and 1
are the same within noise where the order of visits says little."""

_DECAYS = np.array([1.0, *(DECAY**place for place in range(MOST_SEEN))])  # the start's, and theirs


class Reason(NamedTuple):
    """A page the visitor saw, and its share in the similarity of another, above 0."""

    page: int
    share: float


class Similarity:
    """The similar pages of one generation.

    Args:
        space: as `clustering.similarity.similar_pages` makes it; empty for a generation without.
    """

    def __init__(self, space: Space) -> None:
        self._is_empty = not space
        if space:
            names = ("pages", "weights", "start_pages", "start_weights")
            # plain arrays: views of mapped ones are costly to make
            self._pages, self._weights, *start = (np.asarray(space[name]) for name in names)
            self._start = start[0], start[1]
            self._ends: memoryview = space["ends"].data

    def of(self, page: int) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """The pages similar to one, and their weights, some of them below 0."""
        part = slice(self._ends[page - 1] if page else 0, self._ends[page])
        return self._pages[part], self._weights[part]

    def near(self, seen: Sequence[int]) -> Near:
        """How similar other pages are to those seen.

        The weights are summed, each times `DECAY` to the power of the place of its page in
        ``seen``; sums below 0 count as 0, and the greatest becomes 1.

        Args:
            seen: distinct pages, the last one seen first; only `MOST_SEEN` count.
        """
        pages, sums = self._sums(seen)
        best = float(sums.max(initial=0.0))
        if best <= 0:
            return NOTHING_NEAR
        liked = sums > 0
        return Near(pages[liked], sums[liked] / best)

    def reasons(self, pages: Iterable[int], seen: Sequence[int]) -> dict[int, list[Reason]]:
        """Which of the pages seen speak for each of some pages, the strongest first."""
        found: dict[int, list[Reason]] = {page: [] for page in pages}
        _, sums = self._sums(seen)
        best = float(sums.max(initial=0.0))
        if best <= 0:
            return found
        for each, decay in zip(seen, _DECAYS[1:].tolist(), strict=False):
            similar, weights = self.of(each)
            for page, weight in zip(similar.tolist(), weights.tolist(), strict=True):
                if weight > 0 and page in found:
                    found[page].append(Reason(each, weight * decay / best))
        for reasons in found.values():
            reasons.sort(key=lambda reason: -reason.share)
        return found

    def _sums(self, seen: Sequence[int]) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
        """Every page that is similar to one seen, ascending, and the sum of its weights."""
        if self._is_empty or not seen:
            return np.empty(0, np.uint32), np.empty(0)
        lists = [self._start, *map(self.of, seen[:MOST_SEEN])]
        lengths = [len(pages) for pages, _ in lists]
        weights = np.concatenate([weights for _, weights in lists])
        pages = np.concatenate([pages for pages, _ in lists])
        # what numpy.unique does, in half of its time
        order = pages.argsort()
        ordered = pages[order]
        is_first = np.empty(len(pages), bool)
        is_first[:1] = True
        np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
        place = np.empty(len(pages), np.intp)
        place[order] = is_first.cumsum()
        # summed one by one in the order of the lists, as the definition says
        sums = np.bincount(place, weights * _DECAYS[: len(lists)].repeat(lengths))[1:]
        return ordered[is_first], sums.astype(float, copy=False)
