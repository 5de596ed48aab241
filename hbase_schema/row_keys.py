"""[3] Row keys, each with its inverse: spread, so that regions share the load."""

from __future__ import annotations

import struct
from hashlib import blake2b

from hbase_schema.names import EVENT, SAID

_DIGEST_BYTES = 16
_POSITION = struct.Struct(">Q")


def visitor_key(visitor: str) -> bytes:
    """The row of a visitor: one byte of salt, then the visitor key in UTF-8."""
    name = visitor.encode()
    return blake2b(name, digest_size=1).digest() + name


def visitor_of(row: bytes) -> str:
    """The visitor key of a row: the inverse of `visitor_key`."""
    return row[1:].decode()


def page_key(url: str) -> bytes:
    """The row of a page: 16 bytes of digest, since a URL may be longer than a row key.

    The inverse is in the row: its cell begins with the URL.
    """
    return blake2b(url.encode(), digest_size=_DIGEST_BYTES).digest()


def array_part_key(space: str, array: str, number: int) -> bytes:
    """The row of a part of an array of a space."""
    return f"{space}/{array}/{number:05d}".encode()


def array_of(row: bytes) -> tuple[str, str]:
    """The space and the array of a row of `array_part_key`."""
    space, array, _ = row.decode().split("/")
    return space, array


def event_key(event_id: str) -> bytes:
    """The row of an event id: 16 bytes of digest, with no inverse: it only tells repeats."""
    return blake2b(event_id.encode(), digest_size=_DIGEST_BYTES).digest()


def position(segment: str, number: int) -> bytes:
    """A place in the raw log; the order of positions is the order within a segment."""
    return segment.encode() + b":" + _POSITION.pack(number)


def recent_column(segment: str, url: str) -> bytes:
    """The column of a URL in a visitor's recent row, for the events of one segment."""
    return EVENT + segment.encode() + b":" + page_key(url)


def said_column(segment: str) -> bytes:
    """The column of a page's text as a segment has it."""
    return SAID + segment.encode()


def said_in(column: bytes) -> str:
    """The segment of a column of `said_column`."""
    return column[len(SAID) :].decode()


def segment_of(column: bytes) -> str:
    """The segment of a recent column: the part of `recent_column` that has an inverse."""
    return column[len(EVENT) : -_DIGEST_BYTES - 1].decode()
