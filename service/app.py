"""[6] The application factory."""

from __future__ import annotations

import time
from functools import partial
from threading import BoundedSemaphore

from flask import Flask, Response, g, request
from flask_compress import Compress
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug.exceptions import HTTPException

from service import responses as response
from service.api_keys import KeyFile
from service.context import State, state
from service.fast_path import GZIP_FROM_BYTES, GZIP_LEVEL, Lane
from service.metrics import Metrics
from service.routes import campaigns, events, model, operation, recommendations
from webrec.errors import StoreUnavailable, WebrecError
from webrec.serving.engine import Engine

_UNKNOWN_ROUTE = "unknown"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"))
_OTHER_METHOD = "other"
_WAIT_THEIR_TURN_S = 0.5


def create_app(engine: Engine) -> Flask:
    """The service over one engine.

    Args:
        engine: opened by the caller, who starts and closes it.
    """
    app = Flask("service", static_folder=None)
    app.config.update(
        COMPRESS_ALGORITHM=["gzip"],
        COMPRESS_MIMETYPES=[response.JSON, response.PROBLEM, "text/plain"],
        COMPRESS_LEVEL=GZIP_LEVEL,
        COMPRESS_MIN_SIZE=GZIP_FROM_BYTES,
        COMPRESS_REGISTER=False,
    )
    # a slash too many makes no redirect: machines do not follow them well
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    here = State(engine, KeyFile(engine.settings.keys_path), Metrics(engine))
    here.attach(app.extensions)
    for group in (recommendations, events, campaigns, model, operation):
        app.register_blueprint(group.blueprint)
    app.register_blueprint(
        get_swaggerui_blueprint("/docs", "/openapi.json", config={"app_name": "webrec"})
    )
    app.before_request(_begin)
    _Patient(engine.settings.threads).guard(app, campaigns.blueprint.name, model.blueprint.name)
    app.after_request(partial(_end, Compress(app)))
    app.register_error_handler(WebrecError, _from_error)
    app.register_error_handler(HTTPException, response.from_http)
    app.register_error_handler(Exception, response.from_bug)
    app.wsgi_app = Lane(app.wsgi_app, here)  # type: ignore[method-assign]  # as Flask's manual has it
    return app


class _Patient:
    """Requests that wait for the store as long as it takes: at most half of the threads.

    While the store hangs, visitors are answered by the others.

    Args:
        threads: of a worker.
    """

    def __init__(self, threads: int) -> None:
        self._room = BoundedSemaphore(max(1, threads // 2))

    def guard(self, app: Flask, *blueprints: str) -> None:
        """Count the requests to some blueprints of an application."""
        for name in blueprints:
            app.before_request_funcs.setdefault(name, []).append(self._enter)
            app.teardown_request_funcs.setdefault(name, []).append(self._leave)

    def _enter(self) -> None:
        if not self._room.acquire(timeout=_WAIT_THEIR_TURN_S):
            raise StoreUnavailable("many requests wait for the store already")
        g.is_inside = True

    def _leave(self, _: BaseException | None) -> None:
        if g.pop("is_inside", False):
            self._room.release()


def _begin() -> None:
    g.began = time.perf_counter()
    g.request_id = response.request_id(request.environ)


def _end(compress: Compress, sent: Response) -> Response:
    if "HTTP_ACCEPT_ENCODING" in request.environ:
        sent = compress.after_request(sent)
    else:
        sent.headers.add("Vary", "Accept-Encoding")
    sent.headers.add("X-Request-Id", g.request_id)
    rule, method = request.url_rule, request.method
    state().metrics.http(
        _UNKNOWN_ROUTE if rule is None else rule.rule,
        # a sender can make up methods without end, and each would be a series of its own
        method if method in _METHODS else _OTHER_METHOD,
        sent.status_code,
    )
    return sent


def _from_error(error: WebrecError) -> Response:
    if isinstance(error, StoreUnavailable):
        state().metrics.store_error()
    return response.from_error(error)
