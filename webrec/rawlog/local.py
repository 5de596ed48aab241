"""[1] The raw log in a folder of this machine: events in, durable lines out, replayed in order.

A log is a folder::

    epoch               the number of cuts made so far
    spool               what the folder calls itself
    cut.lock            see `LocalLog`
    open/<segment>      being written, locked by its writer
    closed/<segment>    complete, never written again

A segment is NDJSON, one event a line, and belongs to one writer. It is closed only after its events
have been applied to the tables (see `webrec.recording`): a segment left open by a writer that died
is what recovery has to replay.

The folder may be the whole log, or only the near end of one that several machines share, its
*spool*: see `webrec.rawlog.hdfs`.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from webrec.errors import LogUnavailable
from webrec.rawlog.base import (
    SUFFIX,
    Record,
    Unshipped,
    Watermark,
    epoch_of,
    never,
    segment_name,
    segment_names,
    spool_of,
)
from webrec.rawlog.files import file_errors, replace_file, sync_folder
from webrec.rawlog.segment import SegmentFile, read_segment, rewrite_segment

_SPOOL_BYTES = 4
"""Random bytes of a spool's name: a thousand machines collide once in 8,000 installations."""

_SPOOL = re.compile(rb"[0-9a-f]{8}")

_LEAST_FREE_BYTES = 1 << 20
"""Free space below which the disk counts as full: some seconds of events."""

_POLL_S = 0.05
"""Seconds between two listings of what is still open, by a cut that waits: each costs little."""


class LocalLog:
    """A `webrec.rawlog.base.Log` in a folder.

    The file ``cut.lock`` guards what the processes of the folder must agree on. It is shared by
    those that begin a segment, and held alone for whatever ends an epoch, names the spool, or takes
    an open segment for an orphan: so no segment of an epoch is begun after the cut that ended it,
    and none that was just made is mistaken for an orphan.

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
            with file_errors(self.folder), self._locked(fcntl.LOCK_EX):
                if self.epoch() < to:
                    self._put_epoch(to)

    def spool(self) -> str | None:
        """What the folder calls itself; None before its first segment.

        Raises:
            LogUnavailable: the file was garbled.
        """
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

    def begin(self) -> SegmentFile:
        """A new segment of the current epoch, locked for this process."""
        spool = self.spool() or self._name_spool()
        with file_errors(self.folder), self._locked(fcntl.LOCK_SH):
            epoch, started_ns = self.epoch(), time.time_ns()
            while True:
                name = segment_name(epoch, started_ns, spool)
                try:
                    return SegmentFile(self._open, self._closed, name, is_new=True)
                except FileExistsError:
                    started_ns += 1  # another writer started at the same moment

    def orphans(self) -> Iterator[SegmentFile]:
        """The open segments whose writers are gone, each locked for this process.

        A last line that was cut off by a crash is taken away first.
        """
        for name in self.open_segments():
            with file_errors(self.folder), self._locked(fcntl.LOCK_EX):
                orphan = SegmentFile.adopt(self._open, self._closed, name)
            if orphan is not None:
                yield orphan

    def cut(self, wait_s: float, close_segments: Callable[[], None]) -> Watermark:
        """End the epoch and wait until what was written before is complete.

        Args:
            wait_s: seconds to wait for writers to close their segments.
            close_segments: called while waiting; closes those that their writers left behind.
        """
        with file_errors(self.folder), self._locked(fcntl.LOCK_EX):
            epoch = self.epoch()
            self._put_epoch(epoch + 1)
        deadline = time.monotonic() + wait_s
        while True:
            close_segments()
            still_open = [name for name in self.open_segments() if epoch_of(name) <= epoch]
            if not still_open or time.monotonic() > deadline:
                return self._watermark(epoch, still_open)
            time.sleep(_POLL_S)

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
            sync_folder(self._closed)

    def read(self, segment: str, broken: Callable[[], None] | None = None) -> Iterator[Record]:
        """The records of a closed segment, in order, in bounded memory."""
        return read_segment(self.path(segment), segment, broken)

    def rewrite(self, segment: str, keep: Callable[[Record], bool]) -> int:
        """Replace a closed segment by one without the records that ``keep`` turns down.

        Returns:
            How many were taken out.
        """
        return rewrite_segment(self.path(segment), segment, keep)

    def ship(self, should_stop: Callable[[], bool] = never) -> None:
        """Do nothing: a closed segment is where it belongs."""

    def unshipped(self) -> Unshipped:
        """Nothing, ever."""
        return Unshipped(str(self.folder))

    def close(self) -> None:
        """Do nothing: a cut asks the segments' locks which writers are still there."""

    def _name_spool(self) -> str:
        with file_errors(self.folder), self._locked(fcntl.LOCK_EX):
            if (named := self.spool()) is not None:
                return named  # by another process, between our reading and our lock
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
    def _locked(self, operation: int) -> Iterator[None]:
        with (self.folder / "cut.lock").open("ab") as lock:
            fcntl.flock(lock, operation)
            yield


def _names(folder: Path) -> list[str]:
    with file_errors(folder):
        return segment_names(entry.name for entry in os.scandir(folder))
