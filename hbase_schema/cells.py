"""[3] Cells: numbers, arrays and documents in, bytes out; each encoding beside its inverse.

Packed arrays are little-endian, so that a reader can look into them where they lie; single counters
are big-endian, as HBase's are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hbase_schema.names import PART

Numbers = NDArray[np.uint32]

CHUNK_NUMBERS = 100_000
"""Numbers per cell: three columns of four bytes keep a cell below 1.2 MB, and a put below the 2 MB
that a framed Thrift server accepts."""

PART_BYTES = 1 << 20
"""Bytes of a document or an array in one cell: half of what a framed Thrift server accepts."""

NO_DOCUMENT = b"deleted"
"""The cell of a document that was deleted, so that a delayed write does not bring it back."""

_IN_PARTS = b"in parts: "
_INT_BYTES = 8  # as HBase's counters
_PAGE = struct.Struct("<IiQQ")  # the fields of `PageCell`, the URL follows
_RECENT = struct.Struct("<QQII")  # the fields of `RecentCell`, the URL follows


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


def pack_columns(part: bytes, columns: Sequence[Numbers]) -> Iterator[tuple[bytes, bytes]]:
    """Encode parallel arrays of equal length as cells ``m:<part>/00000``, ``m:<part>/00001``, ….

    Args:
        part: the part's name, one of those in `hbase_schema.names`.
        columns: uint32 arrays of shape (n,). With n = 0 there is one empty cell.
    """
    n = len(columns[0])
    for index, start in enumerate(range(0, max(n, 1), CHUNK_NUMBERS)):
        chunk = [np.ascontiguousarray(c[start : start + CHUNK_NUMBERS], "<u4") for c in columns]
        yield chunk_column(part, index), b"".join(c.tobytes() for c in chunk)


def unpack_columns(part: bytes, cells: Mapping[bytes, bytes], width: int) -> list[Numbers]:
    """Decode the cells of `pack_columns`.

    Args:
        width: how many columns were packed.

    Returns:
        ``width`` uint32 arrays of shape (n,); empty ones where there are no cells.
    """
    chunks: list[Numbers] = []
    while (cell := cells.get(chunk_column(part, len(chunks)))) is not None:
        chunks.append(np.frombuffer(cell, "<u4").reshape(width, -1))
    if not chunks:
        return [np.empty(0, np.uint32) for _ in range(width)]
    joined = chunks[0] if len(chunks) == 1 else np.concatenate(chunks, axis=1)
    return list(joined)


def chunk_column(part: bytes, index: int) -> bytes:
    """The name of the ``index``-th cell of a packed part."""
    return part + b"%05d" % index


def pack_document(document: bytes, version: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """Encode a JSON object of any length.

    Args:
        version: a name that no other document in the row ever had.

    Returns:
        The document's cell, and the cells of its parts where it is too long for one; they are
        written first.
    """
    if len(document) <= PART_BYTES:
        return document, {}
    starts = range(0, len(document), PART_BYTES)
    prefix = _part_prefix(version)
    parts = {prefix + b"%05d" % n: document[s : s + PART_BYTES] for n, s in enumerate(starts)}
    return _IN_PARTS + version, parts


def unpack_document(cell: bytes, row: Mapping[bytes, bytes]) -> bytes | None:
    """Decode a document; None for one that was deleted.

    Args:
        row: all cells of its row.
    """
    if cell == NO_DOCUMENT:
        return None
    if not is_in_parts(cell):
        return cell
    return b"".join(row[column] for column in parts_of(cell, row))


def is_in_parts(cell: bytes) -> bool:
    """Whether a document's cell only says which cells hold it."""
    return cell.startswith(_IN_PARTS)


def parts_of(cell: bytes, row: Mapping[bytes, bytes]) -> list[bytes]:
    """The columns of a row that hold the parts of a document, in order."""
    prefix = _part_prefix(cell.removeprefix(_IN_PARTS))
    return sorted(column for column in row if column.startswith(prefix))


def _part_prefix(version: bytes) -> bytes:
    return PART + version + b"/"


def pack_array(array: NDArray[Any]) -> list[bytes]:
    """Encode an array of numbers or texts, in parts of at most `PART_BYTES`.

    One line says the type, as NumPy spells it, and the shape; the values follow, row by row.
    """
    head = f"{array.dtype.str} {','.join(map(str, array.shape))}\n"
    encoded = head.encode() + array.tobytes()
    return [encoded[start : start + PART_BYTES] for start in range(0, len(encoded), PART_BYTES)]


def unpack_array(parts: Sequence[bytes]) -> NDArray[Any]:
    """Decode the parts of an array, all of them and in order."""
    head, _, values = b"".join(parts).partition(b"\n")
    dtype, shape = head.decode().split(" ")
    return np.frombuffer(values, dtype).reshape([int(length) for length in shape.split(",")])


class RecentCell(NamedTuple):
    """A visitor's visits and accepts of a URL in one segment of the log.

    Only those since the visitor was forgotten, where that was.

    Attributes:
        first_us: when the first of the events was received, in µs since the epoch.
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
    return value.to_bytes(_INT_BYTES, signed=True)


def unpack_int(cell: bytes) -> int:
    """Decode a whole number or a counter."""
    return int.from_bytes(cell, signed=True)


def pack_number(number: int, token: bytes) -> bytes:
    """Encode the number that a counter gave last.

    Args:
        token: of this write alone: a writer that finds it in the cell has got the number.
    """
    return pack_int(number) + token


def unpack_number(cell: bytes) -> int:
    """Decode the number that a counter gave last."""
    return unpack_int(cell[:_INT_BYTES])
