"""[6] What came in the body of a request: bytes in, JSON values out, within limits."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from flask import request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from webrec.formats.json import iter_ndjson, read_json

KIB = 1024
ONE_DOCUMENT_BYTES = 256 * KIB
MANY_DOCUMENTS_BYTES = 32 * KIB * KIB
"""The longest bodies, unpacked; a worker holds one for each of its threads."""

_READ_BYTES = 64 * KIB
"""How much of a body is read at once."""

NDJSON = "application/x-ndjson"
_JSON_TYPES = ("", "application/json")


class ManyDocuments(NamedTuple):
    """A body of several documents: JSON values, or the error of one that could not be read."""

    documents: list[object]


class OneDocument(NamedTuple):
    """A body of a single document."""

    document: object


def read_one(limit: int = ONE_DOCUMENT_BYTES) -> object:
    """The JSON value in the body.

    Args:
        limit: the longest body, in bytes.

    Raises:
        NotJson: it is none.
        HTTPException: 400, 413 or 415.
    """
    _expect_json(_JSON_TYPES)
    return read_json(_bytes(limit))


def read_one_or_list() -> OneDocument | ManyDocuments:
    """The JSON value in the body: one document, or a list of them."""
    _expect_json(_JSON_TYPES)
    return _one_or_list(_bytes(MANY_DOCUMENTS_BYTES))


def read_any() -> OneDocument | ManyDocuments:
    """One document, a JSON list of them, or NDJSON."""
    _expect_json((*_JSON_TYPES, NDJSON))
    body = _bytes(MANY_DOCUMENTS_BYTES)
    if request.mimetype == NDJSON:
        return ManyDocuments([document for _, document in iter_ndjson(body)])
    return _one_or_list(body)


def read_campaigns() -> list[object]:
    """One campaign document, a JSON list of them, or NDJSON, as a list."""
    _expect_json((*_JSON_TYPES, NDJSON))
    body = _bytes(MANY_DOCUMENTS_BYTES)
    if request.mimetype == NDJSON:
        return [document for _, document in iter_ndjson(body)]
    found = read_json(body)
    return found if isinstance(found, list) else [found]


def _one_or_list(body: bytes) -> OneDocument | ManyDocuments:
    found = read_json(body)
    if isinstance(found, list):
        return ManyDocuments(found)
    if len(body) > ONE_DOCUMENT_BYTES:
        raise RequestEntityTooLarge
    return OneDocument(found)


def _expect_json(types: tuple[str, ...]) -> None:
    # the plain spelling needs no parsing
    if request.environ.get("CONTENT_TYPE") not in types and request.mimetype not in types:
        raise UnsupportedMediaType(
            f"send {' or '.join(t for t in types if t)} and say so in the header Content-Type"
        )


def _bytes(limit: int) -> bytes:
    """The body, unpacked where it came packed."""
    encoding = request.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise UnsupportedMediaType("the only Content-Encoding taken is gzip")
    length = request.content_length
    if (length or 0) > limit:
        raise RequestEntityTooLarge
    try:
        body = b"".join(_read(length, limit))
    except (NoMoreData, ParseException, OSError) as error:
        raise BadRequest("the body broke off, or its chunks are malformed") from error
    if len(body) > limit:
        raise RequestEntityTooLarge
    if length is not None and len(body) < length:
        raise BadRequest("the body is shorter than its Content-Length says: it broke off")
    return b"".join(_unpacked(body, limit)) if "gzip" in encoding else body


def _read(length: int | None, limit: int) -> Iterator[bytes]:
    """The body, and at most a byte more than is allowed: a chunked one does not say its length."""
    if length is None:
        left, stream = limit + 1, request.stream
    else:
        left, stream = length, request.environ["wsgi.input"]
    # in parts, since the stream makes room for as much as it is asked for
    while left and (part := stream.read(min(left, _READ_BYTES))):
        left -= len(part)
        yield part


def _unpacked(body: bytes, limit: int) -> Iterator[bytes]:
    """Unpack gzip, one member after the other, and never more than the limit."""
    size = 0
    while body:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            part = member.decompress(body, limit - size + 1)
        except zlib.error as error:
            raise BadRequest("the body is not gzip, as its Content-Encoding says") from error
        size += len(part)
        if size > limit:
            raise RequestEntityTooLarge
        if not member.eof:
            raise BadRequest("the gzip body broke off")
        yield part
        body = member.unused_data
