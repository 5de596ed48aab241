"""A page of a scan of HBase: a range of row keys goes in, rows with their cells come out."""

from __future__ import annotations

from collections.abc import Sequence

from webrec.storage.base import RowCells
from webrec.storage.hbase_driver import Connection, TScan

_ROWS_PER_PAGE = 1_000
"""Rows of a page, all in memory; a page that fails is read again as a whole."""

_FIRST_ROWS, _ROWS_PER_ANSWER = 8, 50
"""Rows asked for at first, before it is known how large they are, and at most."""

_ANSWER_BYTES, _PAGE_BYTES = 1 << 20, 4 << 20
"""Bytes of an answer, which comes within a call's time, and of a page, about."""


def read_page(
    connection: Connection,
    table: str,
    start: bytes,
    stop: bytes | None,
    columns: Sequence[bytes] | None,
) -> tuple[list[tuple[bytes, RowCells]], bool]:
    """The next rows, as many as make a page by number or bytes; and whether they are the last."""
    client = connection.client
    wanted = TScan(startRow=start, stopRow=stop, columns=columns, caching=_ROWS_PER_ANSWER)
    scanner = client.scannerOpenWithScan(connection.name_of(table), wanted, {})
    rows: list[tuple[bytes, RowCells]] = []
    size, ask, is_last = 0, _FIRST_ROWS, False
    while not is_last and len(rows) < _ROWS_PER_PAGE and size < _PAGE_BYTES:
        ask = min(ask, _ROWS_PER_PAGE - len(rows))
        found = client.scannerGetList(scanner, ask)
        is_last = len(found) < ask
        for result in found:
            cells = {name: cell.value for name, cell in result.columns.items()}
            rows.append((result.row, cells))
            size += sum(map(len, cells.values()))
        # rows may be some bytes long, or megabytes
        ask = min(_ROWS_PER_ANSWER, max(1, _ANSWER_BYTES * len(rows) // max(size, 1)))
    client.scannerClose(scanner)
    return rows, is_last
