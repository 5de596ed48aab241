"""[4] Similar pages: what a visitor saw in, how similar the other pages are to it out.

A generation holds for each page the pages similar to it, with weights learned from co-visits
(`clustering.similar.learner`), and a list of pages that anybody may like: the similar ones of
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from algorithms import NOTHING_NEAR, Near
from webrec.domain.types import Arrays

MOST_SEEN = 10
"""Pages of a visitor that count: those seen last."""

DECAY = 0.95
"""What a page weighs beside the one that was seen next: chosen with `webrec evaluate`, 0.95 and 1
are the same within noise where the order of visits says little."""

_DECAYS = [DECAY**place for place in range(MOST_SEEN)]


class Reason(NamedTuple):
    """A page the visitor saw, and its share in the similarity of another, above 0."""

    page: int
    share: float


class Similarity:
    """The similar pages of one generation.

    Args:
        space: as `clustering.similar.learner.similar_pages` makes it; empty for a generation
            without.
    """

    def __init__(self, space: Arrays) -> None:
        self._is_empty = not space
        if space:
            self._joint = _Lists(space, "")
            self._alone = _Lists(space, "alone_")
            start = space["start_pages"].tolist(), space["start_weights"].tolist()
            self._start = dict(zip(*start, strict=True))

    def near(self, seen: Sequence[int]) -> Near:
        """How similar other pages are to those seen.

        The weights are summed, each times `DECAY` to the power of the place of its page in
        ``seen``; sums below 0 count as 0, and the similarity is the sum by the greatest. Of one
        page alone the weights are those of the pages that are visited with it.

        Args:
            seen: distinct pages, the last one seen first; only `MOST_SEEN` count.
        """
        if self._is_empty or not seen:
            return NOTHING_NEAR
        # one by one, in the order of the definition; for some hundreds of numbers this takes half
        # of the time that a dozen calls of numpy do
        sums = {} if len(seen) == 1 else dict(self._start)
        get = sums.get
        for _, decay, pages, weights in self._said_by(seen):
            for page, weight in zip(pages, weights, strict=True):
                sums[page] = get(page, 0.0) + weight * decay
        order = sorted([page for page, total in sums.items() if total > 0], key=sums.__getitem__)
        if not order:
            return NOTHING_NEAR
        order.reverse()
        return Near(sums, sums[order[0]], order)

    def reasons(self, pages: Iterable[int], seen: Sequence[int]) -> dict[int, list[Reason]]:
        """Which of the pages seen speak for each of some pages, the strongest first."""
        found: dict[int, list[Reason]] = {page: [] for page in pages}
        near = self.near(seen)
        if not near.order:
            return found
        for each, decay, similar, weights in self._said_by(seen):
            for page, weight in zip(similar, weights, strict=True):
                if weight > 0 and page in found:
                    found[page].append(Reason(each, weight * decay / near.best))
        for reasons in found.values():
            reasons.sort(key=lambda reason: -reason.share)
        return found

    def _said_by(self, seen: Sequence[int]) -> Iterator[tuple[int, float, list[int], list[float]]]:
        """Each page seen that counts, what it weighs, and its similar pages with their weights."""
        lists = self._alone if len(seen) == 1 else self._joint
        for page, decay in zip(seen, _DECAYS, strict=False):
            yield page, decay, *lists.of(page)


class _Lists:
    """The lists of all pages end to end, each with its weights."""

    def __init__(self, space: Arrays, which: str) -> None:
        self._pages: memoryview = space[f"{which}pages"].data
        self._weights: memoryview = space[f"{which}weights"].data
        self._ends: memoryview = space[f"{which}ends"].data

    def of(self, page: int) -> tuple[list[int], list[float]]:
        part = slice(self._ends[page - 1] if page else 0, self._ends[page])
        weights: list[float] = self._weights[part].tolist()  # type: ignore[assignment]  # floats
        return self._pages[part].tolist(), weights
