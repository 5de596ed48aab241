"""[4] → [5] Scores: what gives pages a number for a visitor, and how the numbers are weighed.

An item's priority is the weighted average of its parts, each in [0, 1]. The campaign's priority is
in the candidates, the visitor's affinity is one number for a whole category; whatever else speaks
for single pages is a `Scorer`.
"""

from __future__ import annotations

from typing import NamedTuple


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
