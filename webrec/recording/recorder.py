"""[1] → [3] What happens to an event: into the raw log, then into its visitor's recent row.

The log is the truth; the recent row shows the event before the next batch does. An event reaches
the store a moment after the log; until then it is in this process's overlay, which is part of
every read here.

A recent cell holds all that one segment says of a visitor and a URL, as absolute counts, and a
segment has one writer: writing a cell again changes nothing. So when a writer dies, the process
that finds its segment replays it whole, and no event is lost or counted twice.

The parts hand each other values: an `OpenSegment` gives records, the `Overlay` and the
`PendingTexts` hold what came of them, events with ids wait in `UnclaimedEvents`, and the `Flusher`
takes from all three into the store.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence

from webrec.domain.types import Event
from webrec.errors import StoreUnavailable
from webrec.rawlog import Log, Watermark
from webrec.recording.background import Background, Shutdown, Task
from webrec.recording.claims import UnclaimedEvents
from webrec.recording.flusher import Flusher
from webrec.recording.overlay import Overlay
from webrec.recording.page_texts import PendingTexts
from webrec.recording.recovery import Recovered, Recovery
from webrec.recording.segments import OpenSegments
from webrec.recording.shipping import Shipping
from webrec.tables.tables import Tables
from webrec.tables.visitors import Recent

_SYNC_EVERY_S = 0.2
"""Seconds between two syncs, and looks for a cut: what was recorded soon is to be on disk within a
second, and a cut waits for every writer to roll."""

_FLUSH_EVERY_S = 0.2
"""Seconds between two flushes: other processes are to see an event within a second."""

_RECOVER_EVERY_S = 1.0
"""Seconds between two looks for segments whose writers died: each lists a folder and takes a lock
that writers share."""

_SHIP_EVERY_S = 1.0
"""Seconds between two looks for what is to be shipped: each may ask another machine."""

_CLOSING_S = 15.0
"""Seconds in which the end of a process begins to write what is left: with the last shipping (10),
less than the 30 that a service has for ending in good order."""

_MAX_PENDING = 200_000
"""Events, or texts of pages, that wait for the store in memory: about 1 kB each."""

_log = logging.getLogger(__name__)


class Recorder:
    """Records events for one process; safe to use from several threads.

    It has no lock of its own. The order of locks: the flusher's, then that of one part (segments,
    overlay, texts, unclaimed events; never two of these at a time), then those within the log.

    Args:
        tables: where recent rows live.
        log: the raw log.
        segment_bytes: size at which a segment is closed.
        max_pending: events, and texts of pages, that may wait here for a store that is slow or
            away; past it they wait in the log alone, for a recovery to show them.
        new_among: of some URLs, those of pages whose text is kept until the next batch; none when
            left out.
    """

    def __init__(
        self,
        tables: Tables,
        log: Log,
        segment_bytes: int,
        max_pending: int = _MAX_PENDING,
        new_among: Callable[[Collection[str]], Collection[str]] = lambda _: (),
    ) -> None:
        self._tables = tables
        self._log = log
        self._shutdown = Shutdown()
        self._segments = OpenSegments(log, segment_bytes)
        self._overlay = Overlay()
        self._page_texts = PendingTexts(tables.page_texts, new_among)
        self._unclaimed = UnclaimedEvents()
        self._flusher = Flusher(
            tables,
            self._segments,
            self._unclaimed,
            self._overlay,
            self._page_texts,
            max_pending,
            self._shutdown.is_overdue,
        )
        self._recovery = Recovery(tables, log, self._page_texts, self._shutdown.is_overdue)
        self._shipping = Shipping(log, self._shutdown.has_begun)
        self._background = Background(self._shutdown)

    @property
    def backlog(self) -> int:
        """Events in the log that the store does not show yet."""
        return self._flusher.backlog

    @property
    def recovered(self) -> Recovered:
        """What this process has replayed so far."""
        return self._recovery.recovered

    def record_soon(self, event: Event) -> None:
        """Write an event to the operating system; it is on disk within a second.

        Raises:
            LogUnavailable: it could not be written.
        """
        with self._segments.appending() as current:
            self._overlay.show(current, current.segment.append((event,), time.time_ns() // 1000))
            self._page_texts.add(current, (event,))

    def record(self, events: Sequence[Event]) -> None:
        """Make events durable, then show them; returns when they are on disk.

        An event with an id is shown by the next flush, which finds out whether it is a repeat: no
        sender waits for the store.

        Raises:
            LogUnavailable: they could not be made durable.
        """
        with self._segments.appending() as current:
            records = current.segment.append(events, time.time_ns() // 1000)
            current.segment.sync()
            self._page_texts.add(current, events)
            self._overlay.show(current, [r for r in records if r.event.event_id is None])
            if with_id := [r for r in records if r.event.event_id is not None]:
                self._unclaimed.add(current, with_id)

    def recent(
        self, visitor: str, covers: Callable[[str], bool], within_s: float | None = None
    ) -> Recent:
        """What happened to a visitor since a generation, the events of this process included.

        Args:
            covers: whether the generation has absorbed a segment.
            within_s: seconds after which the answer is of no use any more.

        Raises:
            StoreUnavailable: the store does not say.
        """
        # the overlay first: what leaves it between the two reads is in the store by then
        row = self._overlay.row(visitor)
        found = self._tables.visitors.recent(visitor, covers, within_s)
        return self._overlay.merged(found, visitor, row, covers) if row else found

    def recent_here(self, visitor: str, covers: Callable[[str], bool]) -> Recent:
        """The part of it that this process knows without the store."""
        row = self._overlay.row(visitor)
        return self._overlay.merged(Recent({}, 0), visitor, row, covers)

    def forget(self, visitor: str) -> None:
        """Forget a visitor: what was received until now counts for nothing any more."""
        self._tables.visitors.forget(visitor, time.time_ns() // 1000)

    def flush(self) -> None:
        """Write to the store what waits here, and close the segments that it has whole.

        Raises:
            StoreUnavailable: what was not written is kept for the next time.
        """
        self._flusher.flush()

    def roll(self) -> None:
        """Go on in a new segment where a cut or the size asks for it."""
        self._segments.roll()

    def recover(self) -> None:
        """Replay and close the segments whose writers are gone."""
        self._recovery.recover()

    def cut(self, wait_s: float) -> Watermark:
        """Cut the log; what was recorded before is then complete, but for stalled writers."""

        def close_segments() -> None:
            self.roll()
            self.flush()
            self.recover()

        return self._log.cut(wait_s, close_segments)

    def start(self) -> None:
        """Keep this process's promises in the background: sync, roll; flush; recover; ship."""
        self._background.start(
            (
                Task("recorder", _SYNC_EVERY_S, (self._segments.sync, self._segments.roll)),
                Task("flush", _FLUSH_EVERY_S, (self._flusher.flush,)),
                Task("recovery", _RECOVER_EVERY_S, (self._recovery.recover,)),
                Task("shipping", _SHIP_EVERY_S, (self._shipping.ship,)),
            )
        )

    def close(self) -> None:
        """Make everything durable and known; nothing can be recorded afterwards.

        What the store does not take in some seconds is left to the next process of this log.
        """
        self._shutdown.begin(_CLOSING_S)
        self._background.join()
        self._segments.retire()
        self._segments.sync()
        try:
            self._flusher.flush()
        except StoreUnavailable as error:
            _log.warning("the store is away: the next start replays the log (%s)", error)
        self._flusher.evict_retired()
        if self._segments.any_begun:
            self._shipping.ship_last()
        self._log.close()
