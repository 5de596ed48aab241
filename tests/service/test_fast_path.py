"""The fast path: it answers plain requests as Flask would, and takes no others."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client, EnvironBuilder, TestResponse

from service.api_keys import KeyFile
from service.app import create_app
from service.context import Context
from service.fast_path import FastPath
from service.metrics import Metrics
from service.paths import RECOMMENDATIONS as PATH
from tests.service.conftest import OpenEngine
from tests.service.problems import problem_of
from tests.support import world
from tests.support.world import EXPECTED, Expected
from webrec.domain.answers import Answer
from webrec.serving.engine import Engine

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PLAIN = {"url": world.page("cooking", 0), "user": "ann", "track": False}


class FlaskStandIn:
    """A WSGI application that keeps the bodies of the requests that come to it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with a status that nothing else here has."""
        self.bodies.append(environ["wsgi.input"].read())
        start_response("418 I'm a teapot", [])
        return [b""]


@pytest.fixture
def flask_app() -> FlaskStandIn:
    """What stands behind the fast path."""
    return FlaskStandIn()


@pytest.fixture
def fast_path(flask_app: FlaskStandIn, engine: Engine, home: Path) -> Client:
    """A client of the fast path."""
    context = Context(engine, KeyFile(home / "keys.json"), Metrics(engine))
    return Client(FastPath(flask_app, context))


def send(client: Client, body: bytes, **sent: Any) -> TestResponse:
    """One request, plain but for what is said."""
    headers = {"Content-Type": "application/json", **sent.pop("headers", {})}
    environ = {"REMOTE_ADDR": "127.0.0.1", "wsgi.input_terminated": True}
    environ |= sent.pop("environ_overrides", {})
    what = {"path": PATH, "method": "POST", "data": body, **sent}
    return client.open(EnvironBuilder(**what, headers=headers, environ_overrides=environ))


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda e: e.statement[:40])
def test_the_fast_path_answers_as_flask_does(client: FlaskClient, expected: Expected) -> None:
    """Body, status and headers are the same; Flask answers where another coding is asked for."""
    document = expected.request | {"track": False}
    answers = [
        client.post(PATH, json=document, headers=headers)
        for headers in ({"X-Request-Id": "abc"}, {"X-Request-Id": "abc", "Accept-Encoding": "br"})
    ]
    fast, flask = (answer.get_json() | {"id": None, "took_ms": None} for answer in answers)
    assert fast == flask
    one, other = (dict(answer.headers) | {"Content-Length": None} for answer in answers)
    assert one == other
    assert answers[0].status == answers[1].status == "200 OK"


@pytest.mark.parametrize("limit", [1, 10])
def test_the_fast_path_compresses_as_flask_does(client: FlaskClient, limit: int) -> None:
    """Both send a body that is too short to gain by it as it is, and compress a longer one."""
    document = PLAIN | {"limit": limit, "explain": limit > 1}
    answers = [
        client.post(PATH, json=document, headers={"X-Request-Id": "abc", "Accept-Encoding": takes})
        for takes in ("gzip, deflate", "gzip;q=0.5")
    ]
    one, other = (dict(answer.headers) | {"Content-Length": None} for answer in answers)
    assert one == other
    assert ("Content-Encoding" in one) == (limit > 1)
    unpacked = [gzip.decompress(a.data) if limit > 1 else a.data for a in answers]
    fast, flask = (json.loads(body) | {"id": None, "took_ms": None} for body in unpacked)
    assert fast == flask


def test_a_bug_after_the_visit_was_recorded(
    engine: Engine, home: Path, flask_app: FlaskStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug is answered like every other; Flask would record the visit once more."""

    class Broken(Metrics):
        def answered(self, _answer: Answer, _seconds: float) -> None:
            raise RuntimeError("secret")

    context = Context(engine, KeyFile(home / "keys.json"), Broken(engine))
    client = Client(FastPath(flask_app, context))
    answer = send(client, json.dumps(PLAIN).encode(), headers={"X-Request-Id": "abc"})
    problem_of(answer, 500)
    assert b"secret" not in answer.data
    assert "secret" in caplog.text
    assert "abc" in caplog.text
    assert flask_app.bodies == []


def test_a_plain_request_is_answered_at_once(fast_path: Client, flask_app: FlaskStandIn) -> None:
    """A plain request is answered without Flask, with an id of its own where it came with none."""
    first, second = (send(fast_path, json.dumps(PLAIN).encode()) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert len(json.loads(first.data)["items"]) > 0
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert flask_app.bodies == []


@pytest.mark.parametrize(
    "sent",
    [
        {"method": "PUT"},
        {"path": "/v1/events"},
        {"path": PATH + "/"},
        {"headers": {"Content-Type": "text/plain"}},
        {"headers": {"Content-Encoding": "gzip"}},
        {"headers": {"Accept-Encoding": "gzip;q=0"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"headers": {"X-Forwarded-For": "203.0.113.1"}},
    ],
    ids=str,
)
def test_what_is_unusual_goes_to_flask(
    fast_path: Client, flask_app: FlaskStandIn, sent: dict[str, Any]
) -> None:
    """Flask answers a request with something unusual about it, and gets its body as it came."""
    body = json.dumps(PLAIN).encode()
    assert send(fast_path, body, **sent).status_code == 418
    assert flask_app.bodies == [body]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        json.dumps([PLAIN]).encode(),
        json.dumps(PLAIN | {"limit": 0}).encode(),
        json.dumps(PLAIN | {"unread": "x" * (256 << 10)}).encode(),
        gzip.compress(json.dumps(PLAIN).encode()),
    ],
    ids=lambda body: str(body[:20]),
)
def test_what_is_no_plain_document_goes_to_flask(
    fast_path: Client, flask_app: FlaskStandIn, body: bytes
) -> None:
    """Flask answers a body that is no good single document, and finds it whole."""
    assert send(fast_path, body).status_code == 418
    assert flask_app.bodies == [body]


def test_a_body_that_broke_off_goes_to_flask(fast_path: Client, flask_app: FlaskStandIn) -> None:
    """Flask answers a body that is shorter than announced, though what came is a document."""
    body = json.dumps(PLAIN).encode()
    environ = {"CONTENT_LENGTH": str(len(body) + 1)}
    assert send(fast_path, body, environ_overrides=environ).status_code == 418
    assert flask_app.bodies == [body]


def test_a_key_that_is_not_let_in_goes_to_flask(
    fast_path: Client, flask_app: FlaskStandIn, home: Path
) -> None:
    """Flask refuses a request without a key, with one of another scope, and with an unknown one."""
    key_file = KeyFile(home / "keys.json")
    wrong, right = (key_file.add(scope, [scope]) for scope in ("ingest", "serve"))
    body = json.dumps(PLAIN).encode()
    for headers in ({}, {"X-API-Key": wrong}, {"X-API-Key": "wr_nobody"}):
        assert send(fast_path, body, headers=headers).status_code == 418
    assert send(fast_path, body, headers={"X-API-Key": right}).status_code == 200
    assert len(flask_app.bodies) == 3


def test_a_refused_request_is_counted_once(home: Path, open_engine: OpenEngine) -> None:
    """A request is counted once, whether the fast path, Flask or both have seen it."""
    client = create_app(open_engine(home=home)).test_client()
    assert client.post(PATH, json=PLAIN | {"limit": 0}).status_code == 422
    assert client.post(PATH, json=PLAIN).status_code == 200
    assert client.post(PATH, json=PLAIN, headers={"Accept-Encoding": "br"}).status_code == 200
    lines = [n for n in client.get("/metrics").text.splitlines() if not n.startswith("#")]
    counted = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}
    route = 'webrec_http_requests_total{method="POST",route="/v1/recommendations",status='
    assert counted[route + '"422"}'] == 1
    assert counted[route + '"200"}'] == 2
    seconds = [v for n, v in counted.items() if n.startswith("webrec_request_seconds_count")]
    assert sum(seconds) == 3
