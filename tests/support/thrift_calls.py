"""Calls to an HBase Thrift server as tests make them, and the bytes they are made of."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import happybase
import pytest
from Hbase_thrift import ColumnDescriptor, IllegalArgument, Mutation, TScan
from Hbase_thrift import IOError as HBaseIOError
from thriftpy2.thrift import TApplicationException, TClient

from tests.support.thrift_gateway import HOST

TABLE = b"drift.things"
"""The table that the calls in short are for."""


class Server:
    """A connection to a server, of either kind, and its calls in short.

    Attributes:
        client: the calls as they are.
    """

    def __init__(self, port: int, *, timeout_s: float = 60.0, transport: str = "buffered") -> None:
        self.port = port
        timeout_ms = int(timeout_s * 1000)
        self._connection = happybase.Connection(HOST, port, timeout=timeout_ms, transport=transport)
        self.client: TClient = self._connection.client

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def put(self, row: bytes, cells: dict[bytes, bytes], at_ms: int) -> None:
        """Write cells at a time of ours."""
        self.client.mutateRowTs(TABLE, row, puts(cells), at_ms, {})

    def delete(self, row: bytes, columns: list[bytes], at_ms: int) -> None:
        """Delete columns or families up to a time of ours."""
        self.client.mutateRowTs(TABLE, row, deletions(columns), at_ms, {})

    def row(self, row: bytes, columns: list[bytes] | None = None) -> dict[bytes, bytes]:
        """The values of a row."""
        found = self.client.getRowWithColumns(TABLE, row, columns, {})
        return {c: cell.value for result in found for c, cell in result.columns.items()}

    def scan(
        self, start: bytes, stop: bytes, columns: list[bytes] | None = None
    ) -> list[tuple[bytes, list[bytes]]]:
        """The keys of a range, each with its columns, sorted."""
        scanner = self.open_scan(start, stop, columns)
        found = self.client.scannerGetList(scanner, 100)
        self.client.scannerClose(scanner)
        return [(result.row, sorted(result.columns)) for result in found]

    def open_scan(self, start: bytes, stop: bytes, columns: list[bytes] | None = None) -> int:
        """The id of a new scanner."""
        scan = TScan(startRow=start, stopRow=stop, columns=columns)
        scanner: int = self.client.scannerOpenWithScan(TABLE, scan, {})
        return scanner

    def check_and_put(
        self, row: bytes, column: bytes, expected: bytes | None, value: bytes
    ) -> bool:
        """Change one cell."""
        put = Mutation(isDelete=False, column=column, value=value)
        done: bool = self.client.checkAndPut(TABLE, row, column, expected, put, {})
        return done

    def create(self, name: bytes, **options: object) -> None:
        """Make a table of one family."""
        self.client.createTable(name, [ColumnDescriptor(name=b"m:", **options)])

    def drop(self, name: bytes) -> None:
        """Drop a table, if it is there."""
        if name in self.client.getTableNames():
            if self.client.isTableEnabled(name):
                self.client.disableTable(name)
            self.client.deleteTable(name)


def puts(cells: dict[bytes, bytes]) -> list[Mutation]:
    """Mutations that write."""
    return [Mutation(isDelete=False, column=c, value=value) for c, value in cells.items()]


def deletions(columns: list[bytes]) -> list[Mutation]:
    """Mutations that delete."""
    return [Mutation(isDelete=True, column=column) for column in columns]


def refusal(call: Callable[..., object], *arguments: object) -> str:
    """The first line of the IOError that answers a call: what follows is a stack trace."""
    with pytest.raises(HBaseIOError) as caught:
        call(*arguments)
    message: bytes = caught.value.message
    return message.split(b"\n")[0].decode()


def illegal(call: Callable[..., object], *arguments: object) -> str:
    """The same of an IllegalArgument."""
    with pytest.raises(IllegalArgument) as caught:
        call(*arguments)
    message: bytes = caught.value.message
    return message.split(b"\n")[0].decode()


def internal_error(call: Callable[..., object], *arguments: object) -> str:
    """The message of the error that answers what the server did not expect."""
    with pytest.raises(TApplicationException) as caught:
        call(*arguments)
    message: bytes = caught.value.message
    return message.decode()


def in_threads(n: int, work: Callable[[], None]) -> None:
    """Do the same in so many threads, which take turns as often as they can, and wait for all."""
    threads = [threading.Thread(target=work) for _ in range(n)]
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval_s)


def talk(port: int, data: bytes) -> bytes:
    """What a server answers to these bytes and the end of the connection."""
    answer = b""
    with (
        socket.create_connection((HOST, port)) as connection,
        suppress(OSError),  # it may hang up before it has read all
    ):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(2**16):
            answer += piece
    return answer


def message(name: bytes, number: int, *, kind: int = 1, body: bytes | None = None) -> bytes:
    """A message of the binary protocol; a call's body is the name of the table."""
    body = text(1, TABLE) + b"\x00" if body is None else body
    return (
        struct.pack(">II", 0x80010000 | kind, len(name)) + name + struct.pack(">i", number) + body
    )


def text(field: int, value: bytes) -> bytes:
    """A field that holds a string."""
    return struct.pack(">bhi", 11, field, len(value)) + value
