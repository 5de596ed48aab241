"""Tests of clustering.pages.labels."""

from __future__ import annotations

import pytest

from clustering.pages.labels import LabelLearner
from clustering.pages.taxonomy import Topic, load


@pytest.fixture(scope="module")
def packaged() -> LabelLearner:
    """With the packaged tree."""
    return LabelLearner(load(None))


@pytest.mark.parametrize(
    ("keywords", "label"),
    [
        (["recipe", "vegan", "chicken", "cheese", "sauce"], "Cooking"),
        (["nasa", "space", "moon", "rocket", "satellite"], "Space and Astronomy"),
        (["soccer", "goal", "league", "striker"], "Soccer"),
        (["programming", "language", "python", "code", "haskell"], "Programming Languages"),
        (["qwxz", "zzgrm", "plk", "vvt"], "Qwxz, zzgrm, plk"),
        ([], "Miscellaneous"),
    ],
)
def test_labels(packaged: LabelLearner, keywords: list[str], label: str) -> None:
    """A topic where one is near, else the keywords, never nothing."""
    assert packaged.suggest([keywords]) == [label]


def test_labels_are_unique(packaged: LabelLearner) -> None:
    """The nearest keeps the plain name, the others add a keyword, and at last a number."""
    near, far = ["soccer", "football", "goal"], ["soccer", "striker", "money"]
    labels = packaged.suggest([far, near, near, [], []])
    assert labels[1] == "Soccer"
    assert len(set(labels)) == 5
    assert labels[0].startswith("Soccer (")
    assert labels[3:] == ["Miscellaneous", "Miscellaneous (2)"]


def test_no_categories_no_labels(packaged: LabelLearner) -> None:
    """Nothing in, nothing out."""
    assert packaged.suggest([]) == []


def test_a_small_tree_of_ones_own() -> None:
    """A few topics will do; a single one has nothing to stand out from."""
    hotels = Topic(("Travel", "Hotels"))
    small = LabelLearner((hotels, Topic(("Cooking",)), Topic(("Soccer",)), Topic(("Law",))))
    assert small.suggest([["hotel", "travel", "room"]]) == ["Hotels"]
    assert LabelLearner((hotels,)).suggest([["hotel", "travel"]]) == ["Hotel, travel"]


def test_a_name_needs_support(packaged: LabelLearner) -> None:
    """Women as such are near "Women's Glasses", but no keyword says anything of glasses."""
    assert packaged.suggest([["women", "female", "girl"]]) == ["Women, female, girl"]


def test_keywords_that_begin_alike_are_shown_once(packaged: LabelLearner) -> None:
    """The label made of keywords does not repeat itself."""
    keywords = ["korea", "korean", "pyongyang", "missile"]
    assert packaged.suggest([keywords]) == ["Korea, pyongyang, missile"]
