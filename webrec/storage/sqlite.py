"""The embedded store: SQLite in WAL mode, one SQL table per table, one SQL row per cell.

Several processes may use one file at once: readers never wait, writers take turns by
``BEGIN IMMEDIATE``. A commit is on disk when it returns (``synchronous=FULL``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from hbase_schema.families import Family
from webrec.errors import StoreUnavailable
from webrec.storage.base import Cells, RowCells, Swap
from webrec.storage.sqlite_pool import Pool

_ROWS_PER_TRANSACTION = 5_000
"""Rows written at once: many share one fsync, and other writers still get their turn."""

_ROWS_PER_PAGE = 1_000
"""Rows of a scan that are in memory at once."""

_DURABLE = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "mmap_size = 1073741824",  # bytes: a model's rows are read without copying
    "cache_size = -16384",  # KiB
)
"""How a database is opened that outlives its process."""

_SCRATCH = ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -65536")
"""How a database is opened that does not: nothing is flushed, and its cache has 64 MiB."""

T = TypeVar("T")


class SqliteStore:
    """A `webrec.storage.base.Store` in one file.

    Args:
        path: the database; it and its folder are made when missing.
        scratch: nothing in it needs to outlive this process, so nothing waits for the disk.
    """

    def __init__(self, path: Path, *, scratch: bool = False) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"the folder of {path} cannot be made: {error}") from error
        self._pool = Pool(path, _SCRATCH if scratch else _DURABLE)

    def create_table(self, table: str, families: Sequence[Family]) -> None:  # noqa: ARG002
        """Create the table, if it is not there yet; its cells are kept alike in any family."""
        with self._pool.lend() as db:
            db.execute(
                f"CREATE TABLE IF NOT EXISTS {_quoted(table)}"
                " (row BLOB, col BLOB, val BLOB NOT NULL, PRIMARY KEY (row, col)) WITHOUT ROWID"
            )

    def drop_table(self, table: str) -> None:
        """Drop the table with all it holds, if it is there."""
        with self._pool.lend() as db:
            db.execute(f"DROP TABLE IF EXISTS {_quoted(table)}")

    def tables(self) -> list[str]:
        """The names of all tables, sorted."""
        with self._pool.lend() as db:
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
        pool = self._pool
        db = pool.take()
        try:
            return _select(db, table, row, columns)
        except sqlite3.Error as error:
            raise pool.ours(error) from error
        finally:
            pool.give_back(db)

    def get_many(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes] | None = None
    ) -> list[RowCells]:
        """The cells of many rows, in the order asked."""
        with self._pool.lend() as db:
            return [_select(db, table, row, columns) for row in rows]

    def put_many(self, table: str, rows: Iterable[tuple[bytes, Cells]]) -> None:
        """Write cells, a few thousand rows a transaction."""
        sql = f"INSERT OR REPLACE INTO {_quoted(table)} VALUES (?, ?, ?)"  # noqa: S608
        for chunk in _chunks(rows):
            with self._pool.transaction() as db:
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
            with self._pool.transaction() as db:
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
            with self._pool.transaction() as db:
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
            with self._pool.lend() as db:
                page, last = _page(db, table, after, stop, columns)
            yield from page
            if last is None:
                return
            after = (">", last)

    def ping(self, within_s: float | None = None) -> None:  # noqa: ARG002 - as in `get`
        """Return if the database answers."""
        with self._pool.lend() as db:
            db.execute("SELECT 1").fetchone()

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


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
        known from the keys, since rows may be deleted before their cells are read.
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
