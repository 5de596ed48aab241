"""[6] The short way of a plain recommendation request: one document in, its answer out.

What a framework does for a request (routing, contexts, response objects) costs more than half of
what a recommendation itself does. So one that has nothing unusual about it is answered here, by the
same parts. Whatever else comes goes the long way, whole, as if this were not here: another route,
a list, compression, a chunked body, a key that is not let in, any problem.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import HTTPException

from service.answers import recommend_timed
from service.auth import judge
from service.bodies import ONE_DOCUMENT
from service.response import JSON, request_id
from service.state import State
from webrec.documents import read_json
from webrec.errors import UsageError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/v1/recommendations"
SCOPES = ("serve",)
_UNUSUAL = ("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING", "HTTP_ACCEPT_ENCODING")


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
        body = self._answer(environ) if _is_plain(environ) else None
        if body is None:
            return self._long_way(environ, start_response)
        headers = [
            ("Content-Type", JSON),
            ("Content-Length", str(len(body))),
            ("Vary", "Accept-Encoding"),
            ("X-Request-Id", request_id(environ)),
        ]
        start_response("200 OK", headers)
        return (body,)

    def _answer(self, environ: WSGIEnvironment) -> bytes | None:
        """The body of the answer; None for the long way, which finds the request as it came."""
        here, began = self._here, time.perf_counter()
        try:
            judge(environ, SCOPES, here.keys)
            sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        except (HTTPException, UsageError, NoMoreData, ParseException, OSError):
            return None
        try:
            found = recommend_timed(here.engine, read_json(sent), began)
        except Exception:  # noqa: BLE001 - the long way meets it again, and tells it
            environ["wsgi.input"] = io.BytesIO(sent)
            return None
        here.metrics.answered(found, time.perf_counter() - began)
        here.metrics.http(PATH, "POST", 200)
        return orjson.dumps(found.document)


def _is_plain(environ: WSGIEnvironment) -> bool:
    return (
        environ["PATH_INFO"] == PATH
        and environ["REQUEST_METHOD"] == "POST"
        and environ.get("CONTENT_TYPE") == JSON
        and environ.get("CONTENT_LENGTH", "").isdecimal()
        and int(environ["CONTENT_LENGTH"]) <= ONE_DOCUMENT
        and not any(name in environ for name in _UNUSUAL)
    )
