"""[3] Visitors between two batches: what they did since a generation, and who was forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from hbase_schema import cells, names, row_keys
from hbase_schema.cells import RecentCell
from webrec.storage import Store
from webrec.tables.generations import Generation


class Recent(NamedTuple):
    """What happened to a visitor since a generation.

    Attributes:
        cells: by column.
        forgotten_us: when the visitor was forgotten last (µs); 0 for never.
    """

    cells: dict[bytes, RecentCell]
    forgotten_us: int


class Visitors:
    """Reads and writes of the visitors' recent rows, and of the list of forgotten visitors.

    Args:
        store: any `webrec.storage.Store`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def put_recent(self, found: Iterable[tuple[str, bytes, RecentCell]]) -> None:
        """Write cells of visitors' recent rows, by visitor and column."""
        rows: dict[bytes, dict[bytes, bytes]] = {}
        for visitor, column, cell in found:
            rows.setdefault(row_keys.visitor_key(visitor), {})[column] = cells.pack_recent(cell)
        self._store.put_many(names.RECENT, rows.items())

    def recent(
        self, visitor: str, covers: Callable[[str], bool], within_s: float | None = None
    ) -> Recent:
        """What happened to a visitor since a generation.

        Args:
            covers: whether the generation has absorbed a segment.
            within_s: seconds after which the answer is of no use any more.
        """
        row = self._store.get(names.RECENT, row_keys.visitor_key(visitor), within_s=within_s)
        if not row:
            return Recent({}, 0)
        forgotten_us = _forgotten_us(row)
        memo = cache(covers)
        found = {
            column: cells.unpack_recent(cell)
            for column, cell in row.items()
            if column.startswith(names.EVENT) and not memo(row_keys.segment_of(column))
        }
        valid = {column: cell for column, cell in found.items() if cell.first_us > forgotten_us}
        return Recent(valid, forgotten_us)

    def clean_recent(self, oldest: Generation) -> int:
        """Delete the cells that every kept generation has absorbed.

        Args:
            oldest: the oldest generation kept.

        Returns:
            How many cells were deleted.
        """
        deleted = 0

        def absorbed() -> Iterator[tuple[bytes, Sequence[bytes]]]:
            nonlocal deleted
            for row, found in self._store.scan(names.RECENT):
                columns = [c for c, cell in found.items() if _absorbed(oldest, c, cell)]
                if columns:
                    deleted += len(columns)
                    yield row, columns

        self._store.delete_many(names.RECENT, absorbed())
        return deleted

    def forget(self, visitor: str, now_us: int) -> None:
        """From now on, nothing received until ``now_us`` counts for this visitor."""
        row = row_keys.visitor_key(visitor)
        at = cells.pack_int(now_us)
        self._store.put_many(names.FORGOTTEN, [(row, {names.AT: at})])
        self._store.put_many(names.RECENT, [(row, {names.FORGOTTEN_AT: at})])
        before = [
            column
            for column, cell in self._store.get(names.RECENT, row).items()
            if column != names.FORGOTTEN_AT and cells.unpack_recent(cell).first_us <= now_us
        ]
        self._store.delete_many(names.RECENT, [(row, before)])

    def forgotten_us(self, visitors: Iterable[str]) -> dict[str, int]:
        """The moment (µs) until which nothing counts, by visitor; 0 for never forgotten."""
        wanted = list(dict.fromkeys(visitors))
        rows = self._store.get_many(
            names.RECENT, [row_keys.visitor_key(v) for v in wanted], (names.FORGOTTEN_AT,)
        )
        return {v: _forgotten_us(row) for v, row in zip(wanted, rows, strict=True)}

    def forgotten(self) -> dict[str, int]:
        """The visitors to take out of the log, with the moment (µs) until which."""
        return {
            row_keys.visitor_of(row): cells.unpack_int(found[names.AT])
            for row, found in self._store.scan(names.FORGOTTEN)
        }

    def forgotten_done(self, visitors: dict[str, int]) -> None:
        """Their events are out of the log; those forgotten again since then stay listed."""
        now = self.forgotten()
        rows = [row_keys.visitor_key(v) for v, at_us in visitors.items() if now.get(v) == at_us]
        self._store.delete_many(names.FORGOTTEN, [(row, None) for row in rows])


def _forgotten_us(row: dict[bytes, bytes]) -> int:
    marker = row.get(names.FORGOTTEN_AT)
    return 0 if marker is None else cells.unpack_int(marker)


def _absorbed(oldest: Generation, column: bytes, cell: bytes) -> bool:
    if column == names.FORGOTTEN_AT:
        # a segment still open at the cut may hold what came before, for a replay to find
        return oldest.watermark.is_complete and cells.unpack_int(cell) <= oldest.cut_us
    return oldest.watermark.covers(row_keys.segment_of(column))
