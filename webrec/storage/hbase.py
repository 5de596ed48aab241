"""HBase through its Thrift server: the store for more than one machine.

Rows and columns go in and out as bytes, as with any store. Every call may be repeated when it came
to no end (`webrec.storage.hbase_calls`), and a write that is carried out late hides no newer one
(`webrec.storage.hbase_writes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from hbase_schema.families import Family
from webrec.errors import NotFound
from webrec.storage.base import Cells, RowCells, Swap
from webrec.storage.hbase_calls import NOT_ENABLED, Calls, first_line_of
from webrec.storage.hbase_driver import (
    AlreadyExists,
    ColumnDescriptor,
    Connection,
    HBaseError,
    Mutation,
)
from webrec.storage.hbase_scan import read_page
from webrec.storage.hbase_uri import Server
from webrec.storage.hbase_writes import (
    Batch,
    batches,
    check_and_put,
    deletions,
    puts,
    wait_until_past,
)

_TABLE_CALL_S = 30.0
"""Seconds that making or dropping a table may take: HBase assigns its regions meanwhile."""

_ROWS_PER_GET = 200
"""Rows of one call, so that even large ones come within its time."""

_FEW, _AT_ONCE = 16, 8
"""Check-and-puts that are made one after the other; of more, so many are under way at once."""


class HBaseStore:
    """A `webrec.storage.base.Store` over a Thrift server.

    Args:
        server: where, and how.
        retry_timeout_s: seconds for which a call that failed is repeated, once the server has
            answered any.
    """

    def __init__(self, server: Server, retry_timeout_s: float) -> None:
        self._compression = server.compression
        self._calls = Calls(server, retry_timeout_s)

    def create_table(self, table: str, families: Sequence[Family]) -> None:
        """Create the table, if it is not there yet."""
        columns = [_descriptor(family, self._compression) for family in families]

        def create(connection: Connection) -> None:
            try:
                connection.client.createTable(connection.name_of(table), columns)
            except AlreadyExists:
                return

        if table not in self.tables():
            self._calls.repeated(create, call_s=_TABLE_CALL_S)

    def drop_table(self, table: str) -> None:
        """Drop the table with all it holds, if it is there."""

        def drop(connection: Connection) -> None:
            name = connection.name_of(table)
            try:
                connection.client.disableTable(name)
            except HBaseError as error:
                if NOT_ENABLED not in first_line_of(error):  # else a call that got no answer did it
                    raise
            connection.client.deleteTable(name)

        if table in self.tables():
            try:
                self._calls.repeated(drop, call_s=_TABLE_CALL_S)
            except NotFound:
                return  # by another, or by a call of ours whose answer got lost

    def tables(self) -> list[str]:
        """The names of all tables, sorted."""
        names = self._calls.repeated(lambda connection: connection.tables())
        return sorted(name.decode() for name in names)

    def get(
        self,
        table: str,
        row: bytes,
        columns: Sequence[bytes] | None = None,
        within_s: float | None = None,
    ) -> RowCells:
        """The cells of one row; with ``columns``, only these."""
        return self._calls.repeated(
            lambda connection: dict(connection.table(table).row(row, columns)), within_s=within_s
        )

    def get_many(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes] | None = None
    ) -> list[RowCells]:
        """The cells of many rows, in the order asked."""
        found: dict[bytes, RowCells] = {}
        wanted = list(dict.fromkeys(rows))
        for start in range(0, len(wanted), _ROWS_PER_GET):
            found.update(self._get_rows(table, wanted[start : start + _ROWS_PER_GET], columns))
        return [dict(found.get(row, ())) for row in rows]

    def put_many(self, table: str, rows: Iterable[tuple[bytes, Cells]]) -> None:
        """Write cells; as many in one call as the server takes."""
        for batch in batches(rows, puts):
            self._mutate(table, batch)

    def check_and_put(
        self,
        table: str,
        column: bytes,
        rows: Mapping[bytes, Swap],
        within_s: float | None = None,
    ) -> list[bool]:
        """Write a cell of each row if it holds what is expected, each row atomically.

        HBase does this for one row at a time: of many, those that cannot succeed are left out,
        and several are under way at once.
        """
        if len(rows) <= _FEW:
            return [self._swap(table, row, column, swap, within_s) for row, swap in rows.items()]
        there = self.get_many(table, list(rows), (column,))
        hopeful = [
            row
            for (row, swap), cells in zip(rows.items(), there, strict=True)
            if cells.get(column) == swap.expected
        ]
        with ThreadPoolExecutor(_AT_ONCE) as swapping:
            written = swapping.map(
                lambda row: self._swap(table, row, column, rows[row], within_s), hopeful
            )
            done = dict(zip(hopeful, written, strict=True))
        return [done.get(row, False) for row in rows]

    def delete_many(self, table: str, rows: Iterable[tuple[bytes, Sequence[bytes] | None]]) -> None:
        """Delete the named columns of each row; None deletes the whole row."""
        families: list[bytes] = []

        def mutations(columns: Sequence[bytes] | None) -> list[Mutation]:
            if columns is None:
                if not families:
                    families.extend(self._calls.repeated(lambda c: list(c.table(table).families())))
                columns = families
            return deletions(columns)

        last_ms = 0
        for batch in batches(rows, mutations):
            self._mutate(table, batch)
            last_ms = batch.at_ms
        wait_until_past(last_ms)

    def scan(
        self,
        table: str,
        start: bytes = b"",
        stop: bytes | None = None,
        columns: Sequence[bytes] | None = None,
    ) -> Iterator[tuple[bytes, RowCells]]:
        """Rows with ``start <= key < stop`` in key order.

        Each page has a scanner of its own, so that none is lost while its reader is busy, and a
        page that fails is read again.
        """
        # a scan from a row to itself would give that row
        while stop is None or start < stop:
            page, is_last = self._get_page(table, start, stop, columns)
            yield from page
            if is_last:
                return
            start = page[-1][0] + b"\x00"

    def ping(self, within_s: float | None = None) -> None:
        """Return if HBase answers."""
        self._calls.once(lambda connection: connection.tables(), within_s)

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def _get_rows(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes] | None
    ) -> list[tuple[bytes, RowCells]]:
        return self._calls.repeated(lambda connection: connection.table(table).rows(rows, columns))

    def _get_page(
        self, table: str, start: bytes, stop: bytes | None, columns: Sequence[bytes] | None
    ) -> tuple[list[tuple[bytes, RowCells]], bool]:
        return self._calls.repeated(
            lambda connection: read_page(connection, table, start, stop, columns)
        )

    def _swap(
        self, table: str, row: bytes, column: bytes, swap: Swap, within_s: float | None
    ) -> bool:
        return self._calls.repeated(check_and_put(table, row, column, swap), within_s)

    def _mutate(self, table: str, batch: Batch) -> None:
        self._calls.repeated(
            lambda connection: connection.client.mutateRowsTs(
                connection.name_of(table), batch.mutations, batch.at_ms, {}
            )
        )


def _descriptor(family: Family, compression: str) -> ColumnDescriptor:
    # all of it on purpose: the protocol's defaults keep three versions and switch bloom filter and
    # block cache off
    return ColumnDescriptor(
        name=f"{family.name}:".encode(),
        maxVersions=1,
        compression=compression,
        inMemory=family.in_memory,
        bloomFilterType="ROW",
        blockCacheEnabled=True,
        timeToLive=-1 if family.ttl_s is None else family.ttl_s,
    )
