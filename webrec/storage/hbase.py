"""HBase through its Thrift server: the store for more than one machine.

Every cell we write carries a timestamp (ms) of ours, and every process gives each write a later one
than the write before: a write whose answer never came, and which the server carries out late, can
never hide a newer one. What several writers change is written by compare-and-set, for which the
server gives the time.

So every call may be repeated when it came to no end, and is, with a back-off, for a bounded time.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from happybase.batch import BatchMutation, Mutation
from happybase.connection import ColumnDescriptor
from happybase.table import TScan
from tenacity import Retrying, retry_if_exception_type, stop_before_delay, wait_random_exponential

from hbase_schema.families import Family
from webrec.errors import NotFound, StoreUnavailable, WebrecError
from webrec.storage.base import Cells, RowCells, Swap
from webrec.storage.hbase_pool import (
    ANSWERED,
    AlreadyExists,
    Broken,
    Connection,
    HBaseError,
    IllegalArgument,
    Pool,
)
from webrec.storage.hbase_uri import Server

CALL_S = 5.0
"""Seconds one call may take where nobody says less."""

_TABLE_CALL_S = 30.0

_BATCH_BYTES = 1 << 20
_BATCH_CELLS = 5_000
_CELL_OVERHEAD = 40
_ROWS_PER_GET = 200
_ROWS_PER_PAGE = 1_000
_FIRST_ROWS, _ROWS_PER_ANSWER = 8, 50
_ANSWER_BYTES, _PAGE_BYTES = 1 << 20, 4 << 20
_AT_ONCE = 8
_FEW = 16
# a server that never answered may be a wrong address, and somebody waits to be told
_FIRST_PATIENCE_S = 2.0
_RETRY_FIRST_S, _RETRY_MOST_S = 0.05, 2.0
# a machine's clock that was set back is not waited for
_MOST_AHEAD_S = 1.0
_NOT_ENABLED = "TableNotEnabledException"
_GONE = ("TableNotFoundException", _NOT_ENABLED)
_REFUSED = ("NoSuchColumnFamilyException", "DoNotRetryIOException")

T = TypeVar("T")
W = TypeVar("W")


class HBaseStore:
    """A `webrec.storage.base.Store` over a Thrift server.

    Args:
        server: where, and how.
        patience_s: for how long a call that failed is repeated, once the server has answered.
    """

    def __init__(self, server: Server, patience_s: float) -> None:
        self._server = server
        self._patience_s = patience_s
        self._pool = Pool(server)
        # what calls for many rows say of a table that is not there: its name, and no server
        ours = re.escape(server.table(""))
        self._gone_for_many = re.compile(
            rf"actions?: {ours}[\w.-]+: \d+ times?, servers with issues: null"
        )
        self._has_answered = False

    def create_table(self, table: str, families: Sequence[Family]) -> None:
        """Create the table, if it is not there yet."""
        columns = [self._descriptor(family) for family in families]

        def create(connection: Connection) -> None:
            try:
                connection.client.createTable(connection.name_of(table), columns)
            except AlreadyExists:
                return

        if table not in self.tables():
            self._call(create, call_s=_TABLE_CALL_S)

    def drop_table(self, table: str) -> None:
        """Drop the table with all it holds, if it is there."""

        def drop(connection: Connection) -> None:
            name = connection.name_of(table)
            try:
                connection.client.disableTable(name)
            except HBaseError as error:
                if _NOT_ENABLED not in _said(error):  # else a call that got no answer did it
                    raise
            connection.client.deleteTable(name)

        if table in self.tables():
            try:
                self._call(drop, call_s=_TABLE_CALL_S)
            except NotFound:
                return  # by another, or by a call of ours whose answer got lost

    def tables(self) -> list[str]:
        """The names of all tables, sorted."""
        names = self._call(lambda connection: connection.tables())
        return sorted(name.decode() for name in names)

    def get(
        self,
        table: str,
        row: bytes,
        columns: Sequence[bytes] | None = None,
        within_s: float | None = None,
    ) -> RowCells:
        """The cells of one row; with ``columns``, only these."""
        return self._call(
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
        for batch in _batches(rows, _puts):
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

        def deletions(columns: Sequence[bytes] | None) -> list[Mutation]:
            if columns is None:
                if not families:
                    families.extend(self._call(lambda c: list(c.table(table).families())))
                columns = families
            return [Mutation(isDelete=True, column=c, writeToWAL=True) for c in columns]

        last_ms = 0
        for batch in _batches(rows, deletions):
            self._mutate(table, batch)
            last_ms = batch.at_ms
        # a deletion hides what has its own millisecond: whoever writes after it has a later one
        until = time.monotonic() + _MOST_AHEAD_S
        while time.time_ns() // 1_000_000 <= last_ms and time.monotonic() < until:
            time.sleep(0.001)

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
        self._once(lambda connection: connection.tables(), CALL_S if within_s is None else within_s)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _get_rows(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes] | None
    ) -> list[tuple[bytes, RowCells]]:
        return self._call(lambda connection: connection.table(table).rows(rows, columns))

    def _get_page(
        self, table: str, start: bytes, stop: bytes | None, columns: Sequence[bytes] | None
    ) -> tuple[list[tuple[bytes, RowCells]], bool]:
        return self._call(lambda connection: _page(connection, table, start, stop, columns))

    def _swap(
        self, table: str, row: bytes, column: bytes, swap: Swap, within_s: float | None
    ) -> bool:
        """One check-and-put.

        A call that came to no end may have been carried out: then the cell holds the value.
        """
        is_repeated = False
        mutation = Mutation(isDelete=False, column=column, value=swap.value, writeToWAL=True)

        def check_and_put(connection: Connection) -> bool:
            nonlocal is_repeated
            if is_repeated and connection.table(table).row(row, [column]) == {column: swap.value}:
                return True
            is_repeated = True
            name = connection.name_of(table)
            done: bool = connection.client.checkAndPut(
                name, row, column, swap.expected, mutation, {}
            )
            return done

        return self._call(check_and_put, within_s)

    def _mutate(self, table: str, batch: _Batch) -> None:
        self._call(
            lambda connection: connection.client.mutateRowsTs(
                connection.name_of(table), batch.mutations, batch.at_ms, {}
            )
        )

    def _descriptor(self, family: Family) -> ColumnDescriptor:
        # all of it on purpose: the protocol's defaults keep three versions and switch bloom
        # filter and block cache off
        return ColumnDescriptor(
            name=f"{family.name}:".encode(),
            maxVersions=1,
            compression=self._server.compression,
            inMemory=family.in_memory,
            bloomFilterType="ROW",
            blockCacheEnabled=True,
            timeToLive=-1 if family.ttl_s is None else family.ttl_s,
        )

    def _call(
        self,
        work: Callable[[Connection], T],
        within_s: float | None = None,
        call_s: float | None = None,
    ) -> T:
        """Do one call, and again while that may help; all our calls may be repeated.

        Args:
            within_s: the time there is for all of it; None is as long as it takes.
            call_s: the time there is for one call; None is `CALL_S`.
        """
        began = time.monotonic()
        call_s = CALL_S if call_s is None else call_s
        try:
            return self._once(work, call_s if within_s is None else within_s)
        except StoreUnavailable as error:
            if within_s is not None:
                left_s = within_s - (time.monotonic() - began)
                if isinstance(error, Broken) and error.was_idle and left_s > 0:
                    return self._once(work, left_s)  # the connection had died of age
                raise
        for attempt in Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            stop=stop_before_delay(self._patience_s if self._has_answered else _FIRST_PATIENCE_S),
            wait=wait_random_exponential(_RETRY_FIRST_S, _RETRY_MOST_S),
            reraise=True,
        ):
            with attempt:
                return self._once(work, call_s)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, work: Callable[[Connection], T], within_s: float) -> T:
        """The one place where the driver's errors become ours."""
        try:
            with self._pool.lend(within_s) as connection:
                done = work(connection)
            self._has_answered = True
            return done
        except ANSWERED as error:
            said = _said(error)
            if any(name in said for name in _GONE) or self._gone_for_many.search(said):
                raise NotFound(f"the store has no such table: {said}") from error
            if isinstance(error, IllegalArgument) or any(name in said for name in _REFUSED):
                raise WebrecError(f"{self._server} refuses: {said}") from error
            raise StoreUnavailable(f"{self._server}: {said}") from error


class _Clock:
    """Milliseconds since the epoch, each later than the one before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ms = 0

    def next_ms(self) -> int:
        with self._lock:
            self._last_ms = max(self._last_ms + 1, time.time_ns() // 1_000_000)
            return self._last_ms


_clock = _Clock()


class _Batch:
    """Mutations for one call, all of one moment."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms
        self.mutations: list[BatchMutation] = []
        self._bytes = 0
        self._cells = 0

    def add(self, row: bytes, mutations: list[Mutation]) -> None:
        self.mutations.append(BatchMutation(row=row, mutations=mutations))
        self._bytes += _bytes(row, mutations)
        self._cells += len(mutations)

    def has_room_for(self, row: bytes, mutations: list[Mutation]) -> bool:
        return not self.mutations or (
            self._bytes + _bytes(row, mutations) <= _BATCH_BYTES
            and self._cells + len(mutations) <= _BATCH_CELLS
        )


def _batches(
    rows: Iterable[tuple[bytes, W]], mutations_of: Callable[[W], list[Mutation]]
) -> Iterator[_Batch]:
    """Rows cut into calls by bytes and cells; a row that is too large for one is cut as well."""
    batch = _Batch(_clock.next_ms())
    for row, what in rows:
        for part in _parts(mutations_of(what)):
            if not batch.has_room_for(row, part):
                yield batch
                batch = _Batch(_clock.next_ms())
            batch.add(row, part)
    if batch.mutations:
        yield batch


def _parts(mutations: list[Mutation]) -> Iterator[list[Mutation]]:
    part: list[Mutation] = []
    size = 0
    for mutation in mutations:
        cell = _bytes(b"", [mutation])
        if part and (size + cell > _BATCH_BYTES or len(part) >= _BATCH_CELLS):
            yield part
            part, size = [], 0
        part.append(mutation)
        size += cell
    if part:
        yield part


def _puts(cells: Cells) -> list[Mutation]:
    return [
        Mutation(isDelete=False, column=column, value=value, writeToWAL=True)
        for column, value in cells.items()
    ]


def _bytes(row: bytes, mutations: list[Mutation]) -> int:
    return len(row) + sum(len(m.column) + len(m.value or b"") + _CELL_OVERHEAD for m in mutations)


def _page(
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


def _said(error: Any) -> str:
    """The first line of what the server said: the rest is its stack."""
    message = error.message
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    return text.partition("\n")[0].strip()
