"""[6] The application factory."""

from __future__ import annotations

import time
from functools import partial

from flask import Flask, Response, g, request
from flask_compress import Compress
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug.exceptions import HTTPException

from service import responses as response
from service.api_keys import KeyFile
from service.bulkhead import Bulkhead
from service.context import Context, current_context
from service.fast_path import GZIP_FROM_BYTES, GZIP_LEVEL, FastPath
from service.metrics import Metrics
from service.routes import (
    campaigns,
    categories,
    communities,
    events,
    models,
    operation,
    pages,
    recommendations,
    users,
)
from webrec.errors import StoreUnavailable, WebrecError
from webrec.serving.engine import Engine

_UNKNOWN_ROUTE = "unknown"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"))
_OTHER_METHOD = "other"
_WAITING_FOR_STORE = (campaigns, categories, communities, models, pages, users)
"""The resources whose requests wait for the store as long as it takes: the bulkhead bounds them."""

_OTHERS = (recommendations, events, operation)


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
    context = Context(engine, KeyFile(engine.settings.keys_path), Metrics(engine))
    context.attach(app.extensions)
    for resource in (*_OTHERS, *_WAITING_FOR_STORE):
        app.register_blueprint(resource.blueprint)
    app.register_blueprint(
        get_swaggerui_blueprint("/docs", "/openapi.json", config={"app_name": "webrec"})
    )
    app.before_request(_begin)
    bulkhead = Bulkhead(engine.settings.threads)
    for resource in _WAITING_FOR_STORE:
        bulkhead.guard(app, resource.blueprint)
    app.after_request(partial(_end, Compress(app)))
    app.register_error_handler(WebrecError, _from_error)
    app.register_error_handler(HTTPException, response.from_http)
    app.register_error_handler(Exception, response.from_bug)
    app.wsgi_app = FastPath(app.wsgi_app, context)  # type: ignore[method-assign]  # as Flask's manual has it
    return app


def _begin() -> None:
    g.started = time.perf_counter()
    g.request_id = response.request_id(request.environ)


def _end(compress: Compress, sent: Response) -> Response:
    if "HTTP_ACCEPT_ENCODING" in request.environ:
        sent = compress.after_request(sent)
    else:
        sent.headers.add("Vary", "Accept-Encoding")
    sent.headers.add("X-Request-Id", g.request_id)
    rule, method = request.url_rule, request.method
    current_context().metrics.http(
        _UNKNOWN_ROUTE if rule is None else rule.rule,
        # a sender can make up methods without end, and each would be a series of its own
        method if method in _METHODS else _OTHER_METHOD,
        sent.status_code,
    )
    return sent


def _from_error(error: WebrecError) -> Response:
    if isinstance(error, StoreUnavailable):
        current_context().metrics.store_error()
    return response.from_error(error)
