"""Every refusal is a problem document, whoever refuses."""

from __future__ import annotations

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.service.problems import problem_of
from webrec.serving.engine import Engine


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/events", "/v1//events", "/v1/events/x", "/%00"])
def test_no_such_path(client: FlaskClient, path: str) -> None:
    """A path that is none is 404."""
    problem_of(client.get(path), 404)


def test_a_slash_at_the_end(client: FlaskClient) -> None:
    """A slash too many at the end is no matter, and makes no redirect."""
    assert client.get("/v1/categories/").status_code == 200


def test_every_route_refuses_other_methods(app: Flask, client: FlaskClient) -> None:
    """A method that a path does not take is 405 and Allow names those it does."""
    allowed: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        allowed.setdefault(rule.rule, set()).update(rule.methods or ())
    for route, methods in allowed.items():
        path = route.replace("<path:path>", "index.html")
        path = path.replace("<", "").replace(">", "")
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"} - methods:
            response = client.open(path, method=method)
            problem_of(response, 405)
            assert {m.strip() for m in response.headers["Allow"].split(",")} == methods


def test_head_and_options(client: FlaskClient) -> None:
    """HEAD is GET without a body, and OPTIONS names the methods."""
    response = client.head("/v1/categories")
    assert (response.status_code, response.data) == (200, b"")
    assert int(response.headers["Content-Length"]) > 0
    assert "POST" in client.options("/v1/events").headers["Allow"]


def test_the_request_id(client: FlaskClient) -> None:
    """A sender's request id comes back, on answers and problems; a strange one is replaced."""
    sent = {"X-Request-Id": "trace.1_2-3"}
    assert client.get("/version", headers=sent).headers["X-Request-Id"] == "trace.1_2-3"
    assert problem_of(client.get("/none", headers=sent), 404)["request_id"] == "trace.1_2-3"
    for strange in ("", "a b", "<script>", "x" * 129, "ä"):
        answer = client.get("/version", headers={"X-Request-Id": strange})
        assert answer.headers["X-Request-Id"] not in ("", strange)
    ids = {client.get("/version").headers["X-Request-Id"] for _ in range(10)}
    assert len(ids) == 10


def test_a_bug_shows_nothing_of_the_inside(
    client: FlaskClient, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong inside is in the log with its request id, and not in the answer."""
    engine.tables.store.put_many("campaigns", [(b"torn", {b"m:doc": b'{"secret": '})])
    with caplog.at_level(logging.ERROR):
        response = client.get("/v1/campaigns/torn")
    document = problem_of(response, 500)
    assert document["title"] == "Internal error"
    engine.tables.store.put_many("campaigns", [(b"other", {b"m:doc": b"\xff"})])
    assert problem_of(client.get("/v1/campaigns/other"), 500)["detail"] == document["detail"]
    for inside in ("secret", "JSON", "Traceback", ".py", "orjson", "torn"):
        assert inside not in response.text
    assert "JSONDecodeError" in caplog.text
    assert document["request_id"] in caplog.text
