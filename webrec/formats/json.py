"""JSON and newline-delimited JSON: bytes in, documents out, or where the bytes are no JSON."""

from __future__ import annotations

import io
from collections.abc import Iterator

import orjson

from webrec.errors import NotJson

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""The bytes that some editors put before UTF-8; they are no part of the document."""


def read_json(body: bytes) -> object:
    """Reads one JSON document.

    Raises:
        NotJson: ``body`` is no JSON in UTF-8; the message says where.
    """
    try:
        document: object = orjson.loads(body.removeprefix(BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise NotJson(_fault(body, where, error)) from None
    return document


def iter_ndjson(body: bytes) -> Iterator[tuple[int, object | NotJson]]:
    """Reads newline-delimited JSON.

    Yields:
        The index of the line, from 0 and not counting blank ones, and its document, or the error
        where the line is no JSON.
    """
    index = 0
    for line in io.BytesIO(body.removeprefix(BYTE_ORDER_MARK)):
        if not line.isspace():
            yield index, _read_line(line)
            index += 1


def _read_line(line: bytes) -> object | NotJson:
    try:
        document: object = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return NotJson(_fault(line, f"column {error.colno}", error))
    return document


def _fault(body: bytes, where: str, error: orjson.JSONDecodeError) -> str:
    """What is wrong with ``body``; orjson's error does not say which byte is not UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        return f"byte {wrong.start + 1} is not UTF-8"
    return f"{where}: {error.msg}"
