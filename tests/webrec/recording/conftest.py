"""Recorders over one log and one store, as if each were a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.recorders import LARGE, Start
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.storage import sqlite_pool
from webrec.tables.tables import Tables


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store does not wait long for other writers."""
    monkeypatch.setattr(sqlite_pool, "_BUSY_TIMEOUT_S", 0.05)


@pytest.fixture
def start(tables: Tables, log: LocalLog) -> Iterator[Start]:
    """Makes recorders over the same log and tables, as if each were a process of its own."""
    made: list[Recorder] = []

    def start(
        segment_bytes: int = LARGE, tables: Tables = tables, max_pending: int = LARGE
    ) -> Recorder:
        made.append(Recorder(tables, log, segment_bytes, max_pending))
        return made[-1]

    yield start
    for recorder in made:
        recorder.close()


@pytest.fixture
def recorder(start: Start) -> Recorder:
    """A recorder without its background threads: nothing is flushed unless a test does it."""
    return start()
