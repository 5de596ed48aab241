"""[3] Many rows of a generation, written at once and counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from webrec.storage import Store
from webrec.storage.base import Cells


class BulkWriter:
    """Writes rows of generations.

    Args:
        store: any `webrec.storage.Store`.

    Attributes:
        cells_written: by this object.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.cells_written = 0

    def put(self, table: str, rows: Iterable[tuple[bytes, Cells]]) -> None:
        """Write rows of one table."""

        def counted() -> Iterator[tuple[bytes, Cells]]:
            for row, found in rows:
                self.cells_written += len(found)
                yield row, found

        self._store.put_many(table, counted())
