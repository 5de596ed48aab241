"""[1] → [3] The flusher: brings what waits in this process into the store.

It claims the ids of events, counts those that are no repeats, writes texts of new pages and cells
of recent rows, and then closes the segments that the store has whole.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from webrec.recording.cells import profiled_visitor
from webrec.recording.claims import UnclaimedEvents, without_repeats
from webrec.recording.overlay import Overlay
from webrec.recording.page_texts import PendingTexts
from webrec.recording.segments import OpenSegments, abandon
from webrec.tables.tables import Tables

_log = logging.getLogger(__name__)


class Flusher:
    """Writes to the store what it does not have yet.

    `_lock` is held during a whole flush: one thread at a time claims ids, takes what is oldest,
    and closes or evicts segments. It is the first lock to be taken. Those of the parts are taken
    under it, and of these never two at a time. `record` and `recent` do not take it, so no request
    waits for a flush.

    Args:
        tables: where recent rows live.
        segments: those to be closed once the store has their events.
        unclaimed, overlay, page_texts: what waits.
        max_pending: events, or texts, that may wait; past it they are evicted.
        is_overdue: whether this process has used up its time for ending.
    """

    def __init__(
        self,
        tables: Tables,
        segments: OpenSegments,
        unclaimed: UnclaimedEvents,
        overlay: Overlay,
        page_texts: PendingTexts,
        max_pending: int,
        is_overdue: Callable[[], bool],
    ) -> None:
        self._tables = tables
        self._segments = segments
        self._unclaimed = unclaimed
        self._overlay = overlay
        self._page_texts = page_texts
        self._max_pending = max_pending
        self._is_overdue = is_overdue
        self._lock = threading.Lock()

    @property
    def backlog(self) -> int:
        """Events in the log that the store does not show yet."""
        return len(self._overlay) + self._unclaimed.events

    @property
    def _is_full(self) -> bool:
        """Whether more waits here than may, of events or of texts."""
        return max(self.backlog, len(self._page_texts)) > self._max_pending

    def flush(self) -> None:
        """Write what waits and close the segments that are complete in the store.

        Raises:
            StoreUnavailable: what was not written is kept for the next time, or evicted.
        """
        with self._lock:
            try:
                left = len(self._unclaimed)
                while left > 0 and not self._is_full and not self._is_overdue():
                    left -= self._claim()
                    self._write()
                self._write()
            finally:
                if self._is_full:
                    self._evict()

    def evict_retired(self) -> None:
        """Leave to a recovery what could not be written, if segments wait to be closed."""
        with self._lock:
            if self._segments.any_retired:
                self._evict()

    def _claim(self) -> int:
        """Find out which of the oldest events with ids are repeats, and show the others.

        Returns:
            How many chunks of the unclaimed that were.
        """
        taken = self._unclaimed.oldest()
        first = without_repeats(
            self._tables.event_ids, [record for chunk in taken for record in chunk.records]
        )
        # what came before its visitor was forgotten must not be added to what came after
        profiled = [(v, r) for r in first if (v := profiled_visitor(r.event)) is not None]
        forgotten_us = self._tables.visitors.forgotten_us(visitor for visitor, _ in profiled)
        counted = {
            (r.segment, r.number)
            for visitor, r in profiled
            if r.received_us > forgotten_us[visitor]
        }
        for chunk in taken:
            shown = [r for r in chunk.records if (r.segment, r.number) in counted]
            self._overlay.show(chunk.source, shown)
        self._unclaimed.remove(taken)
        return len(taken)

    def _write(self) -> None:
        while self._write_some():
            pass

    def _write_some(self) -> bool:
        """Write the oldest of what is pending.

        Returns:
            Whether there was more.
        """
        # first which segments get no more events, then what is pending: so that is all of theirs
        quiet = self._segments.quiet()
        unclaimed = self._unclaimed.sources() if quiet else ()
        batch = self._overlay.oldest()
        self._page_texts.write()
        visitors = self._tables.visitors
        forgotten_us = visitors.forgotten_us(visitor for visitor, _ in batch.cells)
        cells = self._overlay.without_forgotten(batch, forgotten_us)
        visitors.put_recent((v, column, cell) for (v, column), cell in cells.items())
        self._overlay.remove(batch, cells)
        if batch.is_all:
            self._segments.close([source for source in quiet if source not in unclaimed])
        return not batch.is_all

    def _evict(self) -> None:
        """Let go of what the store has not taken yet: it is in the log, for a recovery."""
        released = self._segments.release_quiet()
        self._unclaimed.evict(released)
        self._overlay.evict(released)
        self._page_texts.evict(released)
        abandon(released)  # last: from here on another process may replay them
        _log.warning("the store does not keep up: %d segments wait to be replayed", len(released))
