"""Where a request begins, and what the whole chain says of its way."""

from __future__ import annotations

import pytest

from algorithms import PageScores, Weights, first_algorithm, recommend
from tests.algorithms.signals import NOTHING, Known, Listed, pages


@pytest.mark.parametrize(
    ("mode", "filter_", "name"),
    [
        ("related", "content", "WebR.Rel.Cont"),
        ("related", "collaborative", "WebR.Rel.Col"),
        ("sponsored", "content", "WebR.Sp.Cont"),
        ("sponsored", "collaborative", "WebR.Sp.Col"),
    ],
)
def test_mode_and_filter_name_the_first(mode: str, filter_: str, name: str) -> None:
    """Each pair begins with the algorithm of its name."""
    assert first_algorithm(mode, filter_) == name


def test_a_path_of_three() -> None:
    """The path is every algorithm entered, and each but the last says why it passed."""
    signals = Known(
        {
            "category": 1,
            "rec": NOTHING,
            "community": 2,
            "col": NOTHING,
            "rec_of": NOTHING,
            "rec_all": NOTHING,
        }
    )
    found = recommend("related", "content", signals, Weights(0.5, 0.5), 10)
    assert found.path == ["WebR.Rel.Cont", "WebR.Rel.Col", "WebR.Rel.Default"]
    assert [name for name, _ in found.passed_over] == found.path[:2]
    assert found.algorithm == found.path[-1]


@pytest.mark.parametrize(("mode", "first"), [("related", 2), ("sponsored", 1)])
def test_weights_are_of_sponsored_lists(mode: str, first: int) -> None:
    """A related list goes by affinity alone, whatever the weights."""
    candidates = Listed("L", [(1, 0, 1.0, 0.9), (2, 0, 2.0, 0.1)])
    signals = Known({"category": 0, "rec": candidates, "ads_in_rec": candidates})
    found = recommend(mode, "content", signals, Weights(1.0, 0.0), 10)
    assert found.items[0].page == first


FILLED = {
    "category": 1,
    "rec": pages("rec", 1, 2, category=1),
    "community": 2,
    "col": pages("col", 2, 3),
    "rec_of": pages("rec_of", 1, 4),
    "rec_all": pages("rec_all", 1, 2, 3, 4, 5, 6),
}
"""Each list of a related request holds something that those before do not."""


@pytest.mark.parametrize(
    ("limit", "shown", "path"),
    [
        (1, [2], ["Cont"]),
        (2, [2, 1], ["Cont"]),
        (3, [2, 1, 3], ["Cont", "Col"]),
        (4, [2, 1, 3, 4], ["Cont", "Col"]),
        (5, [2, 1, 3, 4, 6], ["Cont", "Col", "Default"]),
        (9, [2, 1, 3, 4, 6, 5], ["Cont", "Col", "Default"]),
    ],
)
def test_a_list_is_filled_up(limit: int, shown: list[int], path: list[str]) -> None:
    """By the lists that follow, each in its own order, without repeats, until it is full."""
    found = recommend("related", "content", Known(FILLED), Weights(0.5, 0.5), limit, fill=True)
    assert [item.page for item in found.items] == shown
    assert found.path == [f"WebR.Rel.{name}" for name in path]
    assert found.algorithm == "WebR.Rel.Cont"
    assert found.passed_over == []
    assert found.candidates is FILLED["rec"]


def test_each_part_names_its_algorithm() -> None:
    """Both lists of a Col algorithm are its own."""
    found = recommend("related", "content", Known(FILLED), Weights(0.5, 0.5), 9, fill=True)
    given = [(part.algorithm, [item.page for item in part.items]) for part in found.parts]
    assert given == [
        ("WebR.Rel.Cont", [2, 1]),
        ("WebR.Rel.Col", [3]),
        ("WebR.Rel.Col", [4]),
        ("WebR.Rel.Default", [6, 5]),
    ]


def test_without_fill_a_short_list_stays_short() -> None:
    """And no later list is read."""
    known = Known({"category": 1, "rec": FILLED["rec"]})
    found = recommend("related", "content", known, Weights(0.5, 0.5), 9)
    assert [item.page for item in found.items] == [2, 1]


def test_what_gave_nothing_was_passed_over() -> None:
    """An algorithm that only others filled up for did not build the list."""
    signals = Known(FILLED | {"rec": NOTHING, "excluded": {1, 2, 3, 4}})
    found = recommend("related", "content", signals, Weights(0.5, 0.5), 9, fill=True)
    assert found.algorithm == "WebR.Rel.Default"
    assert [name for name, _ in found.passed_over] == ["WebR.Rel.Cont", "WebR.Rel.Col"]
    assert [item.page for item in found.items] == [6, 5]


def test_nothing_at_all_ends_with_the_default() -> None:
    """As without fill."""
    signals = Known({"category": None, "community": None, "rec_all": NOTHING})
    found = recommend("related", "content", signals, Weights(0.5, 0.5), 9, fill=True)
    assert (found.algorithm, found.items) == ("WebR.Rel.Default", [])


def test_similarity_is_asked_for_only_where_it_weighs() -> None:
    """It costs nothing in the published definition."""
    candidates = Listed("L", [(1, 0, 1.0, 0.0), (2, 0, 2.0, 0.0)])
    signals = Known({"category": 0, "rec": candidates, "similarity_scores": object()})
    found = recommend("related", "content", signals, Weights(0.5, 0.5), 10)
    assert [item.page for item in found.items] == [2, 1]
    scores = PageScores({1: 1.0}, 1.0, [1])
    signals = Known({"category": 0, "rec": candidates, "similarity_scores": scores})
    found = recommend("related", "content", signals, Weights(0.5, 0.5, 1.0), 10)
    assert [item.page for item in found.items] == [1, 2]
