"""The OpenAPI document is true: to the routes, and to what they answer to all that it allows."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st

from service.api_keys import SCOPES, KeyFile
from service.app import create_app
from service.auth import HEADER
from service.openapi.document import openapi_document
from service.request_body import ONE_DOCUMENT_BYTES
from tests.service.test_authorization import NEEDS
from tests.support import world
from tests.support.world import page
from webrec.formats.times import MAX_TIME_MS
from webrec.serving.engine import Engine

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

# What a schema cannot say of a URL: that its host is one, that its port is a number up to 65,535.
# The generated ones are good, and some are the world's own pages.
_HOST = st.from_regex(r"[a-z]{1,10}(-[a-z]{1,5})?\.(example|test)", fullmatch=True)
_TAIL = st.text(max_size=30).map(lambda text: quote(text, safe="/?&=;:@"))
_URLS = st.one_of(
    st.sampled_from([page("cooking", 1), page("football", 3), world.STRANGER_PAGE]),
    st.builds("{}://{}/{}".format, st.sampled_from(["http", "https"]), _HOST, _TAIL),
)
schemathesis.openapi.format("uri", _URLS)

_QUIETLY: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
_SEED = 20


class _Forward:
    """The service of the test that runs, for requests that were planned before it began."""

    app: Flask
    key: str
    requests = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.requests += 1
        return self.app(environ, start_response)


_service = _Forward()
# The coverage phase builds strings of the greatest length by pattern, which takes minutes for a
# URL of 8,192 characters: operations that take URLs have the fuzzing phase only. Their lengths are
# tested at the edge beside their endpoints.
_TAKING_URLS = [
    {"include-path": path, "phases": {"coverage": {"enabled": False}}}
    for path in ("/v1/recommendations", "/v1/events", "/v1/campaigns", "/v1/campaigns/{id}")
] + [{"include-path": "/v1/pages", "phases": {"coverage": {"enabled": False}}}]
_CONFIG = schemathesis.Config.from_dict(
    {
        "operations": _TAKING_URLS,
        "generation": {"with-security-parameters": False},  # the key is given
        "analysis": {"constants": {"enabled": False}},  # the tests' own strings are no URLs
    }
)


def _for_generation(node: Any) -> Any:
    """The document without what no schema describes so that examples could be made by it.

    URLs are made by their format alone: a pattern beside it would make the strings. A cursor is
    whatever a listing gave: `tests.service.test_listings` walks them.
    """
    if isinstance(node, list):
        found = [each for each in node if not (isinstance(each, dict) and _is_cursor(each))]
        return [_for_generation(each) for each in found]
    if not isinstance(node, dict):
        return node
    kept = {k: v for k, v in node.items() if k != "pattern" or node.get("format") != "uri"}
    return {name: _for_generation(value) for name, value in kept.items()}


def _is_cursor(parameter: dict[str, Any]) -> bool:
    return parameter.get("name") == "cursor" and parameter.get("in") == "query"


api = schemathesis.openapi.from_dict(_for_generation(openapi_document()), config=_CONFIG)
api.app = _service


@api.hook
def filter_body(context: schemathesis.HookContext, body: object) -> bool:
    """Leave out what a schema cannot judge: the whole body's length, and days that are none."""
    documents = body if isinstance(body, list) else [body]
    if not all(_has_good_times(each) for each in documents if isinstance(each, dict)):
        return False
    return len(json.dumps(body, default=str)) <= ONE_DOCUMENT_BYTES


@api.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Leave out a campaign that names another id than its path."""
    if context.operation.path != "/v1/campaigns/{id}" or not isinstance(case.body, dict):
        return True
    return case.body.get("id") in (None, case.path_parameters["id"])


@api.hook
def filter_query(context: schemathesis.HookContext, query: dict[str, Any] | None) -> bool:
    """Leave out visitors named in no way: OpenAPI cannot say "one of the two"."""
    if context.operation.path != "/v1/users":
        return True
    return bool(query) and bool({"user", "ip"} & set(query))  # type: ignore[arg-type]


def _has_good_times(document: dict[str, Any]) -> bool:
    times = {n: _moment(document[n]) for n in ("timestamp", "starts", "ends") if n in document}
    if "bad" in times.values():
        return False
    found = {name: float(moment) for name, moment in times.items() if moment is not None}
    if found.get("timestamp", 0) > time.time() * 1000:
        return False
    return round(found.get("starts", 0)) < round(found.get("ends", MAX_TIME_MS))


_FAR = 10**18


def _moment(given: object) -> float | str | None:
    """Milliseconds since 1970; None for what is no time by the schema, "bad" for no day."""
    if isinstance(given, str):
        try:
            moment = datetime.fromisoformat(given.upper())
        except ValueError:
            return "bad"
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    given = max(-_FAR, min(given, _FAR))  # beyond any date, and still a number that rounds
    return given if given >= 100_000_000_000 else given * 1000


@pytest.fixture(autouse=True)
def service(home: Path, engine: Engine, request: pytest.FixtureRequest) -> Iterator[None]:
    """The service on the world, with one key for everything; reports how often it was asked."""
    _service.key = KeyFile(home / "keys.json").add("all", SCOPES)
    _service.app = create_app(engine)
    _service.requests = 0
    yield
    request.node.user_properties.append(("requests", _service.requests))  # for JUnit reports


def _headers() -> dict[str, str]:
    # in one process there is nobody between who would unpack an answer
    return {HEADER: _service.key, "Accept-Encoding": "identity"}


@api.parametrize()
@seed(_SEED)
@settings(max_examples=15, **_QUIETLY)
def test_it_answers_as_described(case: schemathesis.Case[Any]) -> None:
    """Whatever the document allows is answered, and whatever it forbids refused, as it says."""
    case.call_and_validate(headers=_headers())


@pytest.mark.slow
@api.parametrize()
@seed(_SEED)
@settings(max_examples=300, **_QUIETLY)
def test_it_answers_as_described_for_long(case: schemathesis.Case[Any]) -> None:
    """Hundreds of requests to each operation are answered as the document says."""
    case.call_and_validate(headers=_headers())


def test_every_route_is_described_and_every_description_is_a_route(client: FlaskClient) -> None:
    """The document and the routes have the same paths and methods; only its viewer is left out."""
    routes = {
        (re.sub("<.*?>", "{id}", rule.rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        if not rule.rule.startswith("/docs")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    paths = client.get("/openapi.json").get_json()["paths"]
    described = {
        (path, method) for path, item in paths.items() for method in item if method != "parameters"
    }
    assert routes == described


def test_the_document_is_openapi_3_1_and_names_the_scopes(client: FlaskClient) -> None:
    """Operations under /v1 need the key and say which scope; the others need none."""
    document = client.get("/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert bool(operation["security"]) == path.startswith("/v1")
            assert ("Scope" in operation.get("description", "")) == path.startswith("/v1")


@pytest.mark.parametrize(("method", "path", "needed"), NEEDS)
def test_the_scopes_described_are_those_needed(
    client: FlaskClient, method: str, path: str, needed: set[str]
) -> None:
    """The scope an operation names is the one that opens it."""
    described = re.sub("/(x|c1|g1)(?=/|$)", "/{id}", path)
    operation = client.get("/openapi.json").get_json()["paths"][described][method.lower()]
    assert set(re.findall("serve|ingest|admin", operation["description"])) == needed
