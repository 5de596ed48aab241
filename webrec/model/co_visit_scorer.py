"""[4] Similarity by co-visits: the pages a visitor saw in, scores of the similar pages out.

A generation holds for each page the pages similar to it, with weights learned from co-visits
(`clustering.similar.learner`), and the intercept: weights of pages that anybody may like, whatever
they saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from algorithms import NO_SCORES, PageScores, Reason
from webrec.domain.types import Arrays
from webrec.model.ragged import span

MOST_SEEN = 10
"""Pages of a visitor that count: those seen last."""

DECAY = 0.95
"""What a page weighs beside the one that was seen next: chosen with `webrec evaluate`, 0.95 and 1
are the same within noise where the order of visits says little."""

_DECAYS = [DECAY**age for age in range(MOST_SEEN)]


class CoVisitScorer:
    """The similar pages of one generation: an `algorithms.Scorer`.

    Args:
        learned: the arrays of `clustering.similar.learner.similar_pages`; empty for a generation
            without.
    """

    def __init__(self, learned: Arrays) -> None:
        self._is_empty = not learned
        if learned:
            self._joint = _SimilarPages.of(learned, "")
            self._alone = _SimilarPages.of(learned, "alone_")
            intercept = learned["start_pages"].tolist(), learned["start_weights"].tolist()
            self._intercept = dict(zip(*intercept, strict=True))

    def scores(self, seen: Sequence[int]) -> PageScores:
        """How similar other pages are to those seen.

        The weights are summed, each times `DECAY` to the power of the position of its page in
        ``seen``; sums below 0 count as 0, and the similarity is the sum divided by the greatest.
        Of one page alone the weights are those of the pages that are visited with it, without the
        intercept.

        Args:
            seen: distinct pages, the last one seen first; only `MOST_SEEN` count.

        Returns:
            `NO_SCORES` where nothing was seen, or no sum is above 0.
        """
        if self._is_empty or not seen:
            return NO_SCORES
        # one by one, in the order of the definition; for some hundreds of numbers this takes half
        # of the time that a dozen calls of numpy do
        sums = {} if len(seen) == 1 else dict(self._intercept)
        get = sums.get
        for _, decay, pages, weights in self._similar_to(seen):
            for page, weight in zip(pages, weights, strict=True):
                sums[page] = get(page, 0.0) + weight * decay
        order = sorted([page for page, total in sums.items() if total > 0], key=sums.__getitem__)
        if not order:
            return NO_SCORES
        order.reverse()
        return PageScores(sums, sums[order[0]], order)

    def reasons(
        self, pages: Iterable[int], seen: Sequence[int], scores: PageScores
    ) -> dict[int, list[Reason]]:
        """Which of the pages seen make each of some pages similar, the greatest share first.

        Args:
            scores: what `scores` gave for ``seen``.
        """
        found: dict[int, list[Reason]] = {page: [] for page in pages}
        if not scores.order:
            return found
        for each, decay, similar, weights in self._similar_to(seen):
            for page, weight in zip(similar, weights, strict=True):
                if weight > 0 and page in found:
                    found[page].append(Reason(each, weight * decay / scores.best))
        for reasons in found.values():
            reasons.sort(key=lambda reason: -reason.share)
        return found

    def _similar_to(
        self, seen: Sequence[int]
    ) -> Iterator[tuple[int, float, list[int], list[float]]]:
        """Each page seen that counts, its decay, and its similar pages with their weights."""
        pages, weights, ends = self._alone if len(seen) == 1 else self._joint
        for page, decay in zip(seen, _DECAYS, strict=False):
            where = span(ends, page)
            yield page, decay, pages[where].tolist(), weights[where].tolist()  # type: ignore[misc]  # floats


class _SimilarPages(NamedTuple):
    """The similar pages of all pages end to end (`webrec.model.ragged`), with their weights."""

    pages: memoryview
    weights: memoryview
    ends: memoryview

    @classmethod
    def of(cls, learned: Arrays, prefix: str) -> _SimilarPages:
        return cls(*(learned[f"{prefix}{name}"].data for name in cls._fields))
