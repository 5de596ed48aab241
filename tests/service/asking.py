"""How the tests ask the service, and what they find in its answers."""

from __future__ import annotations

import json
from typing import Any

from flask.testing import FlaskClient

from tests.support.world import READERS, page

RECOMMENDATIONS = "/v1/recommendations"
BOT = {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}


def ask(client: FlaskClient, **document: Any) -> dict[str, Any]:
    """The answer to a request document."""
    response = client.post(RECOMMENDATIONS, json=document)
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/json"
    answer: dict[str, Any] = response.get_json()
    return answer


def visits(client: FlaskClient, **who: str) -> dict[str, int]:
    """Visits by URL of a visitor; nothing for a stranger."""
    response = client.get("/v1/users", query_string=who)
    if response.status_code == 404:
        return {}
    return {found["url"]: found["visits"] for found in response.get_json()["urls"]}


def padded(document: dict[str, Any], size: int) -> bytes:
    """A document as JSON of exactly so many bytes."""
    body = json.dumps(document | {"padding": ""}).encode()
    return body.replace(b'"padding": ""', b'"padding": "%s"' % (b"x" * (size - len(body))))


def get(client: FlaskClient, path: str, **query: object) -> dict[str, Any]:
    """A good answer to a GET."""
    response = client.get(path, query_string=query)
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/json"
    found: dict[str, Any] = response.get_json()
    return found


def walked(client: FlaskClient, path: str, plural: str, limit: int, name: str = "id") -> list[str]:
    """What a listing gives from its first page to its last."""
    found: list[str] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        listing = client.get(path, query_string=query).get_json()
        part = listing[plural]
        assert len(part) == limit or listing["next"] is None
        found += [item[name] for item in part]
        if listing["next"] is None:
            return found
        query["cursor"] = listing["next"]


def category_of(client: FlaskClient, theme: str) -> str:
    """The id of a theme's category."""
    found = get(client, "/v1/pages", url=page(theme, 0))["category"]["id"]
    assert isinstance(found, str)
    return found


def community_of(client: FlaskClient, theme: str) -> str:
    """The id of a theme's readership."""
    found = get(client, "/v1/users", user=READERS[theme][0][2:])["community"]
    assert isinstance(found, str)
    return found
