"""[1] The segments of the raw log that this process writes: one takes events, others are to close.

Events come in through `OpenSegments.appending`; what is appended there is in the log. A segment
ends by its size, by a cut of the log, or by a failure of the disk, and is closed when the store
has all its events.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from webrec.errors import LogUnavailable
from webrec.rawlog import Log, Segment, epoch_of
from webrec.recording.cells import Cells
from webrec.tables.page_texts import PageText

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class OpenSegment:
    """A segment that this process writes, and what the store shall have of it.

    Attributes:
        segment: the segment in the log; guards itself.
        calls: how many calls are between the log and the overlay with an event of it; guarded by
            `OpenSegments`.
        cells: what it says of every visitor, as it will be in the store; guarded by `Overlay`.
        order: how many of its events are in the cells; guarded by `Overlay`.
        texts: by URL, the newest text it has of each page that may be new; guarded by
            `PendingTexts`.
    """

    segment: Segment
    calls: int = 0
    cells: Cells = field(default_factory=dict)
    order: int = 0
    texts: dict[str, PageText] = field(default_factory=dict)


class OpenSegments:
    """The segments that this process writes.

    `_lock` guards which segment is current, which are retired, and how many calls are at each. The
    log begins a segment under it, and tells its epoch; no other lock of the recorder is taken under
    it.

    Args:
        log: the raw log.
        segment_bytes: size at which a segment is closed.

    Attributes:
        any_begun: whether this process has begun a segment at all.
    """

    def __init__(self, log: Log, segment_bytes: int) -> None:
        self.any_begun = False
        self._log = log
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._current: OpenSegment | None = None
        self._retired: list[OpenSegment] = []

    @contextlib.contextmanager
    def appending(self) -> Iterator[OpenSegment]:
        """The segment to append to, kept from being closed meanwhile.

        Raises:
            LogUnavailable: none could be begun.
        """
        with self._lock:
            if self._current is not None and self._current.segment.failed:
                self._retire()
            if self._current is None:
                self._current = OpenSegment(self._log.begin())
                self.any_begun = True
            current = self._current
            current.calls += 1
        try:
            yield current
        finally:
            with self._lock:
                current.calls -= 1

    def sync(self) -> None:
        """Make durable what was appended so far.

        Raises:
            LogUnavailable: some of it could not be.
        """
        with self._lock:
            present = [*self._retired, *([self._current] if self._current else [])]
        for source in present:
            source.segment.sync()

    def roll(self) -> None:
        """Go on in a new segment where a cut, the size or a failure of the disk asks for it."""
        with self._lock:
            if self._current is None:
                return
            segment = self._current.segment
            is_done = segment.failed or segment.size >= self._segment_bytes
            if is_done or epoch_of(segment.name) < self._log.epoch():
                self._retire()

    def retire(self) -> None:
        """End the current segment: what comes next goes into another."""
        with self._lock:
            self._retire()

    def _retire(self) -> None:
        if self._current is not None:
            self._retired.append(self._current)
            self._current = None

    @property
    def any_retired(self) -> bool:
        """Whether a segment waits to be closed."""
        return bool(self._retired)

    def quiet(self) -> list[OpenSegment]:
        """The retired segments that no call is at: nothing is appended to them any more."""
        with self._lock:
            return [source for source in self._retired if source.calls == 0]

    def close(self, complete: Collection[OpenSegment]) -> None:
        """Close retired segments whose events the store has; one that cannot be stays for later."""
        for source in complete:
            try:
                source.segment.close()
            except LogUnavailable as error:
                _log.warning("a segment stays open for now: %s", error)
            else:
                with self._lock:
                    self._retired.remove(source)

    def release_quiet(self) -> list[OpenSegment]:
        """End the current segment, and let go of the segments that no call is at, still open.

        Returns:
            Those let go of, for the caller to `abandon`.
        """
        with self._lock:
            self._retire()
            released = [source for source in self._retired if source.calls == 0]
            self._retired = [source for source in self._retired if source.calls]
        return released


def abandon(released: Collection[OpenSegment]) -> None:
    """Leave segments to a recovery: durable, and no longer locked for this process."""
    for source in released:
        try:
            source.segment.sync()
        except LogUnavailable as error:
            _log.error("%s", error)
        source.segment.abandon()
