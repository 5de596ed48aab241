"""[6] The folder in which the workers of one service count, so that their metrics add up.

It imports nothing of prometheus_client at the top: see `METRICS_FOLDER`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable with its path.

prometheus_client looks at it once, when it is first imported: it must be set before `service.app`
or `service.metrics` is imported.
"""

_PREFIX = "webrec-metrics-"
_YOUNG_S = 60
"""A folder younger than this may have been made by a process that has not locked it yet."""


def make_metrics_folder() -> str:
    """A new folder, locked as long as a process of this run lives; those of dead runs go."""
    parent = shared_memory() or tempfile.gettempdir()
    for old in Path(parent).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or just being made or taken away
            if time.time() - old.stat().st_mtime > _YOUNG_S and _lock(old):
                shutil.rmtree(old)
    folder = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
    _lock(Path(folder))
    return folder


def forget_worker(pid: int) -> None:
    """Take away the gauges of a worker that has ended."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library's omission


def shared_memory() -> str | None:
    """A folder that no full disk affects, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - names are random


def _lock(folder: Path) -> bool:
    """Lock a folder for this process and its children, until the last of them has ended."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return False
    return True
