"""An HBase Thrift server in this process, for tests: real sockets, no Java, faults on demand.

It answers the calls that `webrec.storage.hbase` makes as HBase 2.6 does, odd cases included;
`tests/support/test_memory_hbase.py` holds both to the same. What it does not know it refuses
loudly.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count, islice
from types import SimpleNamespace, TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import happybase  # noqa: F401  # loads the protocol as the module Hbase_thrift
from Hbase_thrift import (
    AlreadyExists,
    BatchMutation,
    ColumnDescriptor,
    Hbase,
    IllegalArgument,
    Mutation,
    TCell,
    TRowResult,
    TScan,
)
from Hbase_thrift import IOError as HBaseIOError
from thriftpy2.protocol import TCyBinaryProtocol
from thriftpy2.protocol.cybin import ProtocolError
from thriftpy2.thrift import TApplicationException, TProcessor
from thriftpy2.transport import (
    TCyBufferedTransport,
    TCyMemoryBuffer,
    TSocket,
    TTransportException,
)

from tests.support.memory_hbase import (
    LATEST,
    Cell,
    Family,
    HBaseException,
    IllegalArgumentException,
    Selection,
    Tables,
    check_cell,
    check_row,
    check_timestamp,
    family_of,
)

HOST = "127.0.0.1"
MAX_FRAME_BYTES = 2 * 2**20

_POLL_S = 0.05
_TRACE = "\n\tat org.apache.hadoop.hbase.thrift.ThriftHBaseServiceHandler"
_SIZE = struct.Struct(">i")

Cells = list[tuple[bytes, bytes]]
T = TypeVar("T")


class _Drop(NamedTuple):
    call: str | None
    is_applied: bool


class ThriftGateway:
    """A context manager: it serves from ``with`` on, and ends every connection behind it.

    Args:
        framed: the framed transport, which refuses frames of over 2 MiB, instead of the
            buffered one.
        now_ms: the clock of the server, milliseconds since the epoch.

    Attributes:
        port: where it listens, on the loopback address.
    """

    def __init__(
        self,
        *,
        framed: bool = False,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._is_framed = framed
        calls = _Calls(Tables(now_ms))
        handler = SimpleNamespace(
            **{
                name: getattr(calls, _snake(name))
                for name in Hbase.thrift_services
                if hasattr(calls, _snake(name))
            }
        )
        self._processor = TProcessor(Hbase, handler)
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._drops: list[_Drop] = []
        self._delay_s = 0.0
        self._is_answering = threading.Event()
        self._is_answering.set()
        self._is_accepting = threading.Event()
        self._is_closing = threading.Event()
        self._mistakes: list[Exception] = []
        self._listener = _bound(0)
        self.port: int = self._listener.getsockname()[1]
        self._next_listener = _bound(self.port)

    def __enter__(self) -> Self:
        self.accept()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_closing.set()
        self._is_answering.set()
        self.refuse()
        for thread in self._threads:
            thread.join()
        self._listener.close()
        self._next_listener.close()
        for mistake in self._mistakes:
            if error is None:
                raise AssertionError("the gateway could not do what it was asked") from mistake
            error.add_note(f"the gateway could not do what it was asked: {mistake!r}")

    @property
    def calls(self) -> Counter[str]:
        """How often each call has come in so far, by its name in the protocol.

        What one piece of work costs is the difference of two such counts.
        """
        with self._lock:
            return self._counts.copy()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        with self._lock:
            return len(self._connections)

    def store_uri(self, prefix: str) -> str:
        """The URI of a store here, whose tables' names begin with the prefix."""
        return f"hbase://{HOST}:{self.port}/{prefix}" + (
            "?transport=framed" if self._is_framed else ""
        )

    def delay(self, seconds: float) -> None:
        """From now on carry a call out at once, but answer it that much later."""
        self._delay_s = seconds

    def drop_next(self, n: int = 1, *, applied: bool = False, call: str | None = None) -> None:
        """Close the connections of the next ``n`` calls instead of answering.

        Args:
            n: how many.
            applied: carry the calls out before.
            call: only calls of this name count.
        """
        with self._lock:
            self._drops += [_Drop(call, applied)] * n

    def cut(self) -> None:
        """Close every connection there is; new ones are welcome."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):  # it may be closing by itself
                connection.shutdown(socket.SHUT_RDWR)

    def refuse(self) -> None:
        """Be gone as a killed server is: no connection is left, none is accepted."""
        if self._is_accepting.is_set():
            self._is_accepting.clear()
            self._acceptor.join()
            self._listener.close()
            self._listener = self._next_listener
            self._next_listener = _bound(self.port)
        self.cut()

    def accept(self) -> None:
        """Accept connections on the same port, after `refuse`; the tables are as they were."""
        if not self._is_accepting.is_set():
            self._is_accepting.set()
            self._listener.listen(128)
            self._acceptor = threading.Thread(target=self._accept, daemon=True)
            self._acceptor.start()

    def hang(self) -> None:
        """Accept connections and read calls, but neither carry them out nor answer."""
        self._is_answering.clear()

    def resume(self) -> None:
        """Carry out and answer what came in since `hang`, and go on."""
        self._is_answering.set()

    def _accept(self) -> None:
        while self._is_accepting.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._connections.add(connection)
                self._threads = [other for other in self._threads if other.is_alive()]
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        """Answer the calls of one connection until either side closes it."""
        with connection:
            # what is no call of this protocol ends the connection, as on the real server
            with suppress(OSError, EOFError, TTransportException, ProtocolError):
                for source in self._sources(connection):
                    answer = self._answer(TCyBinaryProtocol(source, decode_response=False))
                    if answer is None:
                        break
                    connection.sendall(answer)
            with self._lock:
                self._connections.discard(connection)

    def _sources(self, connection: socket.socket) -> Iterator[object]:
        """Where to read each call from, until the connection ends."""
        if not self._is_framed:
            source = TCyBufferedTransport(TSocket(sock=connection))
            while True:
                yield source
        while True:
            (size,) = _SIZE.unpack(_exactly(connection, _SIZE.size))
            if not 0 <= size <= MAX_FRAME_BYTES:
                return
            yield TCyMemoryBuffer(_exactly(connection, size))

    def _answer(self, protocol: TCyBinaryProtocol) -> bytes | None:
        """The bytes to send for the next call; None for none at all."""
        name, sequence, result, call = self._processor.process_in(protocol)
        if call is None:
            result.message = f"Invalid method name: '{name}'"
        drop = self._note(name)
        self._is_answering.wait()
        if self._is_closing.is_set() or (drop and not drop.is_applied):
            return None
        failure = result if call is None else self._carry_out(name, result, call)
        if drop or self._is_closing.wait(self._delay_s):
            return None
        out = TCyMemoryBuffer()
        if failure is None:
            self._processor.send_result(TCyBinaryProtocol(out), name, result, sequence)
        else:
            self._processor.send_exception(TCyBinaryProtocol(out), name, failure, sequence)
        answer: bytes = out.getvalue()
        return _SIZE.pack(len(answer)) + answer if self._is_framed else answer

    def _note(self, name: str) -> _Drop | None:
        """Count a call, and take out the order to drop it, if there is one."""
        with self._lock:
            self._counts[name] += 1
            for place, drop in enumerate(self._drops):
                if drop.call in (None, name):
                    return self._drops.pop(place)
        return None

    def _carry_out(
        self, name: str, result: Any, call: Callable[[], object]
    ) -> TApplicationException | None:
        """Put what the call gives or throws into its result; what it may not throw is returned."""
        try:
            result.success = call()
            return None
        except (HBaseIOError, IllegalArgument, AlreadyExists) as error:
            if self._processor.handle_exception(error, result):
                return None
        except IllegalArgumentException:
            pass
        except HBaseException as error:
            self._processor.handle_exception(_io_error(error), result)
            return None
        except Exception as error:  # noqa: BLE001  # told when the gateway ends
            self._mistakes.append(error)
        return TApplicationException(
            TApplicationException.INTERNAL_ERROR, f"Internal error processing {name}"
        )


class _Scanner:
    """The rows of a scan; where it failed it fails again."""

    def __init__(self, rows: Iterator[TRowResult]) -> None:
        self._rows = rows
        self._failure: HBaseException | None = None

    def take(self, n: int) -> list[TRowResult]:
        if self._failure is not None:
            raise self._failure
        try:
            return list(islice(self._rows, n))
        except HBaseException as error:
            self._failure = error
            raise


class _Calls:
    """The calls of the protocol, with their arguments in its order, over tables in memory.

    An `IllegalArgumentException` out of here is one the real server does not expect either.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._lock = threading.Lock()
        self._scanners: dict[int, _Scanner] = {}
        self._scanner_ids = count()

    def get_table_names(self) -> list[bytes]:
        return self._tables.names

    def create_table(self, table: bytes, descriptors: Sequence[ColumnDescriptor]) -> None:
        in_use = AlreadyExists(message="table name already in use")
        if self._tables.exists(table):
            raise in_use
        with _illegal_argument():
            families = _families(descriptors)
        if not self._tables.create(table, families):
            raise in_use

    def delete_table(self, table: bytes) -> None:
        self._tables.drop(table)

    def enable_table(self, table: bytes) -> None:
        self._tables.enable(table)

    def disable_table(self, table: bytes) -> None:
        self._tables.disable(table)

    def is_table_enabled(self, table: bytes) -> bool:
        return self._tables.find(table).is_enabled

    def get_column_descriptors(self, table: bytes) -> dict[bytes, ColumnDescriptor]:
        families = self._tables.find(table).families
        return {name + b":": _descriptor(name, family) for name, family in families.items()}

    def get(self, table: bytes, row: bytes, column: bytes, attributes: object) -> list[TCell]:
        return self.get_ver_ts(table, row, column, LATEST, 1, attributes)

    def get_ver(
        self, table: bytes, row: bytes, column: bytes, versions: int, attributes: object
    ) -> list[TCell]:
        return self.get_ver_ts(table, row, column, LATEST, versions, attributes)

    def get_ver_ts(
        self,
        table: bytes,
        row: bytes,
        column: bytes,
        before: int,
        versions: int,
        _attributes: object,
    ) -> list[TCell]:
        wanted = Selection([column])
        found = self._tables.online(table).versions(
            check_row(row), wanted, versions, before=check_timestamp(before)
        )
        return [TCell(*cell) for cell in found]

    def get_row(self, table: bytes, row: bytes, attributes: object) -> list[TRowResult]:
        return self.get_rows_with_columns_ts(table, [row], None, LATEST, attributes)

    def get_row_with_columns(
        self, table: bytes, row: bytes, columns: list[bytes] | None, attributes: object
    ) -> list[TRowResult]:
        return self.get_rows_with_columns_ts(table, [row], columns, LATEST, attributes)

    def get_row_ts(
        self, table: bytes, row: bytes, before: int, attributes: object
    ) -> list[TRowResult]:
        return self.get_rows_with_columns_ts(table, [row], None, before, attributes)

    def get_row_with_columns_ts(
        self,
        table: bytes,
        row: bytes,
        columns: list[bytes] | None,
        before: int,
        attributes: object,
    ) -> list[TRowResult]:
        return self.get_rows_with_columns_ts(table, [row], columns, before, attributes)

    def get_rows(self, table: bytes, rows: list[bytes], attributes: object) -> list[TRowResult]:
        return self.get_rows_with_columns_ts(table, rows, None, LATEST, attributes)

    def get_rows_with_columns(
        self, table: bytes, rows: list[bytes], columns: list[bytes] | None, attributes: object
    ) -> list[TRowResult]:
        return self.get_rows_with_columns_ts(table, rows, columns, LATEST, attributes)

    def get_rows_ts(
        self, table: bytes, rows: list[bytes], before: int, attributes: object
    ) -> list[TRowResult]:
        return self.get_rows_with_columns_ts(table, rows, None, before, attributes)

    def get_rows_with_columns_ts(
        self,
        table: bytes,
        rows: list[bytes],
        columns: list[bytes] | None,
        before: int,
        _attributes: object,
    ) -> list[TRowResult]:
        for row in rows:
            check_row(row)
        check_timestamp(before)
        wanted = Selection(columns)
        found: list[TRowResult] = []

        def read(row: bytes) -> None:
            cells = self._tables.online(table).read(row, wanted, before=before)
            if cells:
                found.append(_row_result(row, cells))

        if len(rows) == 1:
            read(rows[0])
        else:
            _for_each(rows, read)
        return found

    def mutate_row(
        self, table: bytes, row: bytes, mutations: list[Mutation], attributes: object
    ) -> None:
        self.mutate_row_ts(table, row, mutations, LATEST, attributes)

    def mutate_row_ts(
        self,
        table: bytes,
        row: bytes,
        mutations: list[Mutation],
        timestamp: int,
        _attributes: object,
    ) -> None:
        with _illegal_argument():
            check_row(row)
            check_timestamp(timestamp)
            deletions = [m.column for m in mutations if m.isDelete]
            # a whole family cannot be put: the real server says so in its log alone
            puts = [(column, value) for column, value in _puts(mutations) if b":" in column]
            if deletions:
                self._tables.online(table).delete(row, deletions, timestamp)
            if puts:
                for column, value in puts:
                    check_cell(row, column, value)
                self._tables.online(table).put(row, puts, timestamp)

    def mutate_rows(self, table: bytes, batches: list[BatchMutation], attributes: object) -> None:
        self.mutate_rows_ts(table, batches, LATEST, attributes)

    def mutate_rows_ts(
        self,
        table: bytes,
        batches: list[BatchMutation],
        timestamp: int,
        _attributes: object,
    ) -> None:
        puts: list[tuple[bytes, Cells]] = []
        deletions: list[tuple[bytes, list[bytes]]] = []
        for batch in batches:
            check_row(batch.row)
            check_timestamp(timestamp)
            puts.append((batch.row, _puts(batch.mutations)))
            deletions.append((batch.row, [m.column for m in batch.mutations if m.isDelete]))
        puts = [(row, cells) for row, cells in puts if cells]
        deletions = [(row, columns) for row, columns in deletions if columns]
        if any(b":" not in column for _, cells in puts for column, _ in cells):
            raise IllegalArgumentException("a put to a whole family")
        with _illegal_argument():
            for row, cells in puts:
                for column, value in cells:
                    check_cell(row, column, value)
            _for_each(puts, lambda put: self._tables.online(table).put(*put, timestamp))
            _for_each(deletions, lambda gone: self._tables.online(table).delete(*gone, timestamp))

    def delete_all(self, table: bytes, row: bytes, column: bytes, attributes: object) -> None:
        self.delete_all_ts(table, row, column, LATEST, attributes)

    def delete_all_ts(
        self, table: bytes, row: bytes, column: bytes, timestamp: int, _attributes: object
    ) -> None:
        check_row(row)
        check_timestamp(timestamp)
        self._tables.online(table).delete(row, [column], timestamp)

    def delete_all_row(self, table: bytes, row: bytes, attributes: object) -> None:
        self.delete_all_row_ts(table, row, LATEST, attributes)

    def delete_all_row_ts(
        self, table: bytes, row: bytes, timestamp: int, _attributes: object
    ) -> None:
        check_row(row)
        check_timestamp(timestamp)
        self._tables.online(table).delete(row, None, timestamp)

    def atomic_increment(self, table: bytes, row: bytes, column: bytes, by: int) -> int:
        if not row:
            raise HBaseException("Row length is 0")
        # a family alone is its column with the empty qualifier
        name = column if b":" in column else column + b":"
        return self._tables.online(table).increment(row, name, by)

    def check_and_put(
        self,
        table: bytes,
        row: bytes,
        column: bytes,
        expected: bytes | None,
        put: Mutation,
        _attributes: object,
    ) -> bool:
        with _illegal_argument():
            check_row(row)
        if put is None or b":" not in column or b":" not in put.column:
            raise IllegalArgumentException("a whole family")
        value = put.value or b""
        with _illegal_argument():
            check_cell(row, put.column, value)
            return self._tables.online(table).check_and_put(
                row, column, expected, put.column, value
            )

    def scanner_open_with_scan(self, table: bytes, scan: TScan, _attributes: object) -> int:
        if scan.filterString or scan.batchSize or scan.sortColumns or scan.reversed:
            raise NotImplementedError(f"a scan like {scan}")
        self._tables.exists(table)  # for a name that no table can have
        with self._lock:
            scanner = next(self._scanner_ids)
            self._scanners[scanner] = _Scanner(self._scan(table, scan))
            return scanner

    def scanner_get_list(self, scanner: int, n: int) -> list[TRowResult]:
        if scanner not in self._scanners:
            raise _invalid_scanner()
        return self._scanners[scanner].take(n)

    def scanner_close(self, scanner: int) -> None:
        if self._scanners.pop(scanner, None) is None:
            raise _invalid_scanner()

    def _scan(self, table: bytes, scan: TScan) -> Iterator[TRowResult]:
        """The rows, from a table that is looked up at the first step."""
        rows = self._tables.online(table).scan(
            scan.startRow or b"",
            scan.stopRow or b"",
            Selection(scan.columns),
            before=LATEST if scan.timestamp is None else scan.timestamp,
        )
        for row, cells in rows:
            self._tables.online(table)
            yield _row_result(row, cells)


def _snake(name: str) -> str:
    """The name of the method for a call."""
    return re.sub("([A-Z])", r"_\1", name).lower()


def _bound(port: int) -> socket.socket:
    """A socket that keeps a port and does not listen yet; 0 is any port."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.settimeout(_POLL_S)
    bound.bind((HOST, port))
    return bound


def _exactly(connection: socket.socket, size: int) -> bytes:
    """So many bytes; EOFError if the connection ends before."""
    data = connection.recv(size, socket.MSG_WAITALL)
    if len(data) < size:
        raise EOFError
    return data


@contextmanager
def _illegal_argument() -> Iterator[None]:
    """Throw what the client library refuses as the protocol's own exception."""
    try:
        yield
    except IllegalArgumentException as error:
        raise IllegalArgument(message=error.message + _TRACE) from error


def _io_error(error: HBaseException) -> HBaseIOError:
    return HBaseIOError(message=error.message + _TRACE)


def _invalid_scanner() -> IllegalArgument:
    return IllegalArgument(message="scanner ID is invalid")


def _for_each(rows: Sequence[T], act: Callable[[T], None]) -> None:
    """Act on every row, also after one has failed.

    Raises:
        IOError: some have failed; it says how many, and how the last did.
    """
    failures: list[HBaseException] = []
    for row in rows:
        try:
            act(row)
        except IllegalArgumentException:
            raise
        except HBaseException as error:
            failures.append(error)
    if failures:
        n = len(failures)
        actions, times = ("action", "time") if n == 1 else ("actions", "times")
        raise HBaseIOError(
            message="org.apache.hadoop.hbase.client.RetriesExhaustedWithDetailsException: "
            f"Failed {n} {actions}: {failures[-1].message_in_batch}: {n} {times}, "
            f"servers with issues: null{_TRACE}"
        )


def _puts(mutations: Sequence[Mutation]) -> Cells:
    puts = [(m.column, m.value or b"") for m in mutations if not m.isDelete]
    if any(column.startswith(b":") for column, _ in puts):
        raise IllegalArgumentException("Family cannot be null")
    return puts


def _row_result(row: bytes, cells: dict[bytes, Cell]) -> TRowResult:
    return TRowResult(row=row, columns={column: TCell(*cell) for column, cell in cells.items()})


def _families(descriptors: Sequence[ColumnDescriptor]) -> dict[bytes, Family]:
    families: dict[bytes, Family] = {}
    for descriptor in descriptors:
        if not descriptor.name:
            raise IllegalArgument(message="column name is empty")
        name = family_of(descriptor.name)
        if not name:
            raise IllegalArgumentException("Column Family name can not be empty")
        if name in families:
            shown = name.decode()
            raise IllegalArgumentException(f"Family '{shown}' already exists so cannot be added")
        families[name] = Family.of(
            versions=descriptor.maxVersions,
            compression=_text(descriptor.compression),
            bloom_filter=_text(descriptor.bloomFilterType),
            in_memory=bool(descriptor.inMemory),
            block_cache=bool(descriptor.blockCacheEnabled),
            ttl_s=descriptor.timeToLive,
        )
    return families


def _descriptor(name: bytes, family: Family) -> ColumnDescriptor:
    return ColumnDescriptor(
        name=name + b":",
        maxVersions=family.versions,
        compression=family.compression,
        inMemory=family.in_memory,
        bloomFilterType=family.bloom_filter,
        blockCacheEnabled=family.block_cache,
        timeToLive=family.announced_ttl_s,
    )


def _text(value: bytes | str) -> str:
    """A text that came over the wire, or the protocol's default."""
    return value.decode() if isinstance(value, bytes) else value
