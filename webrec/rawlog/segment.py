"""[1] A segment as a file: written by one process, adopted when that has died, read, rewritten.

Events come in and are lines of the file, durable after an fsync; records come out, in order. While
it is written the file lies in one folder, locked by its writer; complete, it lies in another.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from webrec.domain.types import Event
from webrec.rawlog.base import SUFFIX, Record
from webrec.rawlog.files import file_errors, sync_folder
from webrec.rawlog.lines import line_of, records_of

_MODE = 0o640
"""Who may read: the log holds what visitors did."""

_READ_BYTES = 1 << 20
"""Bytes read from a file at a time: few system calls, and memory that does not grow."""


class SegmentFile:
    """A `webrec.rawlog.base.Segment` in a file; safe to use from several threads.

    Two locks within the process: one for appending, which numbers events and keeps lines whole, and
    one for syncing, so that callers that wait for the disk at the same time share one fsync. The
    lock on the file itself says to other processes that its writer lives.

    Args:
        folder: where it lies while it is written.
        closed: where it lies once it is complete.
        name: unique: epoch, moment, spool.
        is_new: whether it is made now; else it is opened, and not locked yet.

    Attributes:
        name: the same.
        torn: bytes of a torn last line that were cut off when it was adopted.
        failed: the disk did not take it; nothing more may be written to it.
    """

    def __init__(self, folder: Path, closed: Path, name: str, *, is_new: bool) -> None:
        self.name = name
        self.torn = 0
        self.failed = False
        self._path = folder / (self.name + SUFFIX)
        self._closed = closed
        self._count = 0
        self._written = 0
        self._synced = 0
        self._write_lock = threading.Lock()
        self._sync_lock = threading.Lock()
        flags = os.O_RDWR | os.O_APPEND | (os.O_CREAT | os.O_EXCL if is_new else 0)
        self._fd = os.open(self._path, flags, _MODE)
        if is_new:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                sync_folder(folder)
            except OSError:
                self._path.unlink(missing_ok=True)
                os.close(self._fd)
                raise

    @classmethod
    def adopt(cls, folder: Path, closed: Path, name: str) -> SegmentFile | None:
        """Take over a segment whose writer is gone.

        Returns:
            None where the writer lives, or another process was faster.
        """
        try:
            segment = cls(folder, closed, name, is_new=False)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(segment._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            segment.abandon()
            return None
        if not segment._path.exists():
            segment.abandon()  # closed by another between our open and our lock
            return None
        segment._cut_torn_line()
        return segment

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._written

    def append(self, events: Iterable[Event], received_us: int) -> list[Record]:
        """Write events to the operating system; `sync` makes them durable.

        Raises:
            LogUnavailable: they could not be written; none of them is in the log.
        """
        with self._write_lock:
            first = self._count
            records = [
                Record(self.name, number, received_us, event)
                for number, event in enumerate(events, first)
            ]
            lines = b"".join(map(line_of, records))
            with file_errors(self._path):
                self._write(lines)
            self._count = first + len(records)
        return records

    def sync(self) -> None:
        """Make everything appended so far durable; calls at the same time share one fsync.

        Raises:
            LogUnavailable: the disk did not take it; the segment has `failed`.
        """
        target = self._written
        with self._sync_lock:
            if self._synced >= target:
                return
            written = self._written
            with file_errors(self._path):
                try:
                    os.fsync(self._fd)
                except OSError:
                    self.failed = True  # what the kernel dropped, no later fsync brings back
                    raise
            self._synced = written

    def records(self) -> Iterator[Record]:
        """What has been written so far, in order; for a segment that was adopted."""
        return read_segment(self._path, self.name, None)

    def close(self) -> None:
        """Make it durable and complete: it moves to the closed segments, or away if empty.

        Raises:
            LogUnavailable: it could not; the call may be repeated.
        """
        self.sync()
        with file_errors(self._path):
            if not self._written:
                self._path.unlink(missing_ok=True)
            elif self._path.exists():  # or an earlier attempt failed after this step
                self._path.rename(self._closed / self._path.name)
            sync_folder(self._closed)
            sync_folder(self._path.parent)
        self.abandon()

    def abandon(self) -> None:
        """Let go of the file and its lock and leave it as it is."""
        os.close(self._fd)

    def _write(self, lines: bytes) -> None:
        try:
            done = 0
            while done < len(lines):
                done += os.write(self._fd, lines[done:])
        except OSError:
            os.ftruncate(self._fd, self._written)  # a part of a line would tear the next one
            raise
        self._written += len(lines)

    def _cut_torn_line(self) -> None:
        size = os.fstat(self._fd).st_size
        whole = size
        while whole > 0:
            start = max(0, whole - _READ_BYTES)
            newline = os.pread(self._fd, whole - start, start).rfind(b"\n")
            if newline >= 0:
                whole = start + newline + 1
                break
            whole = start
        if whole < size:
            os.ftruncate(self._fd, whole)
        self.torn = size - whole
        self._written = whole


def read_segment(
    path: Path, segment: str, broken: Callable[[], None] | None = None
) -> Iterator[Record]:
    """The records of a segment's file, in order, in bounded memory.

    Args:
        broken: called for each line that cannot be read.

    Raises:
        LogUnavailable: the file cannot be read.
    """
    with file_errors(path), path.open("rb", buffering=_READ_BYTES) as lines:
        yield from records_of(lines, segment, broken)


def rewrite_segment(path: Path, segment: str, keep: Callable[[Record], bool]) -> int:
    """Replace a segment's file, in one step, by one without the records that ``keep`` turns down.

    Returns:
        How many were taken out.

    Raises:
        LogUnavailable: it could not be written; it is as it was.
    """
    temporary = path.with_suffix(".rewriting")
    dropped = 0
    with file_errors(path):
        with temporary.open("wb") as out:
            os.fchmod(out.fileno(), _MODE)
            for record in read_segment(path, segment):
                if keep(record):
                    out.write(line_of(record))
                else:
                    dropped += 1
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    return dropped
