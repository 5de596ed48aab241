"""[1] → [3] Recovery: segments whose writers died are replayed into the store, and closed.

A segment is replayed whole: its cells hold absolute counts, and its ids belong to their positions
in the log. So a replay after a flush, or after another replay, changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from hbase_schema import row_keys
from webrec.domain.event_kinds import KNOWN_KINDS
from webrec.rawlog import Log, Record, Segment
from webrec.recording.cells import Cells, profiled_visitor, with_event
from webrec.recording.claims import without_repeats
from webrec.recording.page_texts import PendingTexts
from webrec.tables.page_texts import PageText
from webrec.tables.tables import Tables

_REPLAYED_AT_ONCE = 5_000
"""Events that are claimed and written together: a few MB, and some calls to the store for each."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Recovered:
    """What was found in segments whose writers had died."""

    segments: int = 0
    events: int = 0
    torn_bytes: int = 0


class Recovery:
    """Replays the segments whose writers are gone.

    It holds no lock of the recorder: the log locks a segment for the one process, and the one
    thread, that replays it.

    Args:
        tables: where recent rows live.
        log: the raw log.
        page_texts: writes the texts of new pages.
        is_overdue: whether this process has used up its time for ending.

    Attributes:
        recovered: all that was replayed so far.
    """

    def __init__(
        self,
        tables: Tables,
        log: Log,
        page_texts: PendingTexts,
        is_overdue: Callable[[], bool],
    ) -> None:
        self.recovered = Recovered()
        self._tables = tables
        self._log = log
        self._page_texts = page_texts
        self._is_overdue = is_overdue

    def recover(self) -> None:
        """Replay and close the segments whose writers are gone.

        Raises:
            StoreUnavailable: the segment stays for the next time.
            LogUnavailable: it could not be read or closed.
        """
        for orphan in self._log.orphans():
            try:
                events = self.replay(orphan)
            except BaseException:
                orphan.abandon()
                raise
            if events is None:
                orphan.abandon()
                return
            orphan.close()
            self.recovered.segments += 1
            self.recovered.events += events
            self.recovered.torn_bytes += orphan.torn
            _log.warning(
                "recovered %d events of a writer that died (%d bytes of a torn line cut off)",
                events,
                orphan.torn,
            )

    def replay(self, orphan: Segment) -> int | None:
        """Write the cells and the texts of a whole segment; again is as once.

        Returns:
            How many events it holds; None when there was no time for all of them.
        """
        cells: Cells = {}
        texts: dict[str, PageText] = {}
        events = order = 0
        records = (r for r in orphan.records() if r.event.kind in KNOWN_KINDS)
        while chunk := list(islice(records, _REPLAYED_AT_ONCE)):
            if self._is_overdue():
                return None
            events += len(chunk)
            order += self._replay_visits(chunk, cells, order)
            self._page_texts.write_replayed(orphan.name, [r.event for r in chunk], texts)
        return events

    def _replay_visits(self, chunk: list[Record], cells: Cells, before: int) -> int:
        """Write the cells that records change.

        Args:
            cells: what those before them in the segment add up to; is kept up to date.
            before: how many events of the segment have an order already.

        Returns:
            How many have one now, beside those.
        """
        visitors = self._tables.visitors
        first = without_repeats(self._tables.event_ids, chunk)
        profiled = [(v, r) for r in first if (v := profiled_visitor(r.event)) is not None]
        forgotten_us = visitors.forgotten_us(visitor for visitor, _ in profiled)
        changed: Cells = {}
        for order, (visitor, record) in enumerate(profiled, before + 1):
            if record.received_us > forgotten_us[visitor]:
                key = visitor, row_keys.recent_column(record.segment, record.event.url)
                changed[key] = cells[key] = with_event(cells.get(key), record, order)
        visitors.put_recent((v, column, cell) for (v, column), cell in changed.items())
        return len(profiled)
