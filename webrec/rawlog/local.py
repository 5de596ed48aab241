"""[1] The raw log: events in, durable lines out; replayed in order for the batch.

A log is a folder::

    epoch               the number of cuts made so far
    spool               what the folder calls itself
    open/<segment>      being written, locked by its writer
    closed/<segment>    complete, never written again

A segment is NDJSON, one event a line, and belongs to one writer. Its name begins with the epoch
in which it was begun, and ends with the name of the folder it was begun in, its *spool*. The batch
*cuts* the log: it raises the epoch, and every writer goes on in a new segment, so that all before
the cut is complete. What a cut covers is a `Watermark`.

A segment is closed only after its events have been applied to the tables (see
`webrec.recording`): a segment left open by a writer that died is what recovery has to replay.

The folder may be the whole log, or only the near end of one that several machines share: see
`webrec.rawlog.hdfs`.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import orjson

from webrec.domain.types import Event
from webrec.errors import LogUnavailable, WebrecError

SUFFIX = ".ndjson"
"""What the name of a segment's file ends with."""

_EPOCH_DIGITS = 8
_SPOOL_BYTES = 4
_SPOOL = re.compile(rb"[0-9a-f]{8}")
_SEGMENT = re.compile(r"\d{8}-[0-9a-f]{16}-[0-9a-f]{8}")
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


def epoch_of(segment: str) -> int:
    """The epoch a segment was begun in."""
    return int(segment[:_EPOCH_DIGITS])


def spool_of(segment: str) -> str:
    """The spool a segment was begun in."""
    return segment.rpartition("-")[2]


class Unshipped(NamedTuple):
    """What waits to be shipped.

    Attributes:
        folder: where it waits.
        segments, bytes: closed there, and not shipped yet.
        why: what keeps them back, in words; empty while shipping works.
        since: when that began, seconds since 1970; 0 while it works.
    """

    folder: Path
    segments: int = 0
    bytes: int = 0
    why: str = ""
    since: float = 0.0

    def told(self, now: float) -> str:
        """The same in words.

        Args:
            now: seconds since 1970.
        """
        many = "1 segment waits" if self.segments == 1 else f"{self.segments:,} segments wait"
        waiting = f"{many} in {self.folder} to be shipped ({self.bytes / 1e6:,.1f} MB)"
        return f"{waiting}, for {now - self.since:,.0f} s: {self.why}" if self.why else waiting


def never() -> bool:
    """Whether it is time to stop: it is not."""
    return False


class Log(Protocol):
    """A raw log as its users know it: `RawLog`, or `webrec.rawlog.hdfs.HdfsLog`.

    Every call raises `LogUnavailable` where what it needs is away.
    """

    def check(self) -> None:
        """Return if events can be written."""

    def epoch(self) -> int:
        """The number of cuts that writers know of."""

    def begin(self) -> Segment:
        """A new segment of the current epoch, locked for this process."""

    def orphans(self) -> Iterator[Segment]:
        """The open segments whose writers are gone, each locked for this process."""

    def cut(self, wait_s: float, settle: Callable[[], None]) -> Watermark:
        """Raise the epoch and wait until what was written before is complete."""

    def open_segments(self) -> list[str]:
        """Names of the segments being written or left behind here, in order."""

    def closed_segments(self) -> list[str]:
        """Names of the complete segments, in order; shipped or not."""

    def covered_by(self, watermark: Watermark) -> list[str]:
        """Names of the complete segments a watermark covers, in order."""

    def read(self, segment: str, broken: Callable[[], None] | None = None) -> Iterator[Record]:
        """The records of a segment that a watermark covers, in order, in bounded memory."""

    def rewrite(self, segment: str, keep: Callable[[Record], bool]) -> int:
        """Replace a segment that a watermark covers by one without what ``keep`` turns down."""

    def ship(self, is_over: Callable[[], bool] = never) -> None:
        """Bring closed segments where they belong, until it is over."""

    def unshipped(self) -> Unshipped:
        """What waits here to be shipped."""

    def close(self) -> None:
        """Say that this process writes no more."""


class RawLog:
    """A folder of segments.

    Args:
        folder: made when missing.

    Attributes:
        folder: the same.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open = folder / "open"
        self._closed = folder / "closed"
        with file_errors(folder):
            self._open.mkdir(parents=True, exist_ok=True)
            self._closed.mkdir(exist_ok=True)

    def check(self) -> None:
        """Return if the log can be written.

        Raises:
            LogUnavailable: saying why not.
        """
        with file_errors(self.folder):
            if not os.access(self._open, os.W_OK):
                raise LogUnavailable(f"the log {self.folder} cannot be written")
            if shutil.disk_usage(self._open).free < _LEAST_FREE_BYTES:
                raise LogUnavailable(f"the disk of the log {self.folder} is full")

    def epoch(self) -> int:
        """The number of cuts so far."""
        with file_errors(self.folder):
            try:
                return int((self.folder / "epoch").read_bytes())
            except FileNotFoundError:
                return 0
            except ValueError as error:
                last = max(map(epoch_of, self.closed_segments() + self.open_segments()), default=0)
                raise LogUnavailable(
                    f"{self.folder / 'epoch'} holds no number: write {last + 1} into it"
                ) from error

    def raise_epoch(self, to: int) -> None:
        """End all epochs before one; nothing happens where that has been done."""
        if self.epoch() < to:
            with file_errors(self.folder), self._cutting(fcntl.LOCK_EX):
                if self.epoch() < to:
                    self._put_epoch(to)

    def spool(self) -> str | None:
        """What the folder calls itself; None before its first segment."""
        with file_errors(self.folder):
            try:
                name = (self.folder / "spool").read_bytes()
            except FileNotFoundError:
                return None
        if not _SPOOL.fullmatch(name):
            raise LogUnavailable(
                f"{self.folder / 'spool'} holds no name: write the last 8 characters of a "
                "segment's name into it, or take it away"
            )
        return name.decode()

    def begin(self) -> Segment:
        """A new segment of the current epoch, locked for this process."""
        spool = self.spool() or self._name_spool()
        # shared with other writers, exclusive against a cut: no segment of an epoch is begun
        # after the cut that ends it
        with file_errors(self.folder), self._cutting(fcntl.LOCK_SH):
            epoch, began_ns = self.epoch(), time.time_ns()
            while True:
                name = f"{epoch:0{_EPOCH_DIGITS}d}-{began_ns:016x}-{spool}"
                try:
                    return Segment(self._open, self._closed, name, is_new=True)
                except FileExistsError:
                    began_ns += 1  # another writer began at the same moment

    def cut(self, wait_s: float, settle: Callable[[], None]) -> Watermark:
        """Raise the epoch and wait until what was written before is complete.

        Args:
            wait_s: how long to wait for writers to close their segments.
            settle: called while waiting; closes segments that their writers left behind.
        """
        with file_errors(self.folder), self._cutting(fcntl.LOCK_EX):
            epoch = self.epoch()
            self._put_epoch(epoch + 1)
        deadline = time.monotonic() + wait_s
        while True:
            settle()
            still_open = [name for name in self.open_segments() if epoch_of(name) <= epoch]
            if not still_open or time.monotonic() > deadline:
                return self._watermark(epoch, still_open)
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

    def path(self, segment: str) -> Path:
        """The file of a closed segment."""
        return self._closed / (segment + SUFFIX)

    def size(self, segment: str) -> int:
        """Bytes of a closed segment; 0 for one that is not here any more."""
        with file_errors(self.folder):
            try:
                return self.path(segment).stat().st_size
            except FileNotFoundError:
                return 0

    def remove(self, segment: str) -> None:
        """Take away a closed segment that is safe elsewhere."""
        with file_errors(self.folder):
            self.path(segment).unlink(missing_ok=True)
            _sync_folder(self._closed)

    def orphans(self) -> Iterator[Segment]:
        """The open segments whose writers are gone, each locked for this process.

        A last line that was cut off by a crash is taken away first.
        """
        for name in self.open_segments():
            # exclusive against `begin`, so that a segment just made is not mistaken for an orphan
            with file_errors(self.folder), self._cutting(fcntl.LOCK_EX):
                orphan = Segment.adopt(self._open, self._closed, name)
            if orphan is not None:
                yield orphan

    def read(self, segment: str, broken: Callable[[], None] | None = None) -> Iterator[Record]:
        """The records of a closed segment, in order, in bounded memory.

        Args:
            broken: called for each line that cannot be read.
        """
        with (
            file_errors(self.folder),
            self.path(segment).open("rb", buffering=_READ_BYTES) as lines,
        ):
            yield from records_of(lines, segment, broken)

    def rewrite(self, segment: str, keep: Callable[[Record], bool]) -> int:
        """Replace a closed segment by one without the records that ``keep`` turns down.

        Returns:
            How many were taken out.
        """
        path = self.path(segment)
        temporary = path.with_suffix(".rewriting")
        dropped = 0
        with file_errors(self.folder):
            with temporary.open("wb") as out:
                os.fchmod(out.fileno(), _MODE)
                for record in self.read(segment):
                    if keep(record):
                        out.write(line_of(record))
                    else:
                        dropped += 1
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(path)
            _sync_folder(self._closed)
        return dropped

    def ship(self, is_over: Callable[[], bool] = never) -> None:
        """Nothing: a closed segment is where it belongs."""

    def unshipped(self) -> Unshipped:
        """Nothing, ever."""
        return Unshipped(self.folder)

    def close(self) -> None:
        """Nothing: a folder needs no farewell."""

    def _name_spool(self) -> str:
        with file_errors(self.folder), self._cutting(fcntl.LOCK_EX):
            if (named := self.spool()) is not None:
                return named  # by another process, between our look and our lock
            spool = secrets.token_hex(_SPOOL_BYTES)
            replace_file(self.folder / "spool", spool.encode())
            return spool

    def _put_epoch(self, epoch: int) -> None:
        replace_file(self.folder / "epoch", b"%d" % epoch)

    def _watermark(self, epoch: int, still_open: list[str]) -> Watermark:
        closed = self.closed_segments()  # after those still open: they move this way only
        spools = {spool_of(name) for name in (*closed, *still_open)}
        if (own := self.spool()) is not None:
            spools.add(own)
        epochs = dict.fromkeys(spools, epoch)
        for name in still_open:
            epochs[spool_of(name)] = min(epochs[spool_of(name)], epoch_of(name) - 1)
        return Watermark.of_cut(epoch, epochs, closed, is_complete=not still_open)

    @contextmanager
    def _cutting(self, operation: int) -> Iterator[None]:
        with (self.folder / "cut.lock").open("ab") as lock:
            fcntl.flock(lock, operation)
            yield


class Segment:
    """One file of the log, written by this process; safe to use from several threads.

    Attributes:
        name: unique: epoch, moment, spool.
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
                _sync_folder(folder)
            except OSError:
                self._path.unlink(missing_ok=True)
                os.close(self._fd)
                raise

    @classmethod
    def adopt(cls, folder: Path, closed: Path, name: str) -> Segment | None:
        """Take over a segment whose writer is gone; None if it is not, or somebody was faster."""
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
        """Make everything appended so far durable; calls at the same time share one fsync."""
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
        with file_errors(self._path), self._path.open("rb", buffering=_READ_BYTES) as lines:
            yield from records_of(lines, self.name, None)

    def close(self) -> None:
        """Make it durable and complete: it moves to the closed segments, or away if empty."""
        self.sync()
        with file_errors(self._path):
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


def line_of(record: Record) -> bytes:
    """One record as a line of its segment; what is empty is left out."""
    event = record.event
    document: dict[str, Any] = {
        "n": record.number,
        "received_us": record.received_us,
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


def records_of(
    lines: Iterable[bytes], segment: str, broken: Callable[[], None] | None
) -> Iterator[Record]:
    """The records of a segment's lines, in order.

    Args:
        broken: called for each line that cannot be read.
    """
    for line in lines:
        try:
            record = _record(segment, line)
        except (ValueError, KeyError, TypeError):
            if broken is not None:
                broken()
            continue
        yield record


def segment_names(files: Iterable[str]) -> list[str]:
    """The segments among the names of some files, in order."""
    names = (file.removesuffix(SUFFIX) for file in files if file.endswith(SUFFIX))
    return sorted(name for name in names if _SEGMENT.fullmatch(name))


def _names(folder: Path) -> list[str]:
    with file_errors(folder):
        return segment_names(entry.name for entry in os.scandir(folder))


def replace_file(path: Path, content: bytes) -> None:
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
def file_errors(path: Path) -> Iterator[None]:
    """The one place where the file system's errors become ours."""
    try:
        yield
    except OSError as error:
        raise LogUnavailable(f"{path}: {error.strerror or error}") from error
