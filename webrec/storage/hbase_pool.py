"""Connections to an HBase Thrift server, each lent to one call at a time.

The Thrift protocol answers in order and the client does not compare sequence ids: on a connection
whose last call was interrupted, the next caller reads the answer meant for the one before. So a
connection goes back into the pool only when its call came to its proper end, and never else.

All times are seconds.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from webrec.errors import StoreUnavailable
from webrec.storage.hbase_driver import ANSWERED, INTERRUPTED, Connection
from webrec.storage.hbase_uri import Server

_MAX_IDLE = 32
"""Idle connections that a process keeps at most; those of a burst are closed after their calls."""


class Broken(StoreUnavailable):
    """A call came to no end: whether the server carried it out is not known.

    Attributes:
        was_idle: the connection had answered before and may have died of age.
    """

    def __init__(self, message: str, *, was_idle: bool) -> None:
        super().__init__(message)
        self.was_idle = was_idle


class Pool:
    """As many connections as there are calls at once; safe to use from several threads.

    Its lock guards which connections are idle; a connection in use belongs to its call alone.

    Args:
        server: where to connect.

    Attributes:
        server: the same.
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
        except INTERRUPTED as error:
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


def _reason(error: Exception) -> str:
    """What happened, in words."""
    text: Any = getattr(error, "message", None) or getattr(error, "strerror", None) or error
    if isinstance(text, bytes):
        text = text.decode(errors="replace").partition("\n")[0]
    if isinstance(error.__context__, OSError):
        text = f"{text} ({error.__context__})"  # why it could not connect
    return f"{type(error).__name__}: {text}" if str(text) else type(error).__name__
