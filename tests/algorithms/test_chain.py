"""Where a request begins, and what the whole chain says of its way."""

from __future__ import annotations

import pytest

from algorithms import Weights, first_algorithm, recommend
from tests.algorithms.signals import NOTHING, Known, Listed


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
