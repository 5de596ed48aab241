"""The threads that keep the promises of a recorder."""

from __future__ import annotations

import os
import threading

import pytest

from tests.support.recorders import A, B, Start, stored, visit
from webrec.errors import StoreUnavailable
from webrec.rawlog.local import LocalLog
from webrec.recording.background import Background, Shutdown, Task
from webrec.recording.recorder import Recorder
from webrec.tables.tables import Tables


def test_the_background_keeps_the_promises(start: Start, tables: Tables, log: LocalLog) -> None:
    """Once started, a recorder flushes by itself, closes what a cut ended, and recovers."""
    dead = log.begin()
    dead.append([visit(B)], 5)
    dead.abandon()
    recorder = start()
    recorder.start()
    recorder.record([visit()])
    watermark = log.cut(30, lambda: None)
    assert watermark.is_complete
    assert stored(tables) == {A: (1, 0), B: (1, 0)}


def test_a_step_that_fails_is_logged_and_taken_again(caplog: pytest.LogCaptureFixture) -> None:
    """And the next step is taken all the same."""
    shutdown = Shutdown()
    background = Background(shutdown)
    done: list[str] = []

    def flush() -> None:
        done.append("flush")
        if len(done) == 1:
            raise StoreUnavailable("the store is away")
        raise ValueError("a mistake of ours")

    def roll() -> None:
        done.append("roll")
        if len(done) >= 4:
            shutdown.begin(1.0)

    background.start([Task("both", 0.001, (flush, roll))])
    background.join()
    assert done == ["flush", "roll", "flush", "roll"]
    assert caplog.messages == ["flush: the store is away", "flush failed"]
    assert shutdown.has_begun()
    assert not shutdown.is_overdue()


def test_what_was_recorded_soon_is_synced(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without another call, and while its segment goes on."""
    recorder.record([visit()])  # which has begun the segment
    is_synced = threading.Event()
    fsync = os.fsync

    def spy(fd: int) -> None:
        fsync(fd)
        is_synced.set()

    monkeypatch.setattr(os, "fsync", spy)
    recorder.start()
    recorder.record_soon(visit(B))
    assert is_synced.wait(60)
