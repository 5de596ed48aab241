"""The bound on requests that wait for the store."""

from __future__ import annotations

import pytest
from flask import Blueprint, Flask, abort

from service import bulkhead
from service.bulkhead import Bulkhead
from webrec.errors import StoreUnavailable


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An application of a worker with two threads, whose one place is held during /slow."""
    monkeypatch.setattr(bulkhead, "_TURN_S", 0.01)
    app = Flask("small")
    slow, free = Blueprint("slow", "small"), Blueprint("free", "small")

    @slow.get("/slow/<path:then>")
    def ask_another(then: str) -> str:
        return app.test_client().get(f"/{then}").text

    @slow.get("/broken")
    def broken() -> str:
        abort(418)

    @free.get("/free")
    def at_once() -> str:
        return "answered"

    @app.errorhandler(StoreUnavailable)
    def refused(_: StoreUnavailable) -> str:
        return "refused"

    app.register_blueprint(slow)
    app.register_blueprint(free)
    Bulkhead(2).guard(app, slow)
    return app


def test_half_of_the_threads_may_wait(small: Flask) -> None:
    """A request that finds no place is refused; one to another blueprint needs none."""
    client = small.test_client()
    assert client.get("/slow/slow/free").text == "refused"
    assert client.get("/slow/free").text == "answered"


def test_a_place_is_given_back(small: Flask) -> None:
    """The place of a request is free after its end, whatever that was; a refused one had none."""
    client = small.test_client()
    for _ in range(3):
        assert client.get("/slow/broken").text == "refused"
        assert client.get("/broken").status_code == 418
    assert client.get("/slow/free").text == "answered"


def test_what_waits_for_the_store_is_bounded(app: Flask) -> None:
    """Every resource is bounded but those that answer visitors and the operator's machines."""
    bounded = {name for name in app.before_request_funcs if name is not None}
    open_ = {"recommendations", "events", "operation", "swagger_ui"}
    assert bounded == app.blueprints.keys() - open_
