"""Connections to an HBase Thrift server, each lent to one call at a time.

The Thrift protocol answers in order and the client does not compare sequence ids: on a connection
whose last call was interrupted, the next caller reads the answer meant for the one before. So a
connection goes back into the pool only when its call came to its proper end, and never else.

All times are seconds.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import happybase  # brings Hbase_thrift
from Hbase_thrift import AlreadyExists, IllegalArgument
from Hbase_thrift import IOError as HBaseError
from thriftpy2.protocol.cybin import ProtocolError
from thriftpy2.thrift import TException
from thriftpy2.transport import TSocket

from webrec.errors import StoreUnavailable
from webrec.storage.hbase_uri import Server

__all__ = [
    "ANSWERED",
    "AlreadyExists",
    "Broken",
    "Connection",
    "HBaseError",
    "IllegalArgument",
    "Pool",
]

IDLE_S = 30.0
"""A connection that was idle for longer is closed; the server's own limit is 60 s."""

_MAX_IDLE = 32

ANSWERED = (HBaseError, IllegalArgument, AlreadyExists)
"""What the server answers in its protocol: the call came to its end, the connection is sound."""


class Broken(StoreUnavailable):
    """A call came to no end: whether the server carried it out is not known.

    Attributes:
        was_idle: the connection had answered before and may have died of age.
    """

    def __init__(self, message: str, *, was_idle: bool) -> None:
        super().__init__(message)
        self.was_idle = was_idle


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
        """Neither closed by the server nor with bytes that nobody asked for."""
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


class Pool:
    """As many connections as there are calls at once; safe to use from several threads.

    Args:
        server: where to connect.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._inherited: list[Connection] = []
        self._pid = os.getpid()

    @contextmanager
    def lend(self, within_s: float) -> Iterator[Connection]:
        """A connection for one call, which must be answered within this time.

        Raises:
            Broken: it was not.
        """
        connection = self._take()
        was_idle = connection is not None
        if connection is None:
            connection = Connection(self.server)
        connection.socket.deadline = time.monotonic() + within_s
        try:
            if not was_idle:
                connection.open()
            yield connection
        except ANSWERED:
            self._give_back(connection)
            raise
        except TimeoutError as error:
            connection.close()
            raise Broken(
                f"{self.server} did not answer within {within_s:.3g} s", was_idle=False
            ) from error
        except (OSError, EOFError, TException, ProtocolError) as error:
            connection.close()
            if was_idle:
                self.close()  # what else is idle may have died with the same server
            raise Broken(f"{self.server}: {_reason(error)}", was_idle=was_idle) from error
        except BaseException:
            connection.close()  # a greenlet's kill, an interrupt: it goes on, this does not
            raise
        else:
            self._give_back(connection)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            self._leave_to_parent()
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> Connection | None:
        """The idle connection that was used last, if it is sound."""
        while True:
            with self._lock:
                self._leave_to_parent()
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.is_sound(time.monotonic()):
                return connection
            connection.close()

    def _leave_to_parent(self) -> None:
        """After a fork: what is idle is our parent's; closing it would hang up on it."""
        if self._pid != os.getpid():
            self._inherited += self._idle  # as long as we live: whatever is dropped is closed
            self._idle = []
            self._pid = os.getpid()

    def _give_back(self, connection: Connection) -> None:
        connection.idle_since = time.monotonic()
        with self._lock:
            if len(self._idle) < _MAX_IDLE:
                self._idle.append(connection)
                return
        connection.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _reason(error: Exception) -> str:
    """What happened, in words."""
    said: Any = getattr(error, "message", None) or getattr(error, "strerror", None) or error
    if isinstance(said, bytes):
        said = said.decode(errors="replace").partition("\n")[0]
    if isinstance(error.__context__, OSError):
        said = f"{said} ({error.__context__})"  # why it could not connect
    return f"{type(error).__name__}: {said}" if str(said) else type(error).__name__
