"""The embedded store: SQLite in WAL mode, one SQL table per table, one SQL row per cell.

Several processes may use one file at once: readers never wait, writers take turns by
``BEGIN IMMEDIATE``. A commit is on disk when it returns (``synchronous=FULL``).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

from hbase_schema.families import Family
from webrec.errors import NotFound, StoreUnavailable, WebrecError
from webrec.storage.base import Cells, RowCells, Swap

_BUSY_TIMEOUT_S = 10.0
_ROWS_PER_TRANSACTION = 5_000
_ROWS_PER_PAGE = 1_000
_DURABLE = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "mmap_size = 1073741824",
    "cache_size = -16384",  # KiB
)
_SCRATCH = ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -65536")

T = TypeVar("T")


class SqliteStore:
    """A `webrec.storage.base.Store` in one file.

    Args:
        path: the database; it and its folder are made when missing.
        scratch: nothing in it needs to outlive this process, so nothing waits for the disk.
    """

    def __init__(self, path: Path, *, scratch: bool = False) -> None:
        self._path = path
        self._pragmas = _SCRATCH if scratch else _DURABLE
        self._opened: set[sqlite3.Connection] = set()
        self._idle: list[sqlite3.Connection] = []
        self._inherited: list[sqlite3.Connection] = []
        self._pid = os.getpid()
        self._fork_lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"the folder of {path} cannot be made: {error}") from error

    def create_table(self, table: str, families: Sequence[Family]) -> None:  # noqa: ARG002
        """Create the table, if it is not there yet; its cells are kept alike in any family."""
        with self._driver() as db:
            db.execute(
                f"CREATE TABLE IF NOT EXISTS {_quoted(table)}"
                " (row BLOB, col BLOB, val BLOB NOT NULL, PRIMARY KEY (row, col)) WITHOUT ROWID"
            )

    def drop_table(self, table: str) -> None:
        """Drop the table with all it holds, if it is there."""
        with self._driver() as db:
            db.execute(f"DROP TABLE IF EXISTS {_quoted(table)}")

    def tables(self) -> list[str]:
        """The names of all tables, sorted."""
        with self._driver() as db:
            return [
                name
                for (name,) in db.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
                )
            ]

    def get(
        self,
        table: str,
        row: bytes,
        columns: Sequence[bytes] | None = None,
        within_s: float | None = None,  # noqa: ARG002 - readers of a local file never wait
    ) -> RowCells:
        """The cells of one row; with ``columns``, only these."""
        db = self._take()
        try:
            return _select(db, table, row, columns)
        except sqlite3.Error as error:
            raise self._ours(error) from error
        finally:
            self._give_back(db)

    def get_many(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes] | None = None
    ) -> list[RowCells]:
        """The cells of many rows, in the order asked."""
        with self._driver() as db:
            return [_select(db, table, row, columns) for row in rows]

    def put_many(self, table: str, rows: Iterable[tuple[bytes, Cells]]) -> None:
        """Write cells, a few thousand rows a transaction."""
        sql = f"INSERT OR REPLACE INTO {_quoted(table)} VALUES (?, ?, ?)"  # noqa: S608
        for chunk in _chunks(rows):
            with self._transaction() as db:
                db.executemany(
                    sql, ((row, col, val) for row, cells in chunk for col, val in cells.items())
                )

    def check_and_put(
        self,
        table: str,
        column: bytes,
        rows: Mapping[bytes, Swap],
        within_s: float | None = None,  # noqa: ARG002 - it waits for other writers at most
    ) -> list[bool]:
        """Write a cell of each row if it holds what is expected, each row atomically."""
        insert = f"INSERT OR IGNORE INTO {_quoted(table)} VALUES (?, ?, ?)"  # noqa: S608
        update = f"UPDATE {_quoted(table)} SET val = ? WHERE row = ? AND col = ? AND val = ?"  # noqa: S608
        done: list[bool] = []
        for chunk in _chunks(rows.items()):
            with self._transaction() as db:
                for row, (expected, value) in chunk:
                    if expected is None:
                        written = db.execute(insert, (row, column, value))
                    else:
                        written = db.execute(update, (value, row, column, expected))
                    done.append(written.rowcount == 1)
        return done

    def delete_many(self, table: str, rows: Iterable[tuple[bytes, Sequence[bytes] | None]]) -> None:
        """Delete the named columns of each row; None deletes the whole row."""
        sql = f"DELETE FROM {_quoted(table)} WHERE row = ?"  # noqa: S608
        for chunk in _chunks(rows):
            with self._transaction() as db:
                for row, columns in chunk:
                    if columns is None:
                        db.execute(sql, (row,))
                    else:
                        db.executemany(f"{sql} AND col = ?", ((row, col) for col in columns))

    def scan(
        self,
        table: str,
        start: bytes = b"",
        stop: bytes | None = None,
        columns: Sequence[bytes] | None = None,
    ) -> Iterator[tuple[bytes, RowCells]]:
        """Rows with ``start <= key < stop`` in key order.

        Each page is a query of its own, so that no long read keeps the write-ahead log from
        being folded back into the file.
        """
        after: tuple[str, bytes] = (">=", start)
        while True:
            with self._driver() as db:
                page, last = _page(db, table, after, stop, columns)
            yield from page
            if last is None:
                return
            after = (">", last)

    def ping(self, within_s: float | None = None) -> None:  # noqa: ARG002 - as in `get`
        """Return if the database answers."""
        with self._driver() as db:
            db.execute("SELECT 1").fetchone()

    def close(self) -> None:
        """Close all connections."""
        self._leave_to_parent()
        self._idle.clear()
        while self._opened:
            self._opened.pop().close()

    def _take(self) -> sqlite3.Connection:
        """A connection for one call: the one that was used last, whose cache is the warmest."""
        self._leave_to_parent()
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            return self._connect()
        except sqlite3.Error as error:
            raise self._ours(error) from error

    def _give_back(self, db: sqlite3.Connection) -> None:
        if db not in self._opened:
            return  # closed meanwhile
        if db.in_transaction:  # an interrupt came in between
            db.rollback()
        self._idle.append(db)

    def _leave_to_parent(self) -> None:
        """After a fork: what is open is our parent's, and must be neither used nor closed."""
        if self._pid == os.getpid():
            return
        with self._fork_lock:
            if self._pid != os.getpid():
                self._inherited += self._opened
                self._opened, self._idle = set(), []
                self._pid = os.getpid()

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

    @contextmanager
    def _driver(self) -> Iterator[sqlite3.Connection]:
        db = self._take()
        try:
            yield db
        except sqlite3.Error as error:
            raise self._ours(error) from error
        finally:
            self._give_back(db)

    def _ours(self, error: sqlite3.Error) -> WebrecError:
        """The one place where the driver's errors become ours."""
        if "no such table" in str(error):
            return NotFound(f"{error} in {self._path}")
        return StoreUnavailable(f"{self._path}: {error}")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._driver() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:  # on a full disk SQLite has rolled back by itself
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


def _quoted(table: str) -> str:
    return '"' + table.replace('"', '""') + '"'


def _select(
    db: sqlite3.Connection, table: str, row: bytes, columns: Sequence[bytes] | None
) -> RowCells:
    sql = f"SELECT col, val FROM {_quoted(table)} WHERE row = ?"  # noqa: S608
    if columns is None:
        return dict(db.execute(sql, (row,)).fetchall())
    sql += f" AND col IN ({', '.join('?' * len(columns))})"
    return dict(db.execute(sql, (row, *columns)).fetchall())


def _page(
    db: sqlite3.Connection,
    table: str,
    after: tuple[str, bytes],
    stop: bytes | None,
    columns: Sequence[bytes] | None,
) -> tuple[list[tuple[bytes, RowCells]], bytes | None]:
    """The next rows past ``after``, at most `_ROWS_PER_PAGE`, each with the wanted cells.

    Returns:
        The rows, and where the next page goes on; None at the end. Whether this is the end is
        told by the keys, since rows may be deleted before their cells are read.
    """
    comparison, key = after
    name = _quoted(table)
    where, values = [f"row {comparison} ?"], [key]
    if stop is not None:
        where.append("row < ?")
        values.append(stop)
    if columns is not None:
        where.append(f"col IN ({', '.join('?' * len(columns))})")
        values += columns
    condition = " AND ".join(where)
    keys = f"SELECT DISTINCT row FROM {name} WHERE {condition} ORDER BY row LIMIT {_ROWS_PER_PAGE}"  # noqa: S608
    found, last = db.execute(f"SELECT count(*), max(row) FROM ({keys})", values).fetchone()  # noqa: S608
    if last is None:
        return [], None
    rows: dict[bytes, RowCells] = {}
    sql = f"SELECT row, col, val FROM {name} WHERE {condition} AND row <= ? ORDER BY row, col"  # noqa: S608
    for row, col, val in db.execute(sql, (*values, last)):
        rows.setdefault(row, {})[col] = val
    return list(rows.items()), last if found == _ROWS_PER_PAGE else None


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _ROWS_PER_TRANSACTION)):
        yield chunk
