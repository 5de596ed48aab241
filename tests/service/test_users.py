"""/v1/users."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.service.asking import ask, category_of, get, visits
from tests.service.problems import problem_of, wrong_fields
from tests.support import world
from tests.support.running import batch
from tests.support.world import page
from webrec.serving.engine import Engine


def test_a_user(client: FlaskClient) -> None:
    """A profile has the visitor's community, pages and categories, most visited first."""
    client.post("/v1/events", json={"type": "visit", "url": page("cooking", 6), "user": "dilan"})
    found = get(client, "/v1/users", user="dilan")
    assert found.keys() == {"community", "community_source", "urls", "cats"}
    assert found["community_source"] == "batch"
    assert found["community"] == get(client, "/v1/users", user="edith")["community"]
    assert found["urls"][0] == {"url": page("cooking", 6), "visits": 2, "accepts": 0}
    assert found["urls"][1] == {"url": page("cooking", 1), "visits": 1, "accepts": 1}
    (cat,) = found["cats"]
    assert (cat["id"], cat["visits"], cat["accepts"]) == (category_of(client, "cooking"), 8, 1)


def test_users_and_addresses_are_separate_name_spaces(client: FlaskClient) -> None:
    """A login id that looks like an address is not that address; an address has one spelling."""
    assert get(client, "/v1/users", ip="192.0.2.4")["community"] is not None
    problem_of(client.get("/v1/users?user=192.0.2.4"), 404)
    problem_of(client.get("/v1/users?user=i:192.0.2.4"), 404)
    short, long = "2001:db8::c", "2001:0DB8:0:0:0:0:0:C"
    assert get(client, "/v1/users", ip=short) == get(client, "/v1/users", ip=long)
    assert get(client, "/v1/users", user="anna", ip="192.0.2.8") == get(
        client, "/v1/users", user="anna"
    )


def test_whom_to_name(client: FlaskClient) -> None:
    """A visitor is named by a user or an address that can be one."""
    assert wrong_fields(client.get("/v1/users")) == {"user"}
    assert wrong_fields(client.get("/v1/users?user=")) == {"user"}
    assert wrong_fields(client.get("/v1/users", query_string={"user": "x" * 257})) == {"user"}
    assert wrong_fields(client.get("/v1/users?ip=1.2.3")) == {"ip"}
    assert wrong_fields(client.get("/v1/users?user=&ip=1.2.3")) == {"user", "ip"}
    assert wrong_fields(client.delete("/v1/users")) == {"user"}
    problem_of(client.get("/v1/users", query_string={"user": "x" * 256}), 404)


def test_the_newcomer_has_no_community(client: FlaskClient) -> None:
    """Two visits make a profile without a community."""
    assert get(client, "/v1/users", user="nora")["community"] is None


def test_forgetting_is_at_once_and_for_good(client: FlaskClient, engine: Engine) -> None:
    """A forgotten visitor is a stranger at once, for recommendations too, and after a batch."""
    request = {"url": world.STRANGER_PAGE, "user": "anna", "track": False}
    client.post("/v1/events", json={"type": "visit", "url": page("football", 1), "user": "anna"})
    assert ask(client, **request)["algorithm"] == "WebR.Rel.Col"
    response = client.delete("/v1/users?user=anna")
    assert (response.status_code, response.data) == (204, b"")
    problem_of(client.get("/v1/users?user=anna"), 404)
    assert ask(client, **request)["algorithm"] == "WebR.Rel.Default"
    batch(engine)
    problem_of(client.get("/v1/users?user=anna"), 404)
    affinity = get(client, "/v1/pages", url=page("astronomy", 1))["affinity"]
    assert affinity == 6 - 1 * 3 - 1


def test_a_forgotten_visitor_may_come_back(client: FlaskClient) -> None:
    """What happens after forgetting counts again, and only that."""
    client.delete("/v1/users?user=anna")
    ask(client, url=page("football", 1), user="anna")
    assert visits(client, user="anna") == {page("football", 1): 1}


def test_forgetting_a_stranger(client: FlaskClient) -> None:
    """Nobody need be known to be forgotten."""
    assert client.delete("/v1/users?ip=203.0.113.9").status_code == 204
