"""Communities and their lists."""

from __future__ import annotations

import pytest

from tests.webrec.admin.site import A, B, D, walked
from webrec.admin.communities import get_community, list_communities
from webrec.serving.engine import Engine


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_communities_are_listed_in_parts(engine: Engine, limit: int) -> None:
    """Communities are listed each once, with their size."""
    found = walked(lambda n, after: list_communities(engine, n, after), limit)
    assert {each["id"]: each["size"] for each in found} == {"g1": 2, "g2": 1}


def test_a_community_shows_its_list(engine: Engine) -> None:
    """A community shows its pages in `colL` order, and its categories, most visited first."""
    found = get_community(engine, "g1", 2, "")
    assert found["urls"] == [
        {"url": B, "visits": 2, "accepts": 1, "rank_score": 5.0},
        {"url": A, "visits": 4, "accepts": 0, "rank_score": 4.0},
    ]
    assert found["cats"] == [
        {"id": "c1", "label": "Label of c1", "visits": 6, "accepts": 1},
        {"id": "c2", "label": "Label of c2", "visits": 0, "accepts": 1},
    ]
    rest = get_community(engine, "g1", 2, found["next"])
    assert [each["url"] for each in rest["urls"]] == [D]
    assert rest["next"] is None
