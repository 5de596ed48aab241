"""A segment as a file: whatever happens to its writer, whole lines are kept."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from tests.contracts.log import visits
from webrec.rawlog.local import LocalLog


@pytest.fixture
def log(tmp_path: Path) -> LocalLog:
    """A new log."""
    return LocalLog(tmp_path / "log")


@pytest.mark.slow
def test_a_segment_is_read_in_bounded_memory(log: LocalLog) -> None:
    """A hundred thousand lines take no more memory than a few."""
    bound = 4 << 20
    segment = log.begin()
    for _ in range(100):
        segment.append(visits(1_000), 1)
    segment.close()
    assert log.size(segment.name) > 2 * bound
    tracemalloc.start()
    try:
        assert sum(1 for _ in log.read(segment.name)) == 100_000
        assert log.rewrite(segment.name, lambda r: r.number % 2 == 0) == 50_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < bound


_KILLED = """
import os, signal, sys
from pathlib import Path
from webrec.rawlog.local import LocalLog
from webrec.domain.types import Event
segment = LocalLog(Path(sys.argv[1])).begin()
segment.append([Event("visit", "https://site.example/", None, 0)] * 3, 1)
segment.sync()
os.write(segment._fd, b'{"n":')
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_an_orphan(log: LocalLog) -> None:
    """The lock goes with the process; what it had appended stays."""
    subprocess.run([sys.executable, "-c", _KILLED, str(log.folder)], check=False)
    (orphan,) = log.orphans()
    assert len(list(orphan.records())) == 3
    assert orphan.torn == 5
    orphan.close()


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from webrec.errors import LogUnavailable
from webrec.rawlog.local import LocalLog
from webrec.domain.types import Event

event = Event("visit", "https://site.example/", None, 0)
log = LocalLog(Path(sys.argv[1]))
segment = log.begin()
segment.append([event] * 2, 1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (segment.size + 50, resource.RLIM_INFINITY))
try:
    segment.append([event] * 3, 2)
except LogUnavailable as error:
    print("refused:", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
segment.append([event], 3)
segment.close()
"""


def test_a_partial_write_is_taken_back(log: LocalLog) -> None:
    """When the disk takes only a part, none of the call's events is in the log, and it goes on."""
    command = [sys.executable, "-c", _FULL_DISK, str(log.folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "refused" in done.stdout
    (segment,) = log.closed_segments()
    broken: list[bool] = []
    found = list(log.read(segment, lambda: broken.append(True)))
    assert [(r.number, r.received_us) for r in found] == [(0, 1), (1, 1), (2, 3)]
    assert broken == []
