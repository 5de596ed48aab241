"""/v1/communities."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.service.asking import category_of, community_of, get
from tests.support import world
from tests.support.world import page


def test_the_communities(client: FlaskClient) -> None:
    """The three readerships are the communities, four readers each."""
    listing = get(client, "/v1/communities")
    assert listing.keys() == {"communities", "next"}
    assert [c["size"] for c in listing["communities"]] == [4, 4, 4]
    assert all(c.keys() == {"id", "size"} for c in listing["communities"])


def test_one_community(client: FlaskClient) -> None:
    """A community shows what its members read, best first, and their categories."""
    found = get(client, f"/v1/communities/{community_of(client, 'cooking')}")
    assert found.keys() == {"id", "size", "urls", "cats", "next"}
    assert [u["url"] for u in found["urls"]] == [
        page("cooking", n) for n in (1, 0, 2, 3, 4, 5, 6, 7, 8, 9)
    ] + [world.TEXTLESS_PAGE]
    first = {"url": page("cooking", 1), "visits": 3, "accepts": 1, "rank_score": 6}
    assert found["urls"][0] == first
    assert found["urls"][1]["rank_score"] == 3
    (cat,) = found["cats"]
    assert cat.keys() == {"id", "label", "visits", "accepts"}
    assert (cat["id"], cat["visits"], cat["accepts"]) == (category_of(client, "cooking"), 30, 1)
