"""[1] → [3] Claims of event ids: an event that has one counts only if it is no repeat.

Records with ids come in from the log and wait here, for no sender waits for the store; out come
those that were first to claim their id.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from hbase_schema import row_keys
from webrec.rawlog import Record
from webrec.recording.segments import OpenSegment
from webrec.tables.event_ids import EventIds

_CLAIMED_AT_ONCE = 500
"""Ids of one call to the store: after each, what came of them is shown and written."""


class Chunk(NamedTuple):
    """Records of one segment, in order, whose ids are to be claimed."""

    source: OpenSegment
    records: Sequence[Record]


class UnclaimedEvents:
    """Events in the log whose ids are to be claimed, in chunks, the oldest first.

    `_lock` guards the chunks and the number of events in them; nothing else is done under it.

    Attributes:
        events: how many wait.
    """

    def __init__(self) -> None:
        self.events = 0
        self._lock = threading.Lock()
        self._chunks: list[Chunk] = []

    def __len__(self) -> int:
        """How many chunks wait."""
        return len(self._chunks)

    def add(self, source: OpenSegment, records: Sequence[Record]) -> None:
        """Let records wait; called while the segment is kept from being closed."""
        starts = range(0, len(records), _CLAIMED_AT_ONCE)
        with self._lock:
            self._chunks.extend(Chunk(source, records[s : s + _CLAIMED_AT_ONCE]) for s in starts)
            self.events += len(records)

    def oldest(self) -> list[Chunk]:
        """The oldest chunks, at least one where there is any, as much as is claimed at once."""
        with self._lock:
            taken = self._chunks[:1]
            events = sum(len(chunk.records) for chunk in taken)
            for chunk in islice(self._chunks, 1, None):
                events += len(chunk.records)
                if events > _CLAIMED_AT_ONCE:
                    break
                taken.append(chunk)
            return taken

    def remove(self, taken: Sequence[Chunk]) -> None:
        """Let go of the oldest chunks: their events are in the overlay, or are repeats."""
        with self._lock:
            del self._chunks[: len(taken)]
            self.events -= sum(len(chunk.records) for chunk in taken)

    def sources(self) -> set[OpenSegment]:
        """The segments of which an event waits."""
        with self._lock:
            return {chunk.source for chunk in self._chunks}

    def evict(self, sources: Collection[OpenSegment]) -> None:
        """Let go of the events of segments: a recovery will claim their ids."""
        with self._lock:
            self._chunks = [chunk for chunk in self._chunks if chunk.source not in sources]
            self.events = sum(len(chunk.records) for chunk in self._chunks)


def without_repeats(event_ids: EventIds, records: Iterable[Record]) -> list[Record]:
    """The records that repeat no event, in order; their ids are claimed for them.

    A robot claims no id: a person's event of the same id counts.

    Raises:
        StoreUnavailable: the store does not say.
    """
    found = list(records)
    repeats = event_ids.claim(r for r in found if not r.event.bot)
    return [r for r in found if row_keys.position(r.segment, r.number) not in repeats]
