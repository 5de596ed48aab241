"""[6] The one maker of answers and of problems (RFC 9457)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from webrec.domain.ids import new_id
from webrec.errors import InvalidDocument, Unavailable, WebrecError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_log = logging.getLogger(__name__)

JSON = "application/json"
PROBLEM = "application/problem+json"

Document = dict[str, Any]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def request_id(environ: WSGIEnvironment) -> str:
    """The id that the sender gave a request, where it is one; else a new one."""
    given = environ.get("HTTP_X_REQUEST_ID")
    return given if given is not None and _REQUEST_ID.fullmatch(given) else new_id()


def answer(
    document: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer."""
    response = Response(orjson.dumps(document), status, mimetype=JSON)
    if headers:
        response.headers.update(headers)
    return response


def nothing() -> Response:
    """An answer without a body."""
    return Response(status=204)


def problem_document(error: WebrecError, request_id: str) -> Document:
    """The problem that an error of webrec becomes.

    That of an internal error, or of a part that is away, says nothing of what is inside.
    """
    detail = str(error)
    if isinstance(error, Unavailable):
        detail = error.public_message
    elif error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        detail = _INTERNAL
    return _document(
        error.status,
        error.title,
        detail,
        request_id,
        errors=[{"field": e.field, "message": e.message} for e in error.errors]
        if isinstance(error, InvalidDocument)
        else None,
    )


def problem(document: Document, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as an answer."""
    response = Response(orjson.dumps(document), document["status"], mimetype=PROBLEM)
    if headers:
        response.headers.update(headers)
    return response


def from_error(error: WebrecError) -> Response:
    """The answer to a request that met one of our errors."""
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error(
            "%s %s (%s): %s", request.method, request.path, g.request_id, error, exc_info=error
        )
    headers = {}
    if isinstance(error, Unavailable):
        _log.warning("%s %s (%s): %s", request.method, request.path, g.request_id, error)
        headers["Retry-After"] = str(error.retry_after_s)
    return problem(problem_document(error, g.request_id), headers)


def from_http(error: HTTPException) -> Response:
    """The answer to a request that the framework turned down."""
    if error.code is None:
        return from_bug(error)
    status = HTTPStatus(error.code)
    document = _document(
        status, status.phrase, _DETAILS.get(status, str(error.description)), g.request_id
    )
    kept = {
        name: value
        for name, value in error.get_headers()
        if name in ("Allow", "Location", "WWW-Authenticate", "Retry-After")
    }
    return problem(document, kept)


def bug_document(request_id: str) -> bytes:
    """The body of an answer to a request that met a bug."""
    return orjson.dumps(_document(500, "Internal error", _INTERNAL, request_id))


def from_bug(error: Exception) -> Response:
    """The answer to a request that met a bug: the log has what happened, the answer has not."""
    _log.exception("%s %s (%s)", request.method, request.path, g.request_id, exc_info=error)
    return problem(_document(500, "Internal error", _INTERNAL, g.request_id))


_INTERNAL = "something went wrong here; the service's log has the request id"
_DETAILS = {
    HTTPStatus.NOT_FOUND: "there is nothing at this path: /docs lists what there is",
    HTTPStatus.METHOD_NOT_ALLOWED: "this path does not take this method: see the header Allow",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is too large: see the limits in /docs",
}


def _document(
    status: int,
    title: str,
    detail: str,
    request_id: str,
    *,
    errors: list[dict[str, str]] | None = None,
) -> Document:
    document: Document = {
        "type": "about:blank",
        "title": title,
        "status": int(status),
        "detail": detail,
        "request_id": request_id,
    }
    if errors is not None:
        document["errors"] = errors
    return document
