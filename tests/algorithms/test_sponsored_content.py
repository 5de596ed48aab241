"""WebR.Sp.Cont: the page's category decides, and nothing else is read while it does."""

from __future__ import annotations

from algorithms import recommend
from tests.algorithms.signals import NOTHING, WEIGHTS, Known, pages


def answer(signals: Known, limit: int = 10) -> tuple[list[str], list[float]]:
    """Path and pages of a sponsored request with the content filter."""
    found = recommend("sponsored", "content", signals, WEIGHTS, limit)
    return found.path, [item.page for item in found.items]


def test_the_category_is_enough() -> None:
    """With a list for the page's category, the community and its lists are never read."""
    signals = Known({"category": 4, "ads_in_rec": pages("ads ∩ recL[c4]", 1, 2, 3)})
    assert answer(signals) == (["WebR.Sp.Cont"], [3, 2, 1])
    assert signals.asked == ["category", "ads_in_rec"]


def test_the_list_is_cut_at_the_end() -> None:
    """What is excluded makes room before the limit cuts."""
    signals = Known(
        {"category": 4, "excluded": {3}, "ads_in_rec": pages("ads ∩ recL[c4]", 1, 2, 3, 4)}
    )
    assert answer(signals, limit=2) == (["WebR.Sp.Cont"], [4, 2])


def test_without_a_category_the_community_is_next() -> None:
    """A page without category passes over to the user's community, and no category is read."""
    signals = Known({"category": None, "community": 2, "ads_in_col": pages("ads ∩ colL[g2]", 5)})
    assert answer(signals) == (["WebR.Sp.Cont", "WebR.Sp.Col"], [5])


def test_an_emptied_list_passes_over() -> None:
    """A list that holds only excluded pages is empty: the user's community is next."""
    signals = Known(
        {
            "category": 4,
            "excluded": {1, 2},
            "ads_in_rec": pages("ads ∩ recL[c4]", 1, 2),
            "community": 2,
            "ads_in_col": pages("ads ∩ colL[g2]", 2, 5),
        }
    )
    assert answer(signals) == (["WebR.Sp.Cont", "WebR.Sp.Col"], [5])
    found = recommend("sponsored", "content", signals, WEIGHTS, 10)
    (passed,) = found.passed_over
    assert passed[1].reason == "nothing is left in ads ∩ recL[c4]"


def test_without_a_community_everybody_is_next() -> None:
    """With neither category nor community the default answers, and no community's list is read."""
    signals = Known({"category": None, "community": None, "ads_in_rec_all": pages("ads ∩ recL", 7)})
    found = recommend("sponsored", "content", signals, WEIGHTS, 10)
    assert found.path == ["WebR.Sp.Cont", "WebR.Sp.Default"]
    assert [passed.reason for _, passed in found.passed_over] == ["the page has no category"]


def test_an_emptied_list_without_a_community() -> None:
    """An empty category of a user without community leads to the default at once."""
    signals = Known(
        {
            "category": 4,
            "ads_in_rec": NOTHING,
            "community": None,
            "ads_in_rec_all": pages("ads ∩ recL", 7),
        }
    )
    assert answer(signals) == (["WebR.Sp.Cont", "WebR.Sp.Default"], [7])
