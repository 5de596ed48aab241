"""[3] Row keys and columns that hold a name, each with its inverse where it has one.

In: a visitor key, a URL, an id. Out: bytes. The keys of large tables are spread evenly, so that
regions share the load.
"""

from __future__ import annotations

import struct
from hashlib import blake2b

from hbase_schema.names import EVENT, PAGE_TEXT

_SALT_BYTES = 1  # 256 salts: one for each region that a table may begin with
_DIGEST_BYTES = 16  # of a name: no two have the same by chance
_POSITION = struct.Struct(">Q")  # big-endian: ordered as the numbers are


def visitor_key(visitor: str) -> bytes:
    """The row of a visitor: one byte of salt, then the visitor key in UTF-8."""
    name = visitor.encode()
    return blake2b(name, digest_size=_SALT_BYTES).digest() + name


def visitor_of(row: bytes) -> str:
    """The visitor key of a row: the inverse of `visitor_key`."""
    return row[_SALT_BYTES:].decode()


def page_key(url: str) -> bytes:
    """The row of a page: 16 bytes of digest, since a URL may be longer than a row key.

    The inverse is in the row: its cell begins with the URL.
    """
    return blake2b(url.encode(), digest_size=_DIGEST_BYTES).digest()


def array_part_key(learner: str, array: str, number: int) -> bytes:
    """The row of a part of an array that a learner learned; the parts of one are in order."""
    return f"{learner}/{array}/{number:05d}".encode()


def array_of(row: bytes) -> tuple[str, str]:
    """The learner and the array of a row of `array_part_key`."""
    learner, array, _ = row.decode().split("/")
    return learner, array


def event_key(event_id: str) -> bytes:
    """The row of an event id: 16 bytes of digest. It only tells repeats, and has no inverse."""
    return blake2b(event_id.encode(), digest_size=_DIGEST_BYTES).digest()


def position(segment: str, number: int) -> bytes:
    """The position of an event in the raw log; within a segment they are ordered as the numbers."""
    return segment.encode() + b":" + _POSITION.pack(number)


def recent_column(segment: str, url: str) -> bytes:
    """The column of a URL in a visitor's recent row, for the events of one segment."""
    return EVENT + segment.encode() + b":" + page_key(url)


def page_text_column(segment: str) -> bytes:
    """The column of a page's text, for the events of one segment."""
    return PAGE_TEXT + segment.encode()


def page_text_segment(column: bytes) -> str:
    """The segment of a column of `page_text_column`."""
    return column[len(PAGE_TEXT) :].decode()


def segment_of(column: bytes) -> str:
    """The segment of a recent column: the part of `recent_column` that has an inverse."""
    return column[len(EVENT) : -_DIGEST_BYTES - 1].decode()
