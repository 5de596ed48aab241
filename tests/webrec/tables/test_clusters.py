"""The categories and the communities of a generation."""

from __future__ import annotations

from tests.support.tables import PROFILE, assert_is_profile, numbers
from webrec.tables.rows import CategoryRow
from webrec.tables.tables import Tables


def test_a_category_comes_back_as_written(tables: Tables) -> None:
    """Its list may be empty; None for one that is not in the generation."""
    tables.generations.create("000001")
    tables.categories.put("000001", [("c1", CategoryRow(numbers(), ["kw", "ü"], 0.5))])
    category = tables.categories.get("000001", "c1")
    assert category is not None
    assert (category.urls.tolist(), category.keywords, category.value) == ([], ["kw", "ü"], 0.5)
    assert tables.categories.get("000001", "c2") is None


def test_a_community_comes_back_as_written(tables: Tables) -> None:
    """With its size, empty families included; None for one that is not in the generation."""
    tables.generations.create("000001")
    tables.communities.put("000001", [("g1", PROFILE, 12)])
    community = tables.communities.get("000001", "g1")
    assert community is not None
    assert community[1] == 12
    assert_is_profile(community[0])
    assert tables.communities.get("000001", "g2") is None
