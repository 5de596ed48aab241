"""[6] The short way of a plain recommendation request: one document in, its answer out.

What a framework does for a request (routing, contexts, response objects) is a third of what it
costs. So one that has nothing unusual about it is answered here, by the same parts. Whatever else
comes goes the long way, whole, as if this were not here: another route, a list, a compressed or
chunked body, a key that is not let in, any problem.
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
from service.auth import SERVE, judge
from service.context import State
from service.process import RECOMMENDATIONS
from service.request_body import ONE_DOCUMENT
from service.responses import JSON, PROBLEM, bug_document, request_id
from webrec.errors import NotJson, UsageError, WebrecError
from webrec.formats.json import read_json

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GZIP_FROM_BYTES = 1_000
GZIP_LEVEL = 1
_UNUSUAL = ("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING")
# as clients write it; what weighs one coding against another is judged on the long way
_TAKES_GZIP = {
    "": False,
    "identity": False,
    "gzip": True,
    "gzip,deflate": True,
    "gzip, deflate": True,
    "gzip, deflate, br": True,
    "gzip, deflate, br, zstd": True,
}

_log = logging.getLogger(__name__)


class Lane:
    """A WSGI application before another one.

    Args:
        long_way: answers whatever is not plain.
        here: the parts behind the routes.
    """

    def __init__(self, long_way: WSGIApplication, here: State) -> None:
        self._long_way = long_way
        self._here = here

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        id_ = request_id(environ)
        status, type_ = "200 OK", JSON
        try:
            body = self._answer(environ) if _is_plain(environ) else None
        except Exception:  # noqa: BLE001 - told as every bug; the visit may be recorded already
            _log.exception("POST %s (%s)", RECOMMENDATIONS, id_)
            status, type_, body = "500 INTERNAL SERVER ERROR", PROBLEM, bug_document(id_)
        if body is None:
            return self._long_way(environ, start_response)
        headers = [("Content-Type", type_), ("Vary", "Accept-Encoding"), ("X-Request-Id", id_)]
        if len(body) >= GZIP_FROM_BYTES and _TAKES_GZIP[environ.get("HTTP_ACCEPT_ENCODING", "")]:
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
            headers.append(("Content-Encoding", "gzip"))
        headers.append(("Content-Length", str(len(body))))
        start_response(status, headers)
        return (body,)

    def _answer(self, environ: WSGIEnvironment) -> bytes | None:
        """The body of the answer; None for the long way, which finds the request as it came."""
        here, began, length = self._here, time.perf_counter(), int(environ["CONTENT_LENGTH"])
        try:
            judge(environ, SERVE, here.keys)
            sent = environ["wsgi.input"].read(length)
        except (HTTPException, UsageError, NoMoreData, ParseException, OSError):
            return None
        try:
            if len(sent) < length:
                raise NotJson("the body broke off")
            found = recommend_timed(here.engine, read_json(sent), began)
        except WebrecError:
            environ["wsgi.input"] = io.BytesIO(sent)  # the long way meets the same, and tells it
            return None
        here.metrics.answered(found, time.perf_counter() - began)
        here.metrics.http(RECOMMENDATIONS, "POST", 200)
        return orjson.dumps(found.document)


def _is_plain(environ: WSGIEnvironment) -> bool:
    return (
        environ["PATH_INFO"] == RECOMMENDATIONS
        and environ["REQUEST_METHOD"] == "POST"
        and environ.get("CONTENT_TYPE") == JSON
        and environ.get("CONTENT_LENGTH", "").isdecimal()
        and int(environ["CONTENT_LENGTH"]) <= ONE_DOCUMENT
        and environ.get("HTTP_ACCEPT_ENCODING", "") in _TAKES_GZIP
        and not any(name in environ for name in _UNUSUAL)
    )
