"""The HBase driver as the store uses it: its names in one place, and a connection with a deadline.

A call of the Thrift client goes in, its answer or one of the driver's errors comes out. Nothing
else of `webrec` but a benchmark's yardstick (`webrec.storage.hbase_bare`) knows the driver.

All times are seconds.
"""

from __future__ import annotations

import select
import time

import happybase  # brings Hbase_thrift
from happybase.batch import BatchMutation, Mutation
from happybase.connection import ColumnDescriptor
from happybase.table import TScan
from Hbase_thrift import AlreadyExists, IllegalArgument
from Hbase_thrift import IOError as HBaseError
from thriftpy2.protocol.cybin import ProtocolError
from thriftpy2.thrift import TException
from thriftpy2.transport import TSocket

from webrec.storage.hbase_uri import Server

__all__ = [
    "ANSWERED",
    "INTERRUPTED",
    "AlreadyExists",
    "BatchMutation",
    "ColumnDescriptor",
    "Connection",
    "HBaseError",
    "IllegalArgument",
    "Mutation",
    "TScan",
]

IDLE_S = 30.0
"""A connection that was idle for longer is closed; the server's own limit is 60 s."""

ANSWERED = (HBaseError, IllegalArgument, AlreadyExists)
"""What the server answers in its protocol: the call came to its end, the connection is sound."""

INTERRUPTED = (OSError, EOFError, TException, ProtocolError)
"""What a call ends with that came to no proper end: its connection must not be used again."""


class _Socket(TSocket):  # type: ignore[misc]  # the library has no types that mypy can read
    """A socket whose calls end by a moment, however many reads they take."""

    deadline = 0.0

    def open(self) -> None:
        """Connect."""
        self.connect_timeout = _left(self.deadline)
        super().open()

    def read(self, size: int) -> bytes:
        """Read at most ``size`` bytes."""
        self.sock.settimeout(_left(self.deadline))
        found: bytes = super().read(size)
        return found

    def write(self, data: bytes) -> None:
        """Write all of it."""
        self.sock.settimeout(_left(self.deadline))
        super().write(data)

    @property
    def is_quiet(self) -> bool:
        """Neither closed by the server nor with bytes that answer no call."""
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        return not waiting.poll(0)


class Connection(happybase.Connection):  # type: ignore[misc]  # the library has no types
    """One connection, opened by its first call."""

    def __init__(self, server: Server) -> None:
        super().__init__(
            server.host,
            server.port,
            autoconnect=False,
            table_prefix=server.prefix,
            table_prefix_separator=".",
            transport=server.transport,
        )
        self.idle_since = 0.0

    def _refresh_thrift_client(self) -> None:
        """As the base class does, over a socket of ours."""
        self.socket = _Socket(self.host, self.port)
        self.transport = self._transport_class(self.socket)
        protocol = self._protocol_class(self.transport, decode_response=False)
        self.client = happybase.connection.TClient(happybase.connection.Hbase, protocol)

    def name_of(self, table: str) -> bytes:
        """The full name of one of our tables."""
        name: bytes = self._table_name(table)
        return name

    def is_sound(self, now: float) -> bool:
        """Whether it can be lent again."""
        return now - self.idle_since < IDLE_S and self.socket.is_quiet


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
