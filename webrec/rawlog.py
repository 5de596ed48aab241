"""[1] The raw log: events in, durable lines out; replayed in order for the batch.

A log is a folder::

    epoch               the number of cuts made so far
    open/<segment>      being written, locked by its writer
    closed/<segment>    complete, never written again

A segment is NDJSON, one event a line, and belongs to one writer. Its name begins with the epoch
in which it was begun. The batch *cuts* the log: it raises the epoch, and every writer goes on in
a new segment, so that all before the cut is complete. What a cut covers is a `Watermark`.

A segment is closed only after its events have been applied to the tables (see
`webrec.recorder`): a segment left open by a writer that died is what recovery has to replay.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from webrec.errors import LogUnavailable, UsageError
from webrec.types import Event

_EPOCH_DIGITS = 8
_SUFFIX = ".ndjson"
_MODE = 0o640
_READ_BYTES = 1 << 20
_LEAST_FREE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log.

    Attributes:
        segment, number: its position; unique, and the order within a segment.
        received_us: when it reached us, microseconds since the epoch.
    """

    segment: str
    number: int
    received_us: int
    event: Event


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a batch has read: every segment up to an epoch but for those still open then."""

    epoch: int
    still_open: frozenset[str] = frozenset()

    def covers(self, segment: str) -> bool:
        """Whether the segment's events were read."""
        return epoch_of(segment) <= self.epoch and segment not in self.still_open

    def document(self) -> dict[str, Any]:
        """The watermark as JSON."""
        return {"epoch": self.epoch, "still_open": sorted(self.still_open)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Watermark:
        """The inverse of `document`."""
        return cls(document["epoch"], frozenset(document["still_open"]))


def epoch_of(segment: str) -> int:
    """The epoch a segment was begun in."""
    return int(segment[:_EPOCH_DIGITS])


def open_log(uri: str) -> RawLog:
    """Open the log a URI names: ``file://folder``.

    Raises:
        UsageError: the URI is not understood.
        LogUnavailable: the folder cannot be made.
    """
    scheme, separator, path = uri.partition("://")
    if scheme != "file" or not separator or not path:
        raise UsageError(f"the log {uri!r} is not understood: use file:///path/to/folder")
    return RawLog(Path(path))


class RawLog:
    """A folder of segments.

    Args:
        folder: made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = folder / "open"
        self._closed = folder / "closed"
        with _errors(folder):
            self._open.mkdir(parents=True, exist_ok=True)
            self._closed.mkdir(exist_ok=True)

    def check(self) -> None:
        """Return if the log can be written.

        Raises:
            LogUnavailable: saying why not.
        """
        with _errors(self._folder):
            if not os.access(self._open, os.W_OK):
                raise LogUnavailable(f"the log {self._folder} cannot be written")
            if shutil.disk_usage(self._open).free < _LEAST_FREE_BYTES:
                raise LogUnavailable(f"the disk of the log {self._folder} is full")

    def epoch(self) -> int:
        """The number of cuts so far."""
        with _errors(self._folder):
            try:
                return int((self._folder / "epoch").read_bytes())
            except FileNotFoundError:
                return 0
            except ValueError as error:
                last = max(map(epoch_of, self.closed_segments() + self.open_segments()), default=0)
                raise LogUnavailable(
                    f"{self._folder / 'epoch'} holds no number: write {last + 1} into it"
                ) from error

    def begin(self) -> Segment:
        """A new segment of the current epoch, locked for this process."""
        # shared with other writers, exclusive against a cut: no segment of an epoch is begun
        # after the cut that ends it
        with _errors(self._folder), self._cutting(fcntl.LOCK_SH):
            return Segment(self._open, self._closed, self.epoch())

    def cut(self, wait_s: float, settle: Callable[[], None]) -> Watermark:
        """Raise the epoch and wait until what was written before is complete.

        Args:
            wait_s: how long to wait for writers to close their segments.
            settle: called while waiting; closes segments that their writers left behind.
        """
        with _errors(self._folder), self._cutting(fcntl.LOCK_EX):
            epoch = self.epoch()
            _replace(self._folder / "epoch", b"%d" % (epoch + 1))
        deadline = time.monotonic() + wait_s
        while True:
            settle()
            still_open = {name for name in self.open_segments() if epoch_of(name) <= epoch}
            if not still_open or time.monotonic() > deadline:
                return Watermark(epoch, frozenset(still_open))
            time.sleep(0.05)

    def open_segments(self) -> list[str]:
        """Names of the segments being written or left behind, in order."""
        return _names(self._open)

    def closed_segments(self) -> list[str]:
        """Names of the complete segments, in order."""
        return _names(self._closed)

    def covered_by(self, watermark: Watermark) -> list[str]:
        """Names of the complete segments a watermark covers, in order."""
        return [name for name in self.closed_segments() if watermark.covers(name)]

    def size(self, segment: str) -> int:
        """Bytes of a closed segment."""
        return (self._closed / (segment + _SUFFIX)).stat().st_size

    def orphans(self) -> Iterator[Segment]:
        """The open segments whose writers are gone, each locked for this process.

        A last line that was cut off by a crash is taken away first.
        """
        for name in self.open_segments():
            # exclusive against `begin`, so that a segment just made is not mistaken for an orphan
            with _errors(self._folder), self._cutting(fcntl.LOCK_EX):
                orphan = Segment.adopt(self._open, self._closed, name)
            if orphan is not None:
                yield orphan

    def read(self, segment: str, broken: Callable[[], None] | None = None) -> Iterator[Record]:
        """The records of a closed segment, in order, in bounded memory.

        Args:
            broken: called for each line that cannot be read.
        """
        with _errors(self._folder):
            yield from _records(self._closed / (segment + _SUFFIX), segment, broken)

    def rewrite(self, segment: str, keep: Callable[[Record], bool]) -> int:
        """Replace a closed segment by one without the records that ``keep`` turns down.

        Returns:
            How many were taken out.
        """
        path = self._closed / (segment + _SUFFIX)
        temporary = path.with_suffix(".rewriting")
        dropped = 0
        with _errors(self._folder):
            with temporary.open("wb") as out:
                os.fchmod(out.fileno(), _MODE)
                for record in _records(path, segment, None):
                    if keep(record):
                        out.write(_line(record.number, record.received_us, record.event))
                    else:
                        dropped += 1
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(path)
            _sync_folder(self._closed)
        return dropped

    @contextmanager
    def _cutting(self, operation: int) -> Iterator[None]:
        with (self._folder / "cut.lock").open("ab") as lock:
            fcntl.flock(lock, operation)
            yield


class Segment:
    """One file of the log, written by this process; safe to use from several threads.

    Attributes:
        name: unique; begins with the epoch.
        torn: bytes of a torn last line that were cut off when it was adopted.
        failed: the disk did not take it; nothing more may be written to it.
    """

    def __init__(
        self, folder: Path, closed: Path, epoch: int, *, adopted: str | None = None
    ) -> None:
        self.name = adopted or (
            f"{epoch:0{_EPOCH_DIGITS}d}-{time.time_ns():016x}-{secrets.token_hex(4)}"
        )
        self.torn = 0
        self.failed = False
        self._path = folder / (self.name + _SUFFIX)
        self._closed = closed
        self._count = 0
        self._written = 0
        self._synced = 0
        self._write_lock = threading.Lock()
        self._sync_lock = threading.Lock()
        flags = os.O_RDWR | os.O_APPEND | (0 if adopted else os.O_CREAT | os.O_EXCL)
        self._fd = os.open(self._path, flags, _MODE)
        if not adopted:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _sync_folder(folder)
            except OSError:
                self._path.unlink(missing_ok=True)
                os.close(self._fd)
                raise

    @classmethod
    def adopt(cls, folder: Path, closed: Path, name: str) -> Segment | None:
        """Take over a segment whose writer is gone; None if it is not, or somebody was faster."""
        try:
            segment = cls(folder, closed, epoch_of(name), adopted=name)
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
            lines = b"".join(_line(r.number, received_us, r.event) for r in records)
            with _errors(self._path):
                self._write(lines)
            self._count = first + len(records)
        return records

    def sync(self) -> None:
        """Make everything appended so far durable; calls at the same time share one fsync."""
        target = self._written
        with self._sync_lock:
            if self._synced >= target:
                return
            written = self._written
            with _errors(self._path):
                try:
                    os.fsync(self._fd)
                except OSError:
                    self.failed = True  # what the kernel dropped, no later fsync brings back
                    raise
            self._synced = written

    def records(self) -> Iterator[Record]:
        """What has been written so far, in order; for a segment that was adopted."""
        with _errors(self._path):
            yield from _records(self._path, self.name, None)

    def close(self) -> None:
        """Make it durable and complete: it moves to the closed segments, or away if empty."""
        self.sync()
        with _errors(self._path):
            if not self._written:
                self._path.unlink(missing_ok=True)
            elif self._path.exists():  # or an earlier attempt failed after this step
                self._path.rename(self._closed / self._path.name)
            _sync_folder(self._closed)
            _sync_folder(self._path.parent)
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


def _line(number: int, received_us: int, event: Event) -> bytes:
    """One event as a line; what is empty is left out."""
    document: dict[str, Any] = {
        "n": number,
        "received_us": received_us,
        "type": event.kind,
        "url": event.url,
        "visitor": event.visitor,
        "at_ms": event.at_ms,
    }
    for name in _OPTIONAL:
        if value := getattr(event, name):
            document[name] = value
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


_OPTIONAL = ("event_id", "title", "keywords", "description", "bot", "answer", "environment")


def _record(segment: str, line: bytes) -> Record:
    document = orjson.loads(line)
    event = Event(
        document["type"],
        document["url"],
        document["visitor"],
        document["at_ms"],
        document.get("event_id"),
        document.get("title", ""),
        tuple(document.get("keywords", ())),
        document.get("description", ""),
        document.get("bot", False),
        document.get("answer"),
        document.get("environment", {}),
    )
    return Record(segment, document["n"], document["received_us"], event)


def _records(path: Path, segment: str, broken: Callable[[], None] | None) -> Iterator[Record]:
    with path.open("rb", buffering=_READ_BYTES) as lines:
        for line in lines:
            try:
                record = _record(segment, line)
            except (ValueError, KeyError, TypeError):
                if broken is not None:
                    broken()
                continue
            yield record


def _names(folder: Path) -> list[str]:
    with _errors(folder):
        return sorted(
            entry.name.removesuffix(_SUFFIX)
            for entry in os.scandir(folder)
            if entry.name.endswith(_SUFFIX)
        )


def _replace(path: Path, content: bytes) -> None:
    """Write a small file so that a reader sees the old or the new content, never a part."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """The one place where the file system's errors become ours."""
    try:
        yield
    except OSError as error:
        raise LogUnavailable(f"{path}: {error.strerror or error}") from error
