"""[1] What lies where on HDFS, and what spools and cuts tell each other there by marks.

The folder of the log::

    epochs/<epoch>              the greatest is the present one
    spools/<spool>.<epoch>      all segments that this spool started before an epoch are in closed/
    spools/<spool>.rest         no process writes there: no cut waits for it
    shipping/<segment>          on its way
    closed/<segment>            complete, never written again
    closed/<segment>.rewritten  the same without forgotten visitors: it counts

Marks are empty folders: they cost one call to the NameNode, may be made twice, and need no
DataNode. An epoch or the state of a spool comes in and is a mark; marks are listed and come out as
what they say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from webrec.rawlog.base import SUFFIX, segment_names

if TYPE_CHECKING:
    from webrec.rawlog.local import LocalLog
    from webrec.rawlog.webhdfs import File, Hdfs

SHIPPING, CLOSED = "shipping", "closed"
REWRITTEN = ".rewritten" + SUFFIX
"""What the name of a rewritten segment's file ends with."""

_EPOCHS, _SPOOLS = "epochs", "spools"
_REST = "rest"
_MARK = re.compile(rf"([0-9a-f]{{8}})\.(\d{{8}}|{_REST})")


class Mark(NamedTuple):
    """What a spool says of itself on HDFS.

    Attributes:
        before: all segments that it started before this epoch are there.
        rests: no process writes there.
    """

    before: int = 0
    rests: bool = False


def marks_on(hdfs: Hdfs) -> dict[str, Mark]:
    """What each spool says of itself."""
    marks: dict[str, Mark] = {}
    for found in filter(None, map(_MARK.fullmatch, hdfs.names(_SPOOLS))):
        spool, says = found.groups()
        mark = marks.get(spool, Mark())
        if says == _REST:
            marks[spool] = mark._replace(rests=True)
        else:
            marks[spool] = mark._replace(before=max(mark.before, int(says)))
    return marks


def rest_mark(spool: str) -> str:
    """The folder that says that no process writes in a spool."""
    return f"{_SPOOLS}/{spool}.{_REST}"


def closed_file(segment: str, suffix: str = SUFFIX) -> str:
    """The file of a complete segment."""
    return f"{CLOSED}/{segment}{suffix}"


def current_files(listed: Mapping[str, File]) -> dict[str, File]:
    """The file of each complete segment that counts, out of a listing by name."""
    plain = {name: listed[name + SUFFIX] for name in segment_names(listed)}
    rewritten = [n.removesuffix(REWRITTEN) + SUFFIX for n in listed if n.endswith(REWRITTEN)]
    return plain | {name: listed[name + REWRITTEN] for name in segment_names(rewritten)}


class Epochs:
    """The epoch on HDFS, and that of a spool, which follows it.

    Nothing is locked: an epoch is only ever raised, and raising it twice is raising it once.

    Args:
        spool: the near end.
        hdfs: the log's folder.
    """

    def __init__(self, spool: LocalLog, hdfs: Hdfs) -> None:
        self._spool = spool
        self._hdfs = hdfs

    def follow(self) -> int:
        """Bring the epochs here and there to the greater of the two, and return it."""
        names = self._hdfs.names(_EPOCHS)
        there, here = max((int(n) for n in names if n.isdigit()), default=0), self._spool.epoch()
        if there < here:  # a log that was a folder before, or HDFS lost the folder
            self._hdfs.make_folder(f"{_EPOCHS}/{here:08d}")
        self._spool.raise_epoch(there)
        return max(there, here)

    def end(self) -> int:
        """End the present epoch, for all spools, and return it."""
        epoch = self.follow()
        self._hdfs.make_folder(f"{_EPOCHS}/{epoch + 1:08d}")
        for name in self._hdfs.names(_EPOCHS):
            if name.isdigit() and int(name) < epoch:
                self._hdfs.remove(f"{_EPOCHS}/{name}")
        return epoch


class OwnMark:
    """The mark of this machine's spool, as this process knows it.

    Its caller sees to it that one thread of one process at a time changes the mark.

    Args:
        spool: the near end.
        hdfs: the log's folder.
    """

    def __init__(self, spool: LocalLog, hdfs: Hdfs) -> None:
        self._spool = spool
        self._hdfs = hdfs
        self._known: Mark | None = None

    def sign_on(self, spool: str) -> None:
        """Make the mark, so that cuts wait for the spool, and end its rest if it holds anything."""
        if self._known is None:
            for folder in (SHIPPING, CLOSED):
                self._hdfs.make_folder(folder)
            found = marks_on(self._hdfs).get(spool)
            if found is None:
                self._hdfs.make_folder(_spool_mark(spool, 0))
            self._known = found or Mark()
        if self._known.rests and (self._spool.open_segments() or self._spool.closed_segments()):
            self._hdfs.remove(rest_mark(spool))
            self._known = self._known._replace(rests=False)

    def says(self, epoch: int) -> bool:
        """Whether the mark says already that all before an epoch is there."""
        return self._known is not None and self._known.before >= epoch

    def declare(self, spool: str, epoch: int) -> None:
        """Say that all segments that the spool started before an epoch are there."""
        self._hdfs.make_folder(_spool_mark(spool, epoch))
        for name in self._hdfs.names(_SPOOLS):
            found = _MARK.fullmatch(name)
            if found and found[1] == spool and found[2] != _REST and int(found[2]) < epoch:
                self._hdfs.remove(f"{_SPOOLS}/{name}")
        self._known = Mark(epoch, self._known is not None and self._known.rests)

    def forget(self) -> None:
        """Know nothing any more: the next `sign_on` asks HDFS again."""
        self._known = None

    def is_awake(self) -> bool:
        """Whether the spool has signed on, as far as this process knows, and does not rest."""
        return self._known is not None and not self._known.rests


def _spool_mark(spool: str, before: int) -> str:
    return f"{_SPOOLS}/{spool}.{before:08d}"
