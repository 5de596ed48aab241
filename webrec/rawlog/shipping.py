"""[1] Shipping: closed segments leave the spool of this machine for HDFS, each once and whole.

A segment gets into ``closed/`` on HDFS in one step, whole, and leaves its spool only afterwards.
So wherever a process dies the next one goes on, and nothing is lost or there twice. When the last
segment that the spool started before an epoch has arrived, the spool says so by a mark
(`webrec.rawlog.hdfs_marks`).
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import orjson

from webrec.errors import LogUnavailable
from webrec.rawlog.base import SUFFIX, Unshipped, epoch_of, never
from webrec.rawlog.files import file_errors, replace_file
from webrec.rawlog.hdfs_marks import REWRITTEN, SHIPPING, Epochs, OwnMark, closed_file, rest_mark
from webrec.rawlog.lines import PIECE_BYTES

if TYPE_CHECKING:
    from webrec.rawlog.local import LocalLog
    from webrec.rawlog.webhdfs import Hdfs

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 10.0
"""Seconds between two attempts while HDFS is away: from twice the first, doubled, to the longest.

A NameNode that starts is not asked all the time, and one that is back is found soon.
"""

_STALE_S = 60.0
"""Seconds after which a failure says nothing any more: no process of the spool has tried since."""


class Outage(NamedTuple):
    """That shipping fails, for all processes of the spool to know.

    Attributes:
        why: in words.
        since, tried: the first and the last attempt, seconds since 1970.
        failures: attempts so far.
    """

    why: str
    since: float
    tried: float
    failures: int

    def pauses(self, now: float) -> bool:
        """Whether the next attempt must wait still."""
        pause_s: float = min(_FIRST_PAUSE_S * 2**self.failures, _LONGEST_PAUSE_S)
        return 0 <= now - self.tried < pause_s  # also where the clock was set back meanwhile


class _Stopped(Exception):
    """Shipping was told to stop."""


class _Differing(LogUnavailable):
    """A segment is on HDFS, but not as it is here."""


class Shipper:
    """Brings the closed segments of a spool to HDFS, whichever of its processes does it.

    Three files of the spool make its processes, and their threads, agree:

    - ``ship.lock`` is held alone by the one that ships. It guards all that shipping changes: which
      closed segments are still in the spool, the spool's mark on HDFS and what this process knows
      of it, and the file ``away``.
    - ``users.lock`` is held shared by every process from its start until `close`. The last one gets
      it alone: only it may let the spool rest, on HDFS, since no other process can be writing.
    - ``away`` says that shipping fails. It is read without a lock, since it is replaced as a whole.

    Args:
        spool: the folder of this machine.
        hdfs: the log's folder on HDFS.
        epochs: the epoch of both.
    """

    def __init__(self, spool: LocalLog, hdfs: Hdfs, epochs: Epochs) -> None:
        self._spool = spool
        self._hdfs = hdfs
        self._epochs = epochs
        self._mark = OwnMark(spool, hdfs)
        self._present: BinaryIO | None = None
        with file_errors(spool.folder):
            self._present = self._file("users.lock").open("ab")
            fcntl.flock(self._present, fcntl.LOCK_SH)

    def ship(self, should_stop: Callable[[], bool] = never, *, at_once: bool = False) -> None:
        """Bring what is closed to HDFS, and say so there, unless another process is at it.

        What fails is tried again by a later call, after a pause; `unshipped` says why.

        Args:
            should_stop: asked before each segment and each piece of one.
            at_once: do not wait for the pause to end.

        Raises:
            LogUnavailable: the spool's own disk fails.
        """
        with self._alone() as is_alone:
            if not is_alone:
                return
            outage = self.outage()
            if outage is not None and outage.pauses(time.time()) and not at_once:
                return
            try:
                with suppress(_Stopped):
                    self._bring(should_stop)
            except LogUnavailable as error:
                self._mark.forget()
                self._put_outage(outage, str(error))
            else:
                self._file("away").unlink(missing_ok=True)

    def unshipped(self) -> Unshipped:
        """What waits in the spool, and why; HDFS is not asked."""
        names = self._spool.closed_segments()
        bytes_ = sum(map(self._spool.size, names))
        waiting = Unshipped(str(self._spool.folder), len(names), bytes_)
        outage = self.outage()
        return waiting if outage is None else waiting._replace(why=outage.why, since=outage.since)

    def outage(self) -> Outage | None:
        """That shipping fails; None where it does not, or has not been tried for long."""
        with file_errors(self._spool.folder):
            try:
                outage = Outage(*orjson.loads(self._file("away").read_bytes()))
            except (FileNotFoundError, ValueError, TypeError):
                return None
        return outage if abs(time.time() - outage.tried) < _STALE_S else None

    def close(self, hdfs: Hdfs) -> None:
        """Say that this process writes no more; the last one lets the spool rest.

        Args:
            hdfs: the log's folder, for a process that has no time to wait.
        """
        if self._present is None:
            return
        with suppress(LogUnavailable):  # then cuts go on waiting for the spool
            self._let_rest(self._present, hdfs)
        self._present.close()
        self._present = None

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether this process, and this thread of it, is the one that ships meanwhile."""
        with file_errors(self._spool.folder), self._file("ship.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                is_alone = False
            else:
                is_alone = True
            yield is_alone

    def _bring(self, should_stop: Callable[[], bool]) -> None:
        epoch = self._epochs.follow()
        spool = self._spool.spool()
        if spool is not None:
            self._mark.sign_on(spool)
        differing: _Differing | None = None
        for segment in self._spool.closed_segments():
            try:
                self._send(segment, should_stop)
            except _Differing as error:
                differing = error  # holds up itself, and no other
        if differing is not None:
            raise differing
        if spool is not None and not self._mark.says(epoch):
            # the open ones first: they move this way only
            waiting = self._spool.open_segments() + self._spool.closed_segments()
            if all(epoch_of(segment) >= epoch for segment in waiting):
                self._mark.declare(spool, epoch)

    def _send(self, segment: str, should_stop: Callable[[], bool]) -> None:
        """Bring one segment to HDFS and take it out of the spool."""
        if should_stop():
            raise _Stopped
        size = self._spool.size(segment)
        if not self._has_arrived(segment, size):
            temporary = f"{SHIPPING}/{segment}{SUFFIX}"
            self._hdfs.write(temporary, _pieces(self._spool.path(segment), should_stop))
            self._hdfs.check_length(temporary, size)
            self._hdfs.move(temporary, closed_file(segment))
        self._spool.remove(segment)

    def _has_arrived(self, segment: str, size: int) -> bool:
        """Whether a process that died before it took the segment out of the spool had sent it."""
        found = self._hdfs.find(closed_file(segment))
        if found is not None and found.length == size:
            return True
        # a batch may have been there since
        if self._hdfs.find(closed_file(segment, REWRITTEN)) is not None:
            return True
        if found is not None:
            raise _Differing(
                f"{self._hdfs.address}/{found.path} has {found.length:,} bytes and "
                f"{self._spool.path(segment)} {size:,}: look at both, and take away the wrong one"
            )
        return False

    def _let_rest(self, present: BinaryIO, hdfs: Hdfs) -> None:
        """Mark the spool as one that no cut waits for, if this process is its last."""
        spool = self._spool.spool()
        if spool is None or not self._mark.is_awake():
            return
        try:
            fcntl.flock(present, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another process may write still
        if not self._spool.open_segments() and not self._spool.closed_segments():
            hdfs.make_folder(rest_mark(spool))

    def _put_outage(self, before: Outage | None, why: str) -> None:
        now = time.time()
        since, failures = (before.since, before.failures) if before else (now, 0)
        outage = Outage(why, since, now, failures + 1)
        with file_errors(self._spool.folder):
            replace_file(self._file("away"), orjson.dumps(tuple(outage)))

    def _file(self, name: str) -> Path:
        return self._spool.folder / name


def _pieces(path: Path, should_stop: Callable[[], bool]) -> Iterator[bytes]:
    """A file piece by piece, until shipping is told to stop."""
    with file_errors(path), path.open("rb") as file:
        while True:
            if should_stop():
                raise _Stopped
            if not (piece := file.read(PIECE_BYTES)):
                return
            yield piece
