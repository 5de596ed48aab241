"""[5] WebR.Rel.Cont: the page's category decides."""

from __future__ import annotations

from algorithms.registry import register
from algorithms.signals import Signals
from algorithms.step import (
    NO_CATEGORY,
    REL_COL,
    REL_CONT,
    REL_DEFAULT,
    Best,
    Built,
    Passed,
    nothing_left,
)


@register(REL_CONT, "related", "content")
def related_content(signals: Signals, best: Best) -> Built | Passed:
    """``L = recL[c]``, c the category of the request's URL."""
    category = signals.category()
    if category is None:
        reason = NO_CATEGORY
    else:
        candidates = signals.rec(category)
        if items := best(candidates):
            return Built(items, candidates)
        reason = nothing_left(candidates)
    return Passed(reason, REL_DEFAULT if signals.community() is None else REL_COL)
