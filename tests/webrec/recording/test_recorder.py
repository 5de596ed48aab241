"""What a recorder does with an event, as its callers see it: acknowledged, shown, kept, closed."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hbase_schema import names as t
from tests.support.recorders import (
    ANN,
    A,
    B,
    C,
    Start,
    accept,
    kill,
    known,
    store_away,
    stored,
    summed,
    visit,
)
from webrec.domain.types import Event
from webrec.errors import LogUnavailable
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.tables.tables import Tables


def test_a_visit_is_seen_at_once_where_it_was_recorded(recorder: Recorder, tables: Tables) -> None:
    """Before any flush the recorder's own reads hold the event, and the store does not."""
    recorder.record([visit(), visit(), accept()])
    recorder.record_soon(visit(B))
    assert known(recorder) == {A: (2, 1), B: (1, 0)}
    assert stored(tables) == {}
    assert recorder.backlog == 4


def test_a_flush_shows_it_to_all_processes_once(recorder: Recorder, tables: Tables) -> None:
    """After a flush the store has it, the recorder's own view is the same, and so it stays."""
    recorder.record([visit(), accept()])
    for _ in range(2):
        recorder.flush()
        assert stored(tables) == known(recorder) == {A: (1, 1)}
    recorder.record([visit(), visit(B)])
    assert known(recorder) == {A: (2, 1), B: (1, 0)}
    assert stored(tables) == {A: (1, 1)}
    recorder.flush()
    assert stored(tables) == known(recorder) == {A: (2, 1), B: (1, 0)}
    assert recorder.backlog == 0


def test_several_recorders_add_up(start: Start, tables: Tables) -> None:
    """Each writes cells of its own, so what they say of one visitor and page is summed."""
    one, other = start(), start()
    one.record([visit(), visit()])
    other.record([visit(), accept()])
    one.flush()
    assert known(other) == {A: (3, 1)}
    other.flush()
    assert stored(tables) == known(one) == known(other) == {A: (3, 1)}


def test_what_a_generation_has_absorbed_is_left_out(recorder: Recorder) -> None:
    """A covered segment counts for nothing more, whether it is in the overlay or in the store."""
    recorder.record([visit()])
    watermark = recorder.cut(0)
    recorder.record([visit(), visit(B)])
    assert summed(recorder.recent(ANN, watermark.covers).cells.values()) == {
        A: (1, 0),
        B: (1, 0),
    }
    recorder.flush()
    assert recorder.recent(ANN, lambda _: True).cells == {}
    recorder.record([visit()])
    assert recorder.recent(ANN, lambda _: True).cells == {}


def test_robots_anonymous_visitors_and_pages_are_in_no_profile(
    recorder: Recorder, tables: Tables, log: LocalLog
) -> None:
    """They are all in the log, and no recent row comes of them."""
    recorder.record(
        [
            replace(visit(), bot=True),
            visit(visitor=None),
            Event("page", A, ANN, 0, title="About A"),
        ]
    )
    recorder.record_soon(replace(visit(), bot=True))
    assert known(recorder) == {}
    recorder.close()
    assert list(tables.store.scan(t.RECENT)) == []
    (segment,) = log.closed_segments()
    assert len(list(log.read(segment))) == 4


def test_threads_share_a_recorder(start: Start, tables: Tables) -> None:
    """Events of several threads all count once while others flush and roll."""
    recorder = start(segment_bytes=2_000)
    done = threading.Event()

    def keep_flushing() -> None:
        while not done.is_set():
            recorder.roll()
            recorder.flush()

    def send(me: int) -> None:
        for n in range(60):
            recorder.record([visit(event_id=f"{me}-{n}"), accept(B)])
            recorder.record_soon(visit(C))

    flushing = threading.Thread(target=keep_flushing)
    senders = [threading.Thread(target=send, args=(me,)) for me in range(4)]
    for thread in (flushing, *senders):
        thread.start()
    for sender in senders:
        sender.join()
    done.set()
    flushing.join()
    recorder.flush()
    assert stored(tables) == known(recorder) == {A: (240, 0), B: (0, 240), C: (240, 0)}


def test_closing_makes_everything_known(recorder: Recorder, tables: Tables, log: LocalLog) -> None:
    """Afterwards the store has every event and no segment is open; an empty one is gone."""
    recorder.record([visit()])
    recorder.record_soon(visit(B))
    recorder.close()
    assert stored(tables) == {A: (1, 0), B: (1, 0)}
    assert log.open_segments() == []
    assert len(log.closed_segments()) == 1


@pytest.mark.usefixtures("impatient")
def test_closing_while_the_store_is_away_loses_nothing(
    start: Start, tables: Tables, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The next start replays the log."""
    recorder = start()
    recorder.record([visit(event_id="x")])
    with store_away(tmp_path), caplog.at_level(logging.WARNING):
        recorder.record([visit(event_id="y")])
        recorder.close()
    assert "the store is away" in caplog.text
    heir = start()
    heir.recover()
    assert stored(tables) == {A: (2, 0)}
    assert heir.recovered.segments == 1
    assert heir.recovered.events == 2


def test_a_log_that_is_away_refuses_and_shows_nothing(
    recorder: Recorder, log: LocalLog, tmp_path: Path
) -> None:
    """An event that could not be written is in no row."""
    (tmp_path / "log" / "open").rmdir()
    with pytest.raises(LogUnavailable):
        recorder.record([visit()])
    with pytest.raises(LogUnavailable):
        recorder.record_soon(visit())
    assert known(recorder) == {}
    (tmp_path / "log" / "open").mkdir()
    recorder.record([visit()])
    assert known(recorder) == {A: (1, 0)}


def test_what_did_not_reach_the_disk_is_not_shown(
    recorder: Recorder, log: LocalLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not acknowledged; the segment takes nothing more, and the next event has another."""
    recorder.record([visit(C)])

    def fail(_: int) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(LogUnavailable):
            recorder.record([visit(), visit(B, event_id="x")])
    assert known(recorder) == {C: (1, 0)}
    assert recorder.backlog == 1
    recorder.record([visit()])
    assert known(recorder) == {A: (1, 0), C: (1, 0)}
    assert len(log.open_segments()) == 2


def test_closing_takes_only_so_long(
    start: Start, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past that no id is claimed and no segment replayed: the next process does it."""
    monkeypatch.setattr("webrec.recording.recorder._CLOSING_S", -1.0)
    dead, recorder = start(), start()
    dead.record([visit(C)])
    kill(dead)
    recorder.record([visit(), visit(B, event_id="x")])
    recorder.close()
    recorder.recover()
    assert stored(tables).get(B) is None
    assert recorder.recovered.segments == 0
    heir = start()
    heir.recover()
    assert heir.recovered.segments == 2
    assert stored(tables) == {A: (1, 0), B: (1, 0), C: (1, 0)}
