"""[5] WebR.Sp.Col: the user's community decides."""

from __future__ import annotations

from algorithms.registry import register
from algorithms.signals import Signals
from algorithms.step import (
    NO_COMMUNITY,
    SP_COL,
    SP_CONT,
    SP_DEFAULT,
    Best,
    Built,
    Passed,
    nothing_left,
)


@register(SP_COL, "sponsored", "collaborative")
def sponsored_collaborative(signals: Signals, best: Best) -> Built | Passed:
    """``L = adUrls ∩ colL[g]``; if empty, the ads with one of the categories of ``colL[g]``."""
    community = signals.community()
    if community is None:
        return Passed(NO_COMMUNITY, SP_CONT)
    narrow = signals.ads_in_col(community)
    if items := best(narrow):
        return Built(items, narrow)
    wide = signals.ads_in_rec_of(community)
    if items := best(wide):
        return Built(items, wide)
    return Passed(f"{nothing_left(narrow)}, nor in {wide.expression}", SP_DEFAULT)
