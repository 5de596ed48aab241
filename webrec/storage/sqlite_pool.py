"""Connections to a SQLite database, each lent to one call at a time, and its errors as ours.

All times are seconds.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from webrec.errors import NotFound, StoreUnavailable, WebrecError

_BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for its turn: long enough for the largest transaction of another."""


class Pool:
    """As many connections as there are calls at once; safe to use from several threads.

    Taking from and giving back to the list of idle connections is one step each for all threads;
    the lock guards what a fork changes.

    Args:
        path: the database.
        pragmas: what each connection begins with.
    """

    def __init__(self, path: Path, pragmas: Sequence[str]) -> None:
        self._path = path
        self._pragmas = pragmas
        self._opened: set[sqlite3.Connection] = set()
        self._idle: list[sqlite3.Connection] = []
        self._inherited: list[sqlite3.Connection] = []
        self._pid = os.getpid()
        self._fork_lock = threading.Lock()

    def take(self) -> sqlite3.Connection:
        """A connection for one call: the one that was used last, whose cache is the warmest.

        Its caller gives it back, whatever happens; `lend` does so by itself, at some cost.

        Raises:
            StoreUnavailable: the database cannot be opened.
        """
        self._leave_to_parent()
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            return self._connect()
        except sqlite3.Error as error:
            raise self.ours(error) from error

    def give_back(self, db: sqlite3.Connection) -> None:
        """End a call."""
        if db not in self._opened:
            return  # closed meanwhile
        if db.in_transaction:  # an interrupt came in between
            db.rollback()
        self._idle.append(db)

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """A connection for what is done within; the driver's errors come out as ours."""
        db = self.take()
        try:
            yield db
        except sqlite3.Error as error:
            raise self.ours(error) from error
        finally:
            self.give_back(db)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The same, for a transaction that writes: all of it or nothing."""
        with self.lend() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:  # on a full disk SQLite has rolled back by itself
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def ours(self, error: sqlite3.Error) -> WebrecError:
        """The one place where the driver's errors become ours."""
        if "no such table" in str(error):
            return NotFound(f"{error} in {self._path}")
        return StoreUnavailable(f"{self._path}: {error}")

    def close(self) -> None:
        """Close all connections."""
        self._leave_to_parent()
        self._idle.clear()
        while self._opened:
            self._opened.pop().close()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in self._pragmas:
                db.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            db.close()
            raise
        self._opened.add(db)
        return db

    def _leave_to_parent(self) -> None:
        """After a fork: what is open is our parent's, and must be neither used nor closed."""
        if self._pid == os.getpid():
            return
        with self._fork_lock:
            if self._pid != os.getpid():
                self._inherited += self._opened
                self._opened, self._idle = set(), []
                self._pid = os.getpid()
