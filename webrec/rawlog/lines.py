"""[1] A record as a line of its segment and back: newline-delimited JSON, on every back end.

Writing, a `Record` comes in and bytes go out; reading, lines or pieces of a file come in and
records go out, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from webrec.domain.types import Event
from webrec.rawlog.base import Record

PIECE_BYTES = 1 << 18
"""Bytes of a piece that is sent at a time: worth a system call, and little memory."""

_OPTIONAL = ("event_id", "title", "keywords", "description", "bot", "answer", "environment")


def line_of(record: Record) -> bytes:
    """One record as a line of its segment; what is empty is left out."""
    event = record.event
    document: dict[str, Any] = {
        "n": record.number,
        "received_us": record.received_us,
        "type": event.kind,
        "url": event.url,
        "visitor": event.visitor,
        "at_ms": event.at_ms,
    }
    for name in _OPTIONAL:
        if value := getattr(event, name):
            document[name] = value
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def records_of(
    lines: Iterable[bytes], segment: str, broken: Callable[[], None] | None
) -> Iterator[Record]:
    """The records of a segment's lines, in order.

    Args:
        broken: called for each line that cannot be read.
    """
    for line in lines:
        try:
            record = _record(segment, line)
        except (ValueError, KeyError, TypeError):
            if broken is not None:
                broken()
            continue
        yield record


def _record(segment: str, line: bytes) -> Record:
    document = orjson.loads(line)
    event = Event(
        document["type"],
        document["url"],
        document["visitor"],
        document["at_ms"],
        document.get("event_id"),
        document.get("title", ""),
        tuple(document.get("keywords", ())),
        document.get("description", ""),
        document.get("bot", False),
        document.get("answer"),
        document.get("environment", {}),
    )
    return Record(segment, document["n"], document["received_us"], event)


def join_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines in pieces that are worth sending."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file that comes in pieces; a last one without an end, too."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest
