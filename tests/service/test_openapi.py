"""The OpenAPI document is true: to the routes, and to what they answer to all that it allows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st

from service import openapi
from service.app import create_app
from service.auth import HEADER
from tests import world
from tests.world import page
from webrec.engine import Engine
from webrec.keys import SCOPES, KeyFile

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

_QUIETLY = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
_SEED = 20


class _Forward:
    """The service of the test that runs, for requests that were planned before it began."""

    app: Flask
    key: str
    cases = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.cases += 1
        return self.app(environ, start_response)


_service = _Forward()
api = schemathesis.openapi.from_dict(openapi.document())
api.app = _service


@pytest.fixture(autouse=True)
def service(home: Path, engine: Engine) -> None:
    """The service on the world, with one key for everything."""
    _service.key = KeyFile(home / "keys.json").add("all", SCOPES)
    _service.app = create_app(engine)


@api.parametrize()
@seed(_SEED)
@settings(max_examples=15, **_QUIETLY)
def test_it_answers_as_described(case: schemathesis.Case) -> None:
    """Whatever the document allows is answered, and whatever it forbids refused, as it says."""
    case.call_and_validate(headers={HEADER: _service.key})


@pytest.mark.slow
@api.parametrize()
@seed(_SEED)
@settings(max_examples=300, **_QUIETLY)
def test_it_answers_as_described_for_long(case: schemathesis.Case) -> None:
    """The same, with many more cases."""
    case.call_and_validate(headers={HEADER: _service.key})
