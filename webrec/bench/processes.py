"""What the system says of running processes, out of /proc; on a system without it, nothing."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ARE_SHOWN = Path("/proc/self/task").exists()
"""Whether this system shows its processes."""

ENDED = "ZX"
"""States of a process that runs no more: a zombie, and one that is gone."""

STOPPED = "T"
"""The state of a process that stands still, until it is told to continue."""


class Memory(NamedTuple):
    """What one process holds, in bytes.

    Attributes:
        rss: all of it.
        pss: the same, but each shared page divided by how many processes share it.
        shared, private: the two parts of ``rss``.
    """

    pid: int
    rss: int
    pss: int
    shared: int
    private: int


def children(pid: int) -> list[int]:
    """The process ids of a process's running children; none where the system does not say."""
    text = _read(f"/proc/{pid}/task/{pid}/children")
    return [child for child in map(int, text.split()) if state(child) not in ENDED]


def state(pid: int) -> str:
    """The state of a process as one letter; X where there is no such process."""
    fields = _stat(pid)
    return fields[0] if fields else "X"


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended by itself."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def cpu_s(pid: int, *, with_ended_children: bool = False) -> float:
    """Seconds of processor time, user and system; 0 where there is no such process.

    Args:
        with_ended_children: add that of the children which have ended and were waited for.
    """
    fields = _stat(pid)[11 : 15 if with_ended_children else 13]
    return sum(map(int, fields)) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> Memory | None:
    """What a process holds; None where the system does not say."""
    lines = (line.split() for line in _read(f"/proc/{pid}/smaps_rollup").splitlines()[1:])
    held = {line[0]: int(line[1]) * 1024 for line in lines}
    if not held:
        return None
    return Memory(
        pid,
        held["Rss:"],
        held["Pss:"],
        held["Shared_Clean:"] + held["Shared_Dirty:"],
        held["Private_Clean:"] + held["Private_Dirty:"],
    )


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may hold anything; none where there is no process."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _read(path: str) -> str:
    """A file of /proc; empty where it is not there, or not any more."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
