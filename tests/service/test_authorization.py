"""Who may do what."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api_keys import KeyFile
from service.app import create_app
from tests.service.problems import problem_of
from tests.support.world import page
from webrec.serving.engine import Engine

SCOPES = ("serve", "ingest", "admin")
NEEDS: list[tuple[str, str, set[str]]] = [
    ("POST", "/v1/recommendations", {"serve"}),
    ("POST", "/v1/events", {"ingest"}),
    ("GET", "/v1/campaigns", {"admin"}),
    ("POST", "/v1/campaigns", {"admin"}),
    ("GET", "/v1/campaigns/x", {"admin"}),
    ("PUT", "/v1/campaigns/x", {"admin"}),
    ("DELETE", "/v1/campaigns/x", {"admin"}),
    ("GET", "/v1/pages", {"admin", "serve"}),
    ("POST", "/v1/pages", {"admin", "serve"}),
    ("GET", "/v1/categories", {"admin", "serve"}),
    ("GET", "/v1/categories/c1", {"admin", "serve"}),
    ("PUT", "/v1/categories/c1/label", {"admin"}),
    ("GET", "/v1/communities", {"admin", "serve"}),
    ("GET", "/v1/communities/g1", {"admin", "serve"}),
    ("GET", "/v1/users", {"admin", "serve"}),
    ("DELETE", "/v1/users", {"admin"}),
    ("GET", "/v1/models", {"admin", "serve"}),
    ("POST", "/v1/models/x/activate", {"admin"}),
]
OPEN = ["/health/live", "/health/ready", "/version", "/metrics", "/openapi.json", "/docs/"]


@pytest.fixture
def keyed(key_of: dict[str, str], engine: Engine) -> Flask:
    """The service with keys; they were made before it started."""
    return create_app(engine)


def test_every_route_is_named_here(app: Flask) -> None:
    """No endpoint under /v1 is left out of the table of scopes above."""
    routes = {
        (method, rule.rule.rpartition("<")[0] or rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert len(routes) == len(NEEDS)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("method", "path", "needed"), NEEDS)
def test_a_key_has_exactly_its_scope(
    keyed: Flask, key_of: dict[str, str], method: str, path: str, needed: set[str], scope: str
) -> None:
    """A key opens what needs its scope and nothing else: admin includes no other."""
    response = keyed.test_client().open(path, method=method, headers={"X-API-Key": key_of[scope]})
    if scope in needed:
        assert response.status_code not in (401, 403)
    else:
        detail = problem_of(response, 403)["detail"]
        assert all(each in detail for each in needed)


@pytest.mark.parametrize(("method", "path", "needed"), NEEDS)
def test_without_a_key(keyed: Flask, method: str, path: str, needed: set[str]) -> None:
    """Where there are keys, one is needed, on this machine too; the answer says which header."""
    for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": "wr_wrong"}, {"X-API-Key": "ä"}):
        response = keyed.test_client().open(path, method=method, headers=headers)
        assert "X-API-Key" in problem_of(response, 401)["detail"]
        assert response.headers["WWW-Authenticate"].lower() == "apikey"


def test_a_problem_shows_no_key(keyed: Flask, key_of: dict[str, str]) -> None:
    """A refused key is not repeated, and no right one is told."""
    headers = {"X-API-Key": "wr_guessed"}
    text = keyed.test_client().get("/v1/models", headers=headers).text
    assert "guessed" not in text
    assert not any(key in text for key in key_of.values())


def test_a_key_with_two_scopes(home: Any, engine: Engine) -> None:
    """A key may name several scopes."""
    key = KeyFile(home / "keys.json").add("both", ["serve", "ingest"])
    client = create_app(engine).test_client()
    headers = {"X-API-Key": key}
    url = page("cooking", 0)
    event = {"type": "visit", "url": url}
    assert client.post("/v1/recommendations", json={"url": url}, headers=headers).status_code == 200
    assert client.post("/v1/events", json=event, headers=headers).status_code == 202
    problem_of(client.get("/v1/campaigns", headers=headers), 403)


@pytest.mark.parametrize("path", OPEN)
def test_operation_needs_no_key(keyed: Flask, path: str) -> None:
    """Health, version, metrics and the documents are open, from other machines too."""
    client = keyed.test_client()
    assert client.get(path).status_code == 200
    far = client.get(path, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert far.status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1"])
def test_no_keys_on_this_machine(client: FlaskClient, address: str) -> None:
    """Where there is no key, this machine needs none."""
    response = client.get("/v1/models", environ_base={"REMOTE_ADDR": address})
    assert response.status_code == 200


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "", "nonsense"])
def test_no_keys_on_another_machine(client: FlaskClient, address: str) -> None:
    """Where there is no key, no other machine is answered, whatever it claims to be."""
    claims = {"X-Forwarded-For": "127.0.0.1", "Host": "localhost"}
    remote = {"REMOTE_ADDR": address}
    problem_of(client.get("/v1/models", environ_base=remote, headers=claims), 403)


def test_a_key_from_another_machine(keyed: Flask, key_of: dict[str, str]) -> None:
    """With a key, the machine is no matter."""
    headers = {"X-API-Key": key_of["serve"]}
    remote = {"REMOTE_ADDR": "192.0.2.1"}
    response = keyed.test_client().get("/v1/models", headers=headers, environ_base=remote)
    assert response.status_code == 200


def test_a_broken_key_file_lets_nobody_in(keyed: Flask, engine: Engine, home: Any) -> None:
    """With a key file that cannot be read nobody is let in, and it is no fault of the sender's."""
    (home / "keys.json").write_text("{")
    response = create_app(engine).test_client().get("/v1/models")
    assert response.status_code >= 500
    assert "keys.json" not in response.text
