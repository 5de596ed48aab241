"""WebR.Sp.Default: what is best for anybody."""

from __future__ import annotations

from algorithms import Candidates, recommend
from algorithms.ranking import Item, rank
from algorithms.sponsored_default import sponsored_default
from tests.algorithms.signals import NOTHING, WEIGHTS, Known, pages


def test_it_reads_one_list() -> None:
    """The default asks for nothing but its own list."""
    signals = Known({"ads_in_rec_all": pages("ads ∩ recL", 1, 7)})

    def best(candidates: Candidates) -> list[Item]:
        return rank(candidates, {}, WEIGHTS, (), 10)

    built = sponsored_default(signals, best)
    assert [item.page for item in built.items] == [7, 1]
    assert signals.asked == ["ads_in_rec_all"]


def test_it_may_be_empty() -> None:
    """With nothing left the default still answers, with an empty list."""
    signals = Known({"category": None, "community": None, "ads_in_rec_all": NOTHING})
    found = recommend("sponsored", "content", signals, WEIGHTS, 10)
    assert found.items == []
    assert found.algorithm == "WebR.Sp.Default"
