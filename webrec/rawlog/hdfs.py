"""[1] The raw log on HDFS: events go into a folder of this machine, its closed segments to HDFS.

Events are appended to a `LocalLog` of this machine, its *spool*, and are durable there: HDFS may be
away for as long as the spool's disk has room. Several machines, each with a spool, make one log on
HDFS; `webrec.rawlog.hdfs_marks` draws what lies there, and `webrec.rawlog.shipping` brings it.

A cut raises the epoch on HDFS. Each spool follows within a second, and when the last segment that
it started before has arrived, it says so by a mark. The batch reads the segments from HDFS.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from webrec.errors import LogUnavailable
from webrec.rawlog import webhdfs
from webrec.rawlog.base import SUFFIX, Record, Segment, Unshipped, Watermark, never
from webrec.rawlog.hdfs_marks import (
    CLOSED,
    REWRITTEN,
    SHIPPING,
    Epochs,
    closed_file,
    current_files,
    marks_on,
    rest_mark,
)
from webrec.rawlog.hdfs_uri import Address
from webrec.rawlog.lines import join_lines, line_of, records_of, split_lines
from webrec.rawlog.local import LocalLog
from webrec.rawlog.shipping import Shipper
from webrec.rawlog.webhdfs import File, Hdfs

_POLL_S = 0.2
"""Seconds between two listings of the marks by a cut that waits: each asks the NameNode."""

_log = logging.getLogger(__name__)


class HdfsLog:
    """A `webrec.rawlog.base.Log` on HDFS, written through a spool.

    Recording may call it from several threads, and ship from another (see `Shipper` for the locks);
    the other end, from `cut` to `rewrite`, is for one batch at a time.

    Args:
        spool: the folder of this machine.
        shipping: the log's folder on HDFS, for what is tried again a moment later.
        reading: the same for a batch, which has no second chance.
        status: the same for figures, while a request waits for them.
    """

    def __init__(self, spool: LocalLog, *, shipping: Hdfs, reading: Hdfs, status: Hdfs) -> None:
        self._spool = spool
        self._reading = reading
        self._status = status
        self._connections = (shipping, reading, status)
        self._epochs = Epochs(spool, shipping)
        self._shipper = Shipper(spool, shipping, self._epochs)
        self._files: dict[str, File] = {}

    @classmethod
    def open(cls, uri: str, spool: Path) -> HdfsLog:
        """The log at a URI ``hdfs://[user@]namenode:9870/path``; HDFS is not asked yet.

        Raises:
            UsageError: the URI is not understood.
            LogUnavailable: the spool's folder cannot be made.
        """
        address = Address.of(uri)
        return cls(
            LocalLog(spool),
            shipping=Hdfs(address, webhdfs.SHIPPING),
            reading=Hdfs(address, webhdfs.READING),
            status=Hdfs(address, webhdfs.STATUS),
        )

    # --- the near end: the spool, and shipping -----------------------------------------------

    def check(self) -> None:
        """Return if the spool can be written: HDFS away is no reason to refuse events.

        Raises:
            LogUnavailable: saying why not.
        """
        self._spool.check()

    def epoch(self) -> int:
        """The epoch of the spool, which follows the one on HDFS within a second."""
        return self._spool.epoch()

    def begin(self) -> Segment:
        """A new segment of the current epoch, locked for this process."""
        return self._spool.begin()

    def orphans(self) -> Iterator[Segment]:
        """The open segments of the spool whose writers are gone; see `LocalLog.orphans`."""
        return self._spool.orphans()

    def open_segments(self) -> list[str]:
        """Names of the segments being written or left behind in the spool, in order."""
        return self._spool.open_segments()

    def ship(self, should_stop: Callable[[], bool] = never) -> None:
        """Bring what is closed to HDFS, and say so there; see `Shipper.ship`."""
        self._shipper.ship(should_stop)

    def unshipped(self) -> Unshipped:
        """What waits in the spool, and why; HDFS is not asked."""
        return self._shipper.unshipped()

    def close(self) -> None:
        """Say that this process writes no more; the last one lets the spool rest."""
        self._shipper.close(self._status)
        for hdfs in self._connections:
            hdfs.close()

    # --- the far end: what all spools have sent ----------------------------------------------

    def closed_segments(self) -> list[str]:
        """Names of the complete segments, in order: those on HDFS, and those of this spool.

        Raises:
            LogUnavailable: HDFS is away, or too slow for a caller who waits.
        """
        if (outage := self._shipper.outage()) is not None:
            raise LogUnavailable(outage.why)
        here = self._spool.closed_segments()  # first: segments move this way only
        return sorted({*here, *current_files(self._status.files(CLOSED))})

    def cut(self, wait_s: float, close_segments: Callable[[], None]) -> Watermark:
        """Raise the epoch on HDFS and wait until what was written before is there.

        Args:
            wait_s: seconds to wait for the spools, this one and those of other machines.
            close_segments: called while waiting; closes those that their writers left behind.

        Raises:
            LogUnavailable: HDFS is away.
        """
        epoch = self._epochs.end()
        close_segments()
        deadline = time.monotonic() + wait_s  # what a replay took is not waiting

        def is_over() -> bool:
            return time.monotonic() > deadline

        while True:
            self._shipper.ship(is_over, at_once=True)
            marks = marks_on(self._reading)
            late = [s for s, mark in marks.items() if mark.before <= epoch and not mark.rests]
            if not late or is_over():
                break
            time.sleep(_POLL_S)
            close_segments()
        self._warn_of(late)
        closed = current_files(self._reading.files(CLOSED))  # after the marks
        epochs = {spool: mark.before - 1 for spool, mark in marks.items()}
        return Watermark.of_cut(epoch, epochs, closed, is_complete=not late)

    def covered_by(self, watermark: Watermark) -> list[str]:
        """Names of the segments on HDFS that a watermark covers, in order."""
        listed = self._reading.files(CLOSED)
        self._files = current_files(listed)
        for segment in self._files:
            if segment + SUFFIX in listed and segment + REWRITTEN in listed:
                self._reading.remove(closed_file(segment))  # a rewriting was cut off before it did
        return [segment for segment in sorted(self._files) if watermark.covers(segment)]

    def read(self, segment: str, broken: Callable[[], None] | None = None) -> Iterator[Record]:
        """The records of a segment on HDFS, in order, in bounded memory.

        Args:
            broken: called for each line that cannot be read.

        Raises:
            LogUnavailable: it cannot be read to its end.
        """
        file = self._files.get(segment) or self._find(segment)
        return records_of(split_lines(self._reading.read(file)), segment, broken)

    def rewrite(self, segment: str, keep: Callable[[Record], bool]) -> int:
        """Replace a segment on HDFS by one without the records that ``keep`` turns down.

        Returns:
            How many were taken out.
        """
        dropped = size = 0

        def kept() -> Iterator[bytes]:
            nonlocal dropped, size
            for record in self.read(segment):
                if keep(record):
                    line = line_of(record)
                    size += len(line)
                    yield line
                else:
                    dropped += 1

        temporary = f"{SHIPPING}/{segment}{REWRITTEN}"
        self._reading.write(temporary, join_lines(kept()))
        self._reading.check_length(temporary, size)
        self._reading.replace(temporary, closed_file(segment, REWRITTEN))
        self._reading.remove(closed_file(segment))
        self._files[segment] = self._find(segment)
        return dropped

    def _warn_of(self, late: Iterable[str]) -> None:
        for spool in sorted(late):
            _log.warning(
                "spool %s has not sent all it holds: the rest is for the next batch; if its "
                "machine is gone for good, make the folder %s/%s",
                spool,
                self._reading.address.path,
                rest_mark(spool),
            )

    def _find(self, segment: str) -> File:
        found = self._reading.find(closed_file(segment, REWRITTEN)) or self._reading.find(
            closed_file(segment)
        )
        if found is None:
            raise LogUnavailable(f"{self._reading.address}/{closed_file(segment)} is not there")
        return found
