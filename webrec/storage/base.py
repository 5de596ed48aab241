"""The seam to every row store: rows and nothing else.

A table maps a row key to cells, a cell is named by its column ``family:qualifier``. Everything is
bytes; a missing row is an empty mapping. Rows and columns are ordered by their bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from hbase_schema.families import Family

Cells = Mapping[bytes, bytes]
RowCells = dict[bytes, bytes]


class Swap(NamedTuple):
    """A value to write.

    Attributes:
        expected: what the cell must hold, not empty; None: it must be absent.
    """

    expected: bytes | None
    value: bytes


class Store(Protocol):
    """Rows by key, over any back end. Safe to use from several threads and processes.

    Every method raises `webrec.errors.StoreUnavailable` when the store does not answer. Reading
    from or writing to a table that does not exist raises `webrec.errors.NotFound`.
    """

    def create_table(self, table: str, families: Sequence[Family]) -> None:
        """Create the table, if it is not there yet.

        Args:
            families: those of every column that will be written.
        """
        ...

    def drop_table(self, table: str) -> None:
        """Drop the table with all it holds, if it is there."""
        ...

    def tables(self) -> list[str]:
        """The names of all tables, sorted."""
        ...

    def get(
        self,
        table: str,
        row: bytes,
        columns: Sequence[bytes] | None = None,
        within_s: float | None = None,
    ) -> RowCells:
        """The cells of one row; with ``columns``, only these (absent ones are left out).

        Args:
            within_s: seconds after which the answer is of no use any more.
        """
        ...

    def get_many(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes] | None = None
    ) -> list[RowCells]:
        """The cells of many rows, in the order asked."""
        ...

    def put_many(self, table: str, rows: Iterable[tuple[bytes, Cells]]) -> None:
        """Write cells; existing ones with the same row and column are replaced."""
        ...

    def check_and_put(
        self,
        table: str,
        column: bytes,
        rows: Mapping[bytes, Swap],
        within_s: float | None = None,
    ) -> list[bool]:
        """Write a cell of each row if it holds what is expected, each row atomically.

        Args:
            within_s: seconds after which it must not be tried any more.

        Returns:
            One bool per row, in order: True where this call wrote it.
        """
        ...

    def delete_many(self, table: str, rows: Iterable[tuple[bytes, Sequence[bytes] | None]]) -> None:
        """Delete the named columns of each row; None deletes the whole row."""
        ...

    def scan(
        self,
        table: str,
        start: bytes = b"",
        stop: bytes | None = None,
        columns: Sequence[bytes] | None = None,
    ) -> Iterator[tuple[bytes, RowCells]]:
        """Rows with ``start <= key < stop`` in key order, read in bounded pages.

        Rows written while the scan runs may or may not be seen.
        """
        ...

    def ping(self, within_s: float | None = None) -> None:
        """Return if the store answers, within so many seconds."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...
