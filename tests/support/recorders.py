"""Recorders in tests: events for them, what they show, and stores and processes that fail."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from hbase_schema import names as t
from hbase_schema.cells import RecentCell
from webrec.domain.types import Event
from webrec.recording.recorder import Recorder
from webrec.storage.base import RowCells, Swap
from webrec.storage.sqlite import SqliteStore
from webrec.tables.tables import Tables

A, B, C = (f"https://site.example/{name}" for name in "abc")
ANN, BOB = "u:ann", "u:bob"
LARGE = 1 << 20
"""Bytes or events that no test comes to."""

Seen = dict[str, tuple[int, int]]
"""Visits and accepts by URL."""

Start = Callable[..., Recorder]
"""Makes a recorder, as if it were a process of its own."""


def visit(url: str = A, visitor: str | None = ANN, event_id: str | None = None) -> Event:
    """A visitor opened a page."""
    return Event("visit", url, visitor, 0, event_id)


def accept(url: str = A, visitor: str | None = ANN) -> Event:
    """A visitor followed a recommendation."""
    return Event("accept", url, visitor, 0)


def page(url: str, title: str, at_ms: int = 1) -> Event:
    """A sender described a page."""
    return Event("page", url, None, at_ms, title=title)


def summed(cells: Iterable[RecentCell]) -> Seen:
    """Visits and accepts of each URL in cells of a recent row."""
    visits: Counter[str] = Counter()
    accepts: Counter[str] = Counter()
    for cell in cells:
        visits[cell.url] += cell.visits
        accepts[cell.url] += cell.accepts
    return {url: (visits[url], accepts[url]) for url in visits}


def known(recorder: Recorder, visitor: str = ANN) -> Seen:
    """Visits and accepts of each URL, as this recorder's process sees them."""
    return summed(recorder.recent(visitor, lambda _: False).cells.values())


def stored(tables: Tables, visitor: str = ANN) -> Seen:
    """The same as every other process sees it."""
    return summed(tables.visitors.recent(visitor, lambda _: False).cells.values())


def kill(recorder: Recorder) -> None:
    """Leave what a killed process does: its open segments, unlocked, and nothing in memory."""
    segments = recorder._segments.release_quiet()
    assert segments
    for part in (recorder._unclaimed, recorder._overlay, recorder._page_texts):
        part.evict(segments)
    for source in segments:
        source.segment.abandon()


@contextmanager
def store_away(tmp_path: Path) -> Iterator[None]:
    """Nothing can be written to the store meanwhile."""
    with closing(sqlite3.connect(tmp_path / "webrec.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


class Meanwhile(SqliteStore):
    """A store in which something happens once, before it does what is asked.

    Args:
        when: ``ids are claimed``, ``marks are read``, ``recent is written``, ``recent is read``; or
            ``recent was read``, which is right after it.
        happen: what happens.
        skip: how many times it does not happen before.

    Attributes:
        has_happened: whether it has.
    """

    def __init__(self, path: Path, when: str, happen: Callable[[], None], skip: int = 0) -> None:
        super().__init__(path)
        self.has_happened = False
        self._when = when
        self._happen = happen
        self._skip = skip

    def _now(self, when: str) -> None:
        if when != self._when or self.has_happened:
            return
        self._skip -= 1
        if self._skip < 0:
            self.has_happened = True
            self._happen()

    def get(
        self,
        table: str,
        row: bytes,
        columns: Sequence[bytes] | None = None,
        within_s: float | None = None,
    ) -> RowCells:
        """Read, after what happens."""
        if table == t.RECENT:
            self._now("recent is read")
        found = super().get(table, row, columns, within_s)
        if table == t.RECENT:
            self._now("recent was read")
        return found

    def get_many(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes] | None = None
    ) -> list[RowCells]:
        """Read, after what happens."""
        if table == t.RECENT:
            self._now("marks are read")
        return super().get_many(table, rows, columns)

    def put_many(self, table: str, rows: Iterable[tuple[bytes, Mapping[bytes, bytes]]]) -> None:
        """Write, after what happens."""
        if table == t.RECENT:
            self._now("recent is written")
        super().put_many(table, rows)

    def check_and_put(
        self,
        table: str,
        column: bytes,
        rows: Mapping[bytes, Swap],
        within_s: float | None = None,
    ) -> list[bool]:
        """Write, after what happens."""
        if table == t.EVENTS:
            self._now("ids are claimed")
        return super().check_and_put(table, column, rows, within_s)
