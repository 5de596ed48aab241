"""[5] WebR.Sp.Cont: the page's category decides."""

from __future__ import annotations

from algorithms.registry import register
from algorithms.signals import Signals
from algorithms.step import (
    NO_CATEGORY,
    SP_COL,
    SP_CONT,
    SP_DEFAULT,
    Best,
    Built,
    Passed,
    nothing_left,
)


@register(SP_CONT, "sponsored", "content")
def sponsored_content(signals: Signals, best: Best) -> Built | Passed:
    """``L = adUrls ∩ recL[c]``, c the category of the request's URL."""
    category = signals.category()
    if category is None:
        reason = NO_CATEGORY
    else:
        candidates = signals.ads_in_rec(category)
        if items := best(candidates):
            return Built(items, candidates)
        reason = nothing_left(candidates)
    return Passed(reason, SP_DEFAULT if signals.community() is None else SP_COL)
