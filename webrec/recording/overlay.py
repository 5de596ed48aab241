"""[1] → [3] The overlay: what this process has recorded and the store may not have yet.

Records come in from the log. Out go the cells of a visitor's recent row, for every read here, and
the cells that changed since they were last written, for the flusher. They are the cells of whole
segments: each holds absolute counts, so that writing it again changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from hbase_schema import row_keys
from hbase_schema.cells import RecentCell
from webrec.rawlog import Record
from webrec.recording.cells import Cells, profiled_visitor, with_event
from webrec.recording.segments import OpenSegment
from webrec.tables.visitors import Recent

_SHOWN_AT_ONCE = 500
"""Events for which the lock is held once (about 2 ms), so that a large upload holds up no visit."""

_WRITTEN_AT_ONCE = 20_000
"""Events of one batch for the store: some MB of cells at most are in the making at a time."""


class PendingEvent(NamedTuple):
    """An event whose cell changed since it was last written to the store."""

    source: OpenSegment
    visitor: str
    column: bytes
    record: Record
    order: int


class Batch(NamedTuple):
    """What is to be written to the store next.

    Attributes:
        events: the oldest of the pending ones.
        cells: the cells they are in, as they are now.
        is_all: whether no more events are pending.
    """

    events: list[PendingEvent]
    cells: Cells
    is_all: bool


class Overlay:
    """Cells of recent rows by visitor, and the events in them that are pending.

    `_lock` guards the rows, the list of pending events, and of each `OpenSegment` its cells and
    their order: a cell, its place in a row and its pending event change together. Nothing is read,
    written or locked under it. A look-up takes no lock: copying a row is one step of the
    interpreter.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, dict[bytes, RecentCell]] = {}
        self._pending: list[PendingEvent] = []

    def __len__(self) -> int:
        """How many events are pending."""
        return len(self._pending)

    def show(self, source: OpenSegment, records: Sequence[Record]) -> None:
        """Count records of a segment, in order, where they count in a recent row at all."""
        for start in range(0, len(records), _SHOWN_AT_ONCE):
            with self._lock:
                for record in records[start : start + _SHOWN_AT_ONCE]:
                    self._show_one(source, record)

    def _show_one(self, source: OpenSegment, record: Record) -> None:
        visitor = profiled_visitor(record.event)
        if visitor is None:
            return
        source.order += 1
        column = row_keys.recent_column(record.segment, record.event.url)
        cell = with_event(source.cells.get((visitor, column)), record, source.order)
        source.cells[visitor, column] = cell
        self._rows.setdefault(visitor, {})[column] = cell
        self._pending.append(PendingEvent(source, visitor, column, record, source.order))

    def row(self, visitor: str) -> dict[bytes, RecentCell]:
        """A copy of a visitor's cells here, by column."""
        return dict(self._rows.get(visitor, ()))

    def merged(
        self,
        found: Recent,
        visitor: str,
        row: Mapping[bytes, RecentCell],
        covers: Callable[[str], bool],
    ) -> Recent:
        """What was found in the store, with our own cells where they are newer.

        Args:
            found: is changed.
            row: the visitor's, taken *before* the store was read: what leaves the overlay between
                the two reads is in the store by then.
            covers: whether the generation has absorbed a segment.
        """
        for column, cell in row.items():
            if covers(row_keys.segment_of(column)):
                continue
            stored = found.cells.get(column)
            if stored is None or stored.order < cell.order:
                if cell.first_us > found.forgotten_us:
                    found.cells[column] = cell
                elif since := self._since(found.forgotten_us, visitor, column):
                    found.cells[column] = since
        return found

    def _since(self, forgotten_us: int, visitor: str, column: bytes) -> RecentCell | None:
        """What came of a column after its visitor was forgotten, if anything."""
        with self._lock:
            return _summed(
                p
                for p in self._pending
                if p[1:3] == (visitor, column) and p.record.received_us > forgotten_us
            )

    def oldest(self) -> Batch:
        """The oldest of what is pending, as much as is written at once."""
        with self._lock:
            events = self._pending[:_WRITTEN_AT_ONCE]
            cells = {(p.visitor, p.column): p.source.cells[p[1:3]] for p in events}
            return Batch(events, cells, len(events) == len(self._pending))

    def without_forgotten(self, batch: Batch, forgotten_us: Mapping[str, int]) -> Cells:
        """The cells of a batch without what came before their visitors were forgotten.

        What follows in their segments is added to these.

        Args:
            forgotten_us: by visitor, the moment (µs) until which nothing counts; of all in it.
        """
        cells = batch.cells
        stale = {key for key, cell in cells.items() if cell.first_us <= forgotten_us[key[0]]}
        if not stale:
            return cells
        with self._lock:
            since: dict[tuple[str, bytes], list[PendingEvent]] = {key: [] for key in stale}
            for pending in self._pending:
                key = pending.visitor, pending.column
                if key in stale and pending.record.received_us > forgotten_us[pending.visitor]:
                    since[key].append(pending)
            kept: Cells = {}
            for source, visitor, column in {pending[:3] for pending in batch.events}:
                key = visitor, column
                if key in stale:
                    # an empty cell stands for nothing, and still says that its events were dealt
                    # with
                    empty = cells[key]._replace(first_us=0, visits=0, accepts=0)
                    kept[key] = source.cells[key] = _summed(since[key]) or empty
        return cells | kept

    def remove(self, batch: Batch, written: Cells) -> None:
        """Let go of a batch: the store has it.

        Args:
            written: its cells as they were written.
        """
        with self._lock:
            del self._pending[: len(batch.events)]
            for (visitor, column), cell in written.items():
                # a flush may write an event that was shown after it began: the next one writes
                # it again and finds it gone from here
                row = self._rows.get(visitor, {})
                if column in row and row[column].order <= cell.order:
                    del row[column]
                    if not row:
                        del self._rows[visitor]

    def evict(self, sources: Collection[OpenSegment]) -> None:
        """Let go of all that segments say, in the store or not: a recovery will replay them."""
        evicted = set(sources)
        segments = {source.segment.name for source in evicted}
        with self._lock:
            self._pending = [p for p in self._pending if p.source not in evicted]
            for visitor, row in list(self._rows.items()):
                for column in [c for c in row if row_keys.segment_of(c) in segments]:
                    del row[column]
                if not row:
                    del self._rows[visitor]


def _summed(pending: Iterable[PendingEvent]) -> RecentCell | None:
    """One cell of some events of one column; None for no events."""
    cell: RecentCell | None = None
    for event in pending:
        cell = with_event(cell, event.record, event.order)
    return cell
