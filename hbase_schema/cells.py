"""[3] Cell encodings, each beside its inverse.

Packed arrays are little-endian, so that a reader can look into them where they lie; single counters
are big-endian, as HBase's are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint32]

CHUNK_NUMBERS = 100_000
"""Numbers per cell: three columns of four bytes keep a cell below 1.2 MB, and a put below the 2 MB
that a framed Thrift server accepts."""

_PAGE = struct.Struct("<IiQQ")
_RECENT = struct.Struct("<QQII")


class PageCell(NamedTuple):
    """A page of a generation; ``category`` is the category's number, -1 for none."""

    url: str
    number: int
    category: int
    visits: int
    accepts: int


def pack_page(page: PageCell) -> bytes:
    """Encode a page's row."""
    return _PAGE.pack(page.number, page.category, page.visits, page.accepts) + page.url.encode()


def unpack_page(cell: bytes) -> PageCell:
    """Decode a page's row."""
    number, category, visits, accepts = _PAGE.unpack_from(cell)
    return PageCell(cell[_PAGE.size :].decode(), number, category, visits, accepts)


def pack_columns(family: bytes, columns: Sequence[Numbers]) -> Iterator[tuple[bytes, bytes]]:
    """Encode parallel arrays of equal length as cells ``family:00000``, ``family:00001``, ….

    Args:
        columns: uint32 arrays of shape (n,). With n = 0 there is one empty cell.
    """
    n = len(columns[0])
    for index, start in enumerate(range(0, max(n, 1), CHUNK_NUMBERS)):
        part = [np.ascontiguousarray(c[start : start + CHUNK_NUMBERS], "<u4") for c in columns]
        yield chunk_column(family, index), b"".join(c.tobytes() for c in part)


def unpack_columns(family: bytes, cells: Mapping[bytes, bytes], width: int) -> list[Numbers]:
    """Decode the cells of `pack_columns`.

    Args:
        width: how many columns were packed.

    Returns:
        ``width`` uint32 arrays of shape (n,); empty ones where there are no cells.
    """
    parts = [
        np.frombuffer(cells[name], "<u4").reshape(width, -1)
        for name in sorted(name for name in cells if name.startswith(family))
    ]
    if not parts:
        return [np.empty(0, np.uint32) for _ in range(width)]
    joined = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    return list(joined)


def chunk_column(family: bytes, index: int) -> bytes:
    """The name of the ``index``-th cell of a packed family."""
    return family + b"%05d" % index


class RecentCell(NamedTuple):
    """What one segment of the log says of a visitor and a URL, since the visitor was forgotten.

    Attributes:
        first_us: when the first of the events reached us.
        order: grows with every event of the segment; the last one counted here.
    """

    first_us: int
    order: int
    visits: int
    accepts: int
    url: str


def pack_recent(cell: RecentCell) -> bytes:
    """Encode a cell of `recent`."""
    return _RECENT.pack(*cell[:4]) + cell.url.encode()


def unpack_recent(cell: bytes) -> RecentCell:
    """Decode a cell of `recent`."""
    first_us, order, visits, accepts = _RECENT.unpack_from(cell)
    return RecentCell(first_us, order, visits, accepts, cell[_RECENT.size :].decode())


def pack_int(value: int) -> bytes:
    """Encode a whole number as the stores' counters are."""
    return value.to_bytes(8, signed=True)


def unpack_int(cell: bytes) -> int:
    """Decode a whole number or a counter."""
    return int.from_bytes(cell, signed=True)
