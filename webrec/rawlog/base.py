"""[1] What every raw log has in common: records in their places, segments, cuts, the protocol.

An event comes in and is a `Record` from then on, in the segment of its writer. The batch *cuts* the
log: it ends the present *epoch*, and every writer goes on in a new segment, so that all before the
cut is complete. What a cut covers is a `Watermark`; it covers whole segments, by their names.

A segment's name is ``<epoch>-<moment>-<spool>``: the epoch in which it was begun, the moment of
that in nanoseconds since 1970 (in hexadecimal), and the *spool*, the place in which it was begun.
So a name is never given twice, and names in order are segments in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from webrec.domain.types import Event
from webrec.errors import WebrecError

SUFFIX = ".ndjson"
"""What the name of a segment's file ends with, on any back end that has files."""

_EPOCH_DIGITS = 8
"""Digits of an epoch, with zeros before it so that names sort by it: 100 million cuts."""

_SEGMENT = re.compile(r"\d{8}-[0-9a-f]{16}-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log.

    Attributes:
        segment, number: its position; unique, and the order within a segment.
        received_us: when it reached us, microseconds since 1970.
    """

    segment: str
    number: int
    received_us: int
    event: Event


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a batch has read, spool by spool.

    Attributes:
        epochs: by spool, the epoch up to which every segment was read; a spool that is not here
            was not known.
        extra: segments past that which were read all the same.
        is_complete: nothing that was received before the cut is missing.
    """

    epochs: Mapping[str, int] = field(default_factory=dict)
    extra: frozenset[str] = frozenset()
    is_complete: bool = True

    @classmethod
    def of_cut(
        cls, epoch: int, epochs: Mapping[str, int], closed: Iterable[str], *, is_complete: bool
    ) -> Watermark:
        """The watermark of a cut.

        Args:
            epoch: the one that the cut ended.
            epochs: by spool, the epoch up to which no segment is to come any more.
            closed: the complete segments, listed after ``epochs`` was found out.
        """
        return cls(
            {spool: min(done, epoch) for spool, done in sorted(epochs.items())},
            frozenset(
                name for name in closed if epochs.get(spool_of(name), -1) < epoch_of(name) <= epoch
            ),
            is_complete,
        )

    def covers(self, segment: str) -> bool:
        """Whether the segment's events were read."""
        done = self.epochs.get(spool_of(segment), -1)
        return epoch_of(segment) <= done or segment in self.extra

    def document(self) -> dict[str, Any]:
        """The watermark as JSON."""
        return {
            "epochs": dict(self.epochs),
            "extra": sorted(self.extra),
            "is_complete": self.is_complete,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Watermark:
        """The inverse of `document`.

        Raises:
            WebrecError: an earlier version wrote it.
        """
        if "epochs" not in document:
            raise WebrecError(
                "the store was written by an earlier version of webrec: move it away and run "
                "`webrec batch`, which builds another from the log"
            )
        return cls(document["epochs"], frozenset(document["extra"]), document["is_complete"])


class Unshipped(NamedTuple):
    """What waits to be shipped.

    Attributes:
        place: where it waits, in words for people.
        segments, bytes: closed there, and not shipped yet.
        why: what keeps them back, in words; empty while shipping works.
        since: when that started, seconds since 1970; 0 while it works.
    """

    place: str
    segments: int = 0
    bytes: int = 0
    why: str = ""
    since: float = 0.0

    def in_words(self, now: float) -> str:
        """The same as a line for people.

        Args:
            now: seconds since 1970.
        """
        many = "1 segment waits" if self.segments == 1 else f"{self.segments:,} segments wait"
        waiting = f"{many} in {self.place} to be shipped ({self.bytes / 1e6:,.1f} MB)"
        return f"{waiting}, for {now - self.since:,.0f} s: {self.why}" if self.why else waiting


class Segment(Protocol):
    """A segment that this process alone writes; safe to use from several threads.

    Every call raises `LogUnavailable` where the storage fails.
    """

    @property
    def name(self) -> str:
        """Its name, which no other segment has."""

    @property
    def size(self) -> int:
        """Bytes written so far."""

    @property
    def torn(self) -> int:
        """Bytes of a torn last line that were cut off when it was adopted; else 0."""

    @property
    def failed(self) -> bool:
        """Whether the storage lost what it had taken: then nothing more may be written to it."""

    def append(self, events: Iterable[Event], received_us: int) -> list[Record]:
        """Write events, all of them or none; `sync` makes them durable.

        Args:
            received_us: when they reached us, microseconds since 1970.

        Returns:
            Their records, whose numbers follow each other.

        Raises:
            LogUnavailable: they could not be written; none of them is in the log.
        """

    def sync(self) -> None:
        """Make everything appended so far durable: it survives this process and its machine."""

    def records(self) -> Iterator[Record]:
        """What has been written so far, in order; for a segment that was adopted."""

    def close(self) -> None:
        """Make it durable and complete; one that holds nothing goes away.

        When it fails it may be called again.
        """

    def abandon(self) -> None:
        """Let go of it as it is: from now on it is an orphan, for a process to adopt."""


def never() -> bool:
    """Whether it is time to stop: it is not."""
    return False


class Log(Protocol):
    """A raw log as its users know it: durable append, cuts, replay, and whether all is shipped.

    What is written here is durable here at once, and may lie *unshipped* for a while until it is
    where the batch of any machine finds it. Every call raises `LogUnavailable` where what it needs
    is away. ``tests/contracts/log.py`` holds every implementation to it.
    """

    def check(self) -> None:
        """Return if events can be written."""

    def epoch(self) -> int:
        """The number of cuts that writers know of."""

    def begin(self) -> Segment:
        """A new segment of the current epoch, locked for this process."""

    def orphans(self) -> Iterator[Segment]:
        """The open segments whose writers are gone, each locked for this process.

        A last line that was cut off by a crash is taken away first.
        """

    def cut(self, wait_s: float, close_segments: Callable[[], None]) -> Watermark:
        """End the epoch and wait until what was written before is complete.

        Args:
            wait_s: seconds to wait for writers to close their segments.
            close_segments: called once or more while the cut waits; closes this process's segment
                of the epoch, and those that dead writers left behind.

        Returns:
            What is complete; ``is_complete`` is False where a writer needed longer than that.
        """

    def open_segments(self) -> list[str]:
        """Names of the segments being written or left behind here, in order."""

    def closed_segments(self) -> list[str]:
        """Names of the complete segments, in order; shipped or not."""

    def covered_by(self, watermark: Watermark) -> list[str]:
        """Names of the complete segments a watermark covers, in order."""

    def read(self, segment: str, broken: Callable[[], None] | None = None) -> Iterator[Record]:
        """The records of a segment that a watermark covers, in order, in bounded memory.

        Args:
            broken: called for each line that cannot be read; it is left out.

        Raises:
            LogUnavailable: the segment cannot be read to its end.
        """

    def rewrite(self, segment: str, keep: Callable[[Record], bool]) -> int:
        """Replace a segment that a watermark covers by one without what ``keep`` turns down.

        A reader finds the old or the new content, never a part, and so does the next process
        where this one dies.

        Returns:
            How many records were taken out.
        """

    def ship(self, should_stop: Callable[[], bool] = never) -> None:
        """Bring closed segments where every machine's batch finds them.

        What fails is tried again by a later call; `unshipped` says why.

        Args:
            should_stop: asked again and again; when it is True the rest is left to a later call.
        """

    def unshipped(self) -> Unshipped:
        """What waits here to be shipped."""

    def close(self) -> None:
        """Say that this process writes no more; a second time it does nothing."""


def segment_name(epoch: int, started_ns: int, spool: str) -> str:
    """The name of a segment.

    Args:
        started_ns: nanoseconds since 1970.
    """
    return f"{epoch:0{_EPOCH_DIGITS}d}-{started_ns:016x}-{spool}"


def epoch_of(segment: str) -> int:
    """The epoch a segment was begun in."""
    return int(segment[:_EPOCH_DIGITS])


def spool_of(segment: str) -> str:
    """The spool a segment was begun in."""
    return segment.rpartition("-")[2]


def segment_names(files: Iterable[str]) -> list[str]:
    """The segments among the names of some files, in order."""
    names = (file.removesuffix(SUFFIX) for file in files if file.endswith(SUFFIX))
    return sorted(name for name in names if _SEGMENT.fullmatch(name))
