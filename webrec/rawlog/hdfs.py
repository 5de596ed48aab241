"""[1] The raw log on HDFS: events go into a folder of this machine, its closed segments to HDFS.

Events are appended to a `RawLog` of this machine, its *spool*, and are durable there: HDFS may be
away for as long as the spool's disk has room. Several machines, each with a spool, make one log::

    epochs/<epoch>              the greatest is the present one
    spools/<spool>.<epoch>      all segments that this spool began before an epoch are in closed/
    spools/<spool>.rest         nobody writes there: no cut waits for it
    shipping/<segment>          on its way
    closed/<segment>            complete, never written again
    closed/<segment>.rewritten  the same without forgotten visitors: it counts

Marks are empty folders: they cost one call to the NameNode and need no DataNode. A segment gets
into ``closed/`` in one step, whole, and leaves its spool only afterwards. So wherever a process
dies the next one goes on, and nothing is lost or there twice.

A cut raises the epoch on HDFS. Each spool follows within a second, and when the last segment that
it began before has arrived, it says so by a mark.
"""

from __future__ import annotations

import fcntl
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import orjson

from webrec.domain.extras import require
from webrec.errors import LogUnavailable, UsageError
from webrec.rawlog.local import (
    SUFFIX,
    Log,
    RawLog,
    Record,
    Segment,
    Unshipped,
    Watermark,
    epoch_of,
    file_errors,
    line_of,
    never,
    records_of,
    replace_file,
    segment_names,
)

if TYPE_CHECKING:
    from webrec.rawlog.webhdfs import File, Hdfs

_EPOCHS, _SPOOLS, _SHIPPING, _CLOSED = "epochs", "spools", "shipping", "closed"
_REST = "rest"
_MARK = re.compile(rf"([0-9a-f]{{8}})\.(\d{{8}}|{_REST})")
_REWRITTEN = ".rewritten" + SUFFIX
_POLL_S = 0.2
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 10.0
_STALE_S = 60.0
_PIECE_BYTES = 1 << 18

_log = logging.getLogger(__name__)


def open_log(uri: str, spool: Path) -> Log:
    """Open the log a URI names.

    Args:
        uri: ``file://folder`` or ``hdfs://[user@]namenode:9870/path``.
        spool: folder of this machine for what is not on HDFS yet.

    Raises:
        UsageError: the URI is not understood, or the driver is not installed.
        LogUnavailable: the folder cannot be made.
    """
    scheme, separator, path = uri.partition("://")
    if scheme == "file" and separator and path:
        return RawLog(Path(path))
    if scheme == "hdfs" and separator:
        require("hbase", "a log on HDFS")
        from webrec.rawlog import webhdfs  # the driver loads only when it is wanted

        address = webhdfs.Address.of(uri)
        return HdfsLog(
            RawLog(spool),
            shipping=webhdfs.Hdfs(address, webhdfs.SHIPPING),
            reading=webhdfs.Hdfs(address, webhdfs.READING),
            looking=webhdfs.Hdfs(address, webhdfs.LOOKING),
        )
    raise UsageError(
        f"the log {uri!r} is not understood: use file:///path/to/folder or "
        "hdfs://[user@]namenode:9870/path"
    )


class _Mark(NamedTuple):
    """What a spool says of itself on HDFS.

    Attributes:
        before: all segments that it began before this epoch are there.
        rests: nobody writes there.
    """

    before: int = 0
    rests: bool = False


class _Away(NamedTuple):
    """That shipping fails, for all processes of the spool to read.

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


class _Over(Exception):
    """Whoever ships was told to stop."""


class _Differing(LogUnavailable):
    """A segment is on HDFS, but not as it is here."""


class HdfsLog:
    """A log on HDFS, written through a spool.

    Args:
        spool: the folder of this machine.
        shipping, reading, looking: the log's folder on HDFS, for whoever comes again, for a batch
            that cannot, and for somebody who waits for a figure.
    """

    def __init__(self, spool: RawLog, *, shipping: Hdfs, reading: Hdfs, looking: Hdfs) -> None:
        self._spool = spool
        self._shipping = shipping
        self._reading = reading
        self._looking = looking
        self._files: dict[str, File] = {}
        self._mark: _Mark | None = None
        self._present: BinaryIO | None = None
        with file_errors(spool.folder):
            # held as long as this process may write; see `close`
            self._present = (spool.folder / "users.lock").open("ab")
            fcntl.flock(self._present, fcntl.LOCK_SH)

    # --- the spool ---------------------------------------------------------------------------

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
        """The open segments of the spool whose writers are gone; see `RawLog.orphans`."""
        return self._spool.orphans()

    def open_segments(self) -> list[str]:
        """Names of the segments being written or left behind in the spool, in order."""
        return self._spool.open_segments()

    def unshipped(self) -> Unshipped:
        """What waits in the spool, and why; HDFS is not asked."""
        names = self._spool.closed_segments()
        waiting = Unshipped(self._spool.folder, len(names), sum(map(self._spool.size, names)))
        away = self._away()
        return waiting if away is None else waiting._replace(why=away.why, since=away.since)

    # --- shipping ----------------------------------------------------------------------------

    def ship(self, is_over: Callable[[], bool] = never) -> None:
        """Bring what is closed to HDFS, and say so there, unless another process is at it.

        What fails is tried again by a later call, after a pause; `unshipped` says why.
        """
        self._try_to_ship(is_over, at_once=False)

    def close(self) -> None:
        """Say that this process writes no more; the last one lets the spool rest."""
        if self._present is None:
            return
        with suppress(LogUnavailable):  # then cuts go on waiting for the spool
            self._lie_down(self._present)
        self._present.close()
        self._present = None
        for hdfs in (self._shipping, self._reading, self._looking):
            hdfs.close()

    def _try_to_ship(self, is_over: Callable[[], bool], *, at_once: bool) -> None:
        with self._alone() as is_alone:
            if not is_alone:
                return
            away = self._away()
            if away is not None and away.pauses(time.time()) and not at_once:
                return
            try:
                with suppress(_Over):
                    self._bring(is_over)
            except LogUnavailable as error:
                self._mark = None  # whatever HDFS has now is looked at anew
                self._put_away(away, str(error))
            else:
                self._file("away").unlink(missing_ok=True)

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

    def _bring(self, is_over: Callable[[], bool]) -> None:
        epoch = self._follow()
        spool = self._spool.spool()
        mark = None if spool is None else self._signed_on(spool)
        differing: _Differing | None = None
        for segment in self._spool.closed_segments():
            try:
                self._send(segment, is_over)
            except _Differing as error:
                differing = error  # holds up itself, and no other
        if differing is not None:
            raise differing
        if spool is not None and mark is not None and mark.before < epoch:
            # the open ones first: they move this way only
            waiting = self._spool.open_segments() + self._spool.closed_segments()
            if all(epoch_of(segment) >= epoch for segment in waiting):
                self._declare(spool, epoch)

    def _follow(self) -> int:
        """Bring the epochs here and there to the greater of the two."""
        there, here = self._last_epoch(), self._spool.epoch()
        if there < here:  # a log that was a folder before, or HDFS lost the folder
            self._shipping.make_folder(_epoch_mark(here))
        self._spool.raise_epoch(there)
        return max(there, here)

    def _last_epoch(self) -> int:
        return max((int(n) for n in self._shipping.names(_EPOCHS) if n.isdigit()), default=0)

    def _signed_on(self, spool: str) -> _Mark:
        """The spool's mark; made, so that cuts wait for it, and rid of its rest."""
        if self._mark is None:
            for folder in (_SHIPPING, _CLOSED):
                self._shipping.make_folder(folder)
            found = self._marks(self._shipping).get(spool)
            if found is None:
                self._shipping.make_folder(_spool_mark(spool, 0))
            self._mark = found or _Mark()
        if self._mark.rests and (self._spool.open_segments() or self._spool.closed_segments()):
            self._shipping.remove(_rest_mark(spool))
            self._mark = self._mark._replace(rests=False)
        return self._mark

    def _send(self, segment: str, is_over: Callable[[], bool]) -> None:
        """Bring one segment to HDFS and take it out of the spool."""
        if is_over():
            raise _Over
        size = self._spool.size(segment)
        if not self._has_arrived(segment, size):
            temporary = f"{_SHIPPING}/{segment}{SUFFIX}"
            self._shipping.write(temporary, _pieces(self._spool.path(segment), is_over))
            _expect(self._shipping, temporary, size)
            self._shipping.move(temporary, _closed(segment))
        self._spool.remove(segment)

    def _has_arrived(self, segment: str, size: int) -> bool:
        """Whether a process that died before it took the segment out of the spool had sent it."""
        found = self._shipping.find(_closed(segment))
        if found is not None and found.length == size:
            return True
        # a batch may have been there since
        if self._shipping.find(_closed(segment, _REWRITTEN)) is not None:
            return True
        if found is not None:
            raise _Differing(
                f"{self._shipping.address}/{found.path} has {found.length:,} bytes and "
                f"{self._spool.path(segment)} {size:,}: look at both, and take away the wrong one"
            )
        return False

    def _declare(self, spool: str, epoch: int) -> None:
        self._shipping.make_folder(_spool_mark(spool, epoch))
        for name in self._shipping.names(_SPOOLS):
            found = _MARK.fullmatch(name)
            if found and found[1] == spool and found[2] != _REST and int(found[2]) < epoch:
                self._shipping.remove(f"{_SPOOLS}/{name}")
        self._mark = _Mark(epoch, self._mark is not None and self._mark.rests)

    def _lie_down(self, present: BinaryIO) -> None:
        spool = self._spool.spool()
        if spool is None or self._mark is None or self._mark.rests:
            return
        try:
            fcntl.flock(present, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else may write still
        if not self._spool.open_segments() and not self._spool.closed_segments():
            self._looking.make_folder(_rest_mark(spool))

    # --- the other end -----------------------------------------------------------------------

    def closed_segments(self) -> list[str]:
        """Names of the complete segments, in order: those on HDFS, and those of this spool.

        Raises:
            LogUnavailable: HDFS is away, or too slow for somebody who waits.
        """
        if (away := self._away()) is not None:
            raise LogUnavailable(away.why)
        here = self._spool.closed_segments()  # first: segments move this way only
        return sorted({*here, *_current(self._looking.files(_CLOSED))})

    def cut(self, wait_s: float, settle: Callable[[], None]) -> Watermark:
        """Raise the epoch on HDFS and wait until what was written before is there.

        Args:
            wait_s: how long to wait for the spools, this one and those of other machines.
            settle: called while waiting; closes segments that their writers left behind.

        Raises:
            LogUnavailable: HDFS is away.
        """
        epoch = self._raise_epoch()
        settle()
        deadline = time.monotonic() + wait_s  # what settling took is not waiting

        def is_over() -> bool:
            return time.monotonic() > deadline

        while True:
            self._try_to_ship(is_over, at_once=True)
            marks = self._marks(self._reading)
            late = [s for s, mark in marks.items() if mark.before <= epoch and not mark.rests]
            if not late or is_over():
                break
            time.sleep(_POLL_S)
            settle()
        for spool in sorted(late):
            _log.warning(
                "spool %s has not sent all it holds: the rest is for the next batch; if its "
                "machine is gone for good, make the folder %s/%s",
                spool,
                self._reading.address.path,
                _rest_mark(spool),
            )
        closed = _current(self._reading.files(_CLOSED))  # after the marks
        epochs = {spool: mark.before - 1 for spool, mark in marks.items()}
        return Watermark.of_cut(epoch, epochs, closed, is_complete=not late)

    def covered_by(self, watermark: Watermark) -> list[str]:
        """Names of the segments on HDFS that a watermark covers, in order."""
        listed = self._reading.files(_CLOSED)
        self._files = _current(listed)
        for segment in self._files:
            if segment + SUFFIX in listed and segment + _REWRITTEN in listed:
                self._reading.remove(_closed(segment))  # a rewriting was cut off before it did
        return [segment for segment in sorted(self._files) if watermark.covers(segment)]

    def read(self, segment: str, broken: Callable[[], None] | None = None) -> Iterator[Record]:
        """The records of a segment on HDFS, in order, in bounded memory.

        Args:
            broken: called for each line that cannot be read.

        Raises:
            LogUnavailable: it cannot be read to its end.
        """
        file = self._files.get(segment) or self._find(segment)
        return records_of(_lines(self._reading.read(file)), segment, broken)

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

        temporary = f"{_SHIPPING}/{segment}{_REWRITTEN}"
        self._reading.write(temporary, _joined(kept()))
        _expect(self._reading, temporary, size)
        self._reading.replace(temporary, _closed(segment, _REWRITTEN))
        self._reading.remove(_closed(segment))
        self._files[segment] = self._find(segment)
        return dropped

    def _raise_epoch(self) -> int:
        """Begin a new epoch.

        Returns:
            The one that ended.
        """
        epoch = self._follow()
        self._shipping.make_folder(_epoch_mark(epoch + 1))
        for name in self._shipping.names(_EPOCHS):
            if name.isdigit() and int(name) < epoch:
                self._shipping.remove(f"{_EPOCHS}/{name}")
        return epoch

    def _marks(self, hdfs: Hdfs) -> dict[str, _Mark]:
        marks: dict[str, _Mark] = {}
        for found in filter(None, map(_MARK.fullmatch, hdfs.names(_SPOOLS))):
            spool, said = found.groups()
            mark = marks.get(spool, _Mark())
            if said == _REST:
                marks[spool] = mark._replace(rests=True)
            else:
                marks[spool] = mark._replace(before=max(mark.before, int(said)))
        return marks

    def _find(self, segment: str) -> File:
        found = self._reading.find(_closed(segment, _REWRITTEN)) or self._reading.find(
            _closed(segment)
        )
        if found is None:
            raise LogUnavailable(f"{self._reading.address}/{_closed(segment)} is not there")
        return found

    # --- when HDFS is away -------------------------------------------------------------------

    def _away(self) -> _Away | None:
        """That shipping fails; None where it does not, or nobody has tried for long."""
        with file_errors(self._spool.folder):
            try:
                away = _Away(*orjson.loads(self._file("away").read_bytes()))
            except (FileNotFoundError, ValueError, TypeError):
                return None
        return away if abs(time.time() - away.tried) < _STALE_S else None

    def _put_away(self, before: _Away | None, why: str) -> None:
        now = time.time()
        since, failures = (before.since, before.failures) if before else (now, 0)
        away = _Away(why, since, now, failures + 1)
        with file_errors(self._spool.folder):
            replace_file(self._file("away"), orjson.dumps(tuple(away)))

    def _file(self, name: str) -> Path:
        return self._spool.folder / name


def _epoch_mark(epoch: int) -> str:
    return f"{_EPOCHS}/{epoch:08d}"


def _spool_mark(spool: str, before: int) -> str:
    return f"{_SPOOLS}/{spool}.{before:08d}"


def _rest_mark(spool: str) -> str:
    return f"{_SPOOLS}/{spool}.{_REST}"


def _closed(segment: str, suffix: str = SUFFIX) -> str:
    return f"{_CLOSED}/{segment}{suffix}"


def _current(listed: dict[str, File]) -> dict[str, File]:
    """The file of each segment that counts, out of a listing."""
    plain = {name: listed[name + SUFFIX] for name in segment_names(listed)}
    rewritten = [n.removesuffix(_REWRITTEN) + SUFFIX for n in listed if n.endswith(_REWRITTEN)]
    return plain | {name: listed[name + _REWRITTEN] for name in segment_names(rewritten)}


def _expect(hdfs: Hdfs, path: str, size: int) -> None:
    """Make sure that a file has arrived whole."""
    found = hdfs.find(path)
    if found is None or found.length != size:
        length = 0 if found is None else found.length
        raise LogUnavailable(f"{hdfs.address}: {length:,} of {size:,} bytes of {path} arrived")


def _pieces(path: Path, is_over: Callable[[], bool]) -> Iterator[bytes]:
    """A file piece by piece, until it is over."""
    with file_errors(path), path.open("rb") as file:
        while True:
            if is_over():
                raise _Over
            if not (piece := file.read(_PIECE_BYTES)):
                return
            yield piece


def _joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines in pieces that are worth sending."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= _PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file that comes in pieces; a last one without an end, too."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest
