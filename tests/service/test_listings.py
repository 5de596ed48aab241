"""Limits and cursors of every listing."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.service.asking import category_of, community_of, get, walked
from tests.service.problems import wrong_fields
from tests.support.world import by_total


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 1_000])
def test_listings_walk_everything_once(client: FlaskClient, limit: int) -> None:
    """Cursors lead through every listing without a gap or a repeat."""
    for plural in ("categories", "communities"):
        whole = [found["id"] for found in get(client, f"/v1/{plural}")[plural]]
        assert len(set(whole)) == 3
        assert walked(client, f"/v1/{plural}", plural, limit) == whole
    path = f"/v1/categories/{category_of(client, 'football')}"
    assert walked(client, path, "urls", limit, "url") == by_total("football")
    path = f"/v1/communities/{community_of(client, 'football')}"
    whole = [u["url"] for u in get(client, path)["urls"]]
    assert walked(client, path, "urls", limit, "url") == whole


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "1.0", "", "٣", "999999"])
@pytest.mark.parametrize(
    "path",
    ["/v1/campaigns", "/v1/categories", "/v1/categories/c1", "/v1/communities/g1"],
)
def test_a_limit_that_is_none(client: FlaskClient, path: str, limit: str) -> None:
    """A listing gives from 1 to 1,000."""
    assert wrong_fields(client.get(path, query_string={"limit": limit})) == {"limit"}


@pytest.mark.parametrize(
    "path", ["/v1/categories", "/v1/communities", "/v1/categories/c1", "/v1/communities/g1"]
)
@pytest.mark.parametrize("cursor", ["nonsense", "-1", "9" * 30, "٣"])
def test_a_cursor_that_is_none(client: FlaskClient, path: str, cursor: str) -> None:
    """A cursor that no listing gave is refused."""
    assert wrong_fields(client.get(path, query_string={"cursor": cursor})) == {"cursor"}
