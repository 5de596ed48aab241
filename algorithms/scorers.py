"""[4] → [5] Scores: what gives pages a number for a visitor, and how the numbers are weighed.

An item's priority is the weighted average of its parts, each in [0, 1]. The campaign's priority is
in the candidates, the visitor's affinity is one number for a whole category; whatever else tells
single pages apart is a `Scorer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol


class PageScores(NamedTuple):
    """The few pages that a scorer speaks for; a page's score is its sum divided by the greatest.

    Attributes:
        sums: by page; a page that is missing, or whose sum is not above 0, has the score 0.
        best: the greatest sum.
        order: the pages with a sum above 0, the greatest first.
    """

    sums: Mapping[int, float]
    best: float
    order: Sequence[int]


NO_SCORES = PageScores({}, 1.0, ())
"""Every page has the score 0."""


class Reason(NamedTuple):
    """A page the visitor saw, and its share in the score of another, above 0."""

    page: int
    share: float


class Scorer(Protocol):
    """Gives pages a number for a visitor; `tests.contracts.scorer` holds it to what it promises."""

    def scores(self, seen: Sequence[int], /) -> PageScores:
        """What speaks for pages after some were seen.

        Args:
            seen: distinct pages that the scorer goes by, the last one seen first.

        Returns:
            The same for the same pages; `NO_SCORES` where it has nothing to say.
        """
        ...

    def reasons(
        self, pages: Iterable[int], seen: Sequence[int], scores: PageScores, /
    ) -> Mapping[int, Sequence[Reason]]:
        """Which of the pages seen speak for each of some pages, the greatest share first.

        Args:
            scores: what `scores` gave for ``seen``.

        Returns:
            Every one of ``pages``, with no reason where none of the pages seen speaks for it.
        """
        ...


class Weights(NamedTuple):
    """Weights of campaign priority, of the visitor's affinity and of similarity; not all 0."""

    w_ads: float
    w_aff: float
    w_sim: float = 0.0

    def priority(self, ad_priority: float, affinity: float, similarity: float = 0.0) -> float:
        """The weighted average of the three, in [0, 1] where they are."""
        w_ads, w_aff, w_sim = self
        return (w_ads * ad_priority + w_aff * affinity + w_sim * similarity) / (
            w_ads + w_aff + w_sim
        )

    def related(self) -> Weights:
        """The same without campaigns: without similarity, the priority is the affinity."""
        return Weights(0.0, self.w_aff, self.w_sim) if self.w_sim else RELATED


RELATED = Weights(0.0, 1.0)
"""In related mode, without similarity, an item's priority is the visitor's affinity."""
