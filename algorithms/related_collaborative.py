"""[5] WebR.Rel.Col: the user's community decides."""

from __future__ import annotations

from algorithms.registry import register
from algorithms.signals import Signals
from algorithms.step import (
    NO_COMMUNITY,
    REL_COL,
    REL_CONT,
    REL_DEFAULT,
    Best,
    Built,
    Passed,
    nothing_left,
)


@register(REL_COL, "related", "collaborative")
def related_collaborative(signals: Signals, best: Best) -> Built | Passed:
    """``L = colL[g]``; if empty, the union of ``recL[c]`` over the categories of ``colL[g]``."""
    community = signals.community()
    if community is None:
        return Passed(NO_COMMUNITY, REL_CONT)
    narrow = signals.col(community)
    if items := best(narrow):
        return Built(items, narrow)
    wide = signals.rec_of(community)
    if items := best(wide):
        return Built(items, wide)
    return Passed(f"{nothing_left(narrow)}, nor in {wide.expression}", REL_DEFAULT)
