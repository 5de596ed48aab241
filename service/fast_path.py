"""[6] The fast path of a plain recommendation request: one document in, its answer out.

What a framework does for a request (routing, contexts, response objects) is a third of what it
costs. So a request that has nothing unusual about it is answered here, by the same parts. Every
other one goes to the Flask application, whole, as if nothing stood before it: another route, a
list, a compressed or chunked body, a key that is not let in, any problem.
"""

from __future__ import annotations

import gzip
import io
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import HTTPException

from service.answers import recommend_timed
from service.auth import SERVE, authorize
from service.context import Context
from service.paths import RECOMMENDATIONS
from service.request_body import ONE_DOCUMENT_BYTES
from service.responses import JSON, PROBLEM, bug_document, request_id
from webrec.errors import NotJson, UsageError, WebrecError
from webrec.formats.json import read_json

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GZIP_FROM_BYTES = 1_000
"""A shorter body is sent as it is: one network packet holds it either way."""

GZIP_LEVEL = 1
"""The fastest: an answer is packed for each request."""

_UNUSUAL_HEADERS = ("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING")
# as clients write it; Flask reads a header that weighs one coding against another
_ACCEPTS_GZIP = {
    "": False,
    "identity": False,
    "gzip": True,
    "gzip,deflate": True,
    "gzip, deflate": True,
    "gzip, deflate, br": True,
    "gzip, deflate, br, zstd": True,
}

_log = logging.getLogger(__name__)


class FastPath:
    """A WSGI application that answers plain requests, and passes all others on.

    Args:
        flask_app: answers every request that is not plain.
        context: what its endpoints share.
    """

    def __init__(self, flask_app: WSGIApplication, context: Context) -> None:
        self._flask_app = flask_app
        self._context = context

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        id_ = request_id(environ)
        status, type_ = "200 OK", JSON
        try:
            body = self._answer(environ) if _is_plain(environ) else None
        except Exception:  # noqa: BLE001 - a bug; Flask might record the visit a second time
            _log.exception("POST %s (%s)", RECOMMENDATIONS, id_)
            status, type_, body = "500 INTERNAL SERVER ERROR", PROBLEM, bug_document(id_)
        if body is None:
            return self._flask_app(environ, start_response)
        headers = [("Content-Type", type_), ("Vary", "Accept-Encoding"), ("X-Request-Id", id_)]
        if len(body) >= GZIP_FROM_BYTES and _ACCEPTS_GZIP[environ.get("HTTP_ACCEPT_ENCODING", "")]:
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
            headers.append(("Content-Encoding", "gzip"))
        headers.append(("Content-Length", str(len(body))))
        start_response(status, headers)
        return (body,)

    def _answer(self, environ: WSGIEnvironment) -> bytes | None:
        """The body of the answer; None for a request that Flask answers: it finds it as it came."""
        started = time.perf_counter()
        context, length = self._context, int(environ["CONTENT_LENGTH"])
        try:
            authorize(environ, SERVE, context.key_file)
            sent = environ["wsgi.input"].read(length)
        except (HTTPException, UsageError, NoMoreData, ParseException, OSError):
            return None
        try:
            if len(sent) < length:
                raise NotJson("the body broke off")
            answer, document = recommend_timed(context.engine, read_json(sent), started)
        except WebrecError:
            environ["wsgi.input"] = io.BytesIO(sent)  # Flask meets the same error, and answers
            return None
        context.metrics.answered(answer, time.perf_counter() - started)
        context.metrics.http(RECOMMENDATIONS, "POST", 200)
        return orjson.dumps(document)


def _is_plain(environ: WSGIEnvironment) -> bool:
    return (
        environ["PATH_INFO"] == RECOMMENDATIONS
        and environ["REQUEST_METHOD"] == "POST"
        and environ.get("CONTENT_TYPE") == JSON
        and environ.get("CONTENT_LENGTH", "").isdecimal()
        and int(environ["CONTENT_LENGTH"]) <= ONE_DOCUMENT_BYTES
        and environ.get("HTTP_ACCEPT_ENCODING", "") in _ACCEPTS_GZIP
        and not any(name in environ for name in _UNUSUAL_HEADERS)
    )
