"""WebR.Sp.Col: the user's community decides, and the page is not even looked up."""

from __future__ import annotations

from algorithms import recommend
from tests.algorithms.signals import NOTHING, WEIGHTS, Known, pages


def answer(signals: Known) -> tuple[list[str], list[float]]:
    """Path and pages of a sponsored request with the collaborative filter."""
    found = recommend("sponsored", "collaborative", signals, WEIGHTS, 10)
    return found.path, [item.page for item in found.items]


def test_the_community_is_enough() -> None:
    """With a list for the community, neither the page's category nor a wider list is read."""
    signals = Known({"community": 2, "ads_in_col": pages("ads ∩ colL[g2]", 1, 2, 3)})
    assert answer(signals) == (["WebR.Sp.Col"], [3, 2, 1])
    assert signals.asked == ["community", "ads_in_col"]


def test_the_categories_of_the_community_are_next() -> None:
    """Where the narrow list is emptied, the same algorithm goes wider."""
    signals = Known(
        {
            "community": 2,
            "excluded": {1},
            "ads_in_col": pages("ads ∩ colL[g2]", 1),
            "ads_in_rec_of": pages("wide", 1, 8),
        }
    )
    assert answer(signals) == (["WebR.Sp.Col"], [8])
    assert (
        recommend("sponsored", "collaborative", signals, WEIGHTS, 10).candidates.expression
        == "wide"
    )


def test_everybody_is_next() -> None:
    """With both lists empty the default answers; the page's category is never read."""
    signals = Known(
        {
            "community": 2,
            "ads_in_col": NOTHING,
            "ads_in_rec_of": NOTHING,
            "ads_in_rec_all": pages("ads ∩ recL", 7),
        }
    )
    found = recommend("sponsored", "collaborative", signals, WEIGHTS, 10)
    assert found.path == ["WebR.Sp.Col", "WebR.Sp.Default"]
    assert [item.page for item in found.items] == [7]
    assert [passed.reason for _, passed in found.passed_over] == ["nothing is left in ∅, nor in ∅"]


def test_without_a_community_the_category_is_next() -> None:
    """A user without community gets what the page's category gives."""
    signals = Known({"community": None, "category": 4, "ads_in_rec": pages("ads ∩ recL[c4]", 6)})
    found = recommend("sponsored", "collaborative", signals, WEIGHTS, 10)
    assert found.path == ["WebR.Sp.Col", "WebR.Sp.Cont"]
    assert [passed.reason for _, passed in found.passed_over] == ["the user has no community"]


def test_the_jump_to_the_category_does_not_come_back() -> None:
    """Without community and category the default follows, once."""
    signals = Known({"community": None, "category": None, "ads_in_rec_all": pages("ads ∩ recL", 7)})
    assert answer(signals) == (["WebR.Sp.Col", "WebR.Sp.Cont", "WebR.Sp.Default"], [7])
