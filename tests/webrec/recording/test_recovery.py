"""Segments of writers that died: replayed whole, once or again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.recorders import BOB, A, B, C, Start, accept, kill, store_away, stored, visit
from webrec.errors import StoreUnavailable
from webrec.rawlog.local import LocalLog
from webrec.tables.tables import Tables


def test_replaying_twice_changes_nothing(start: Start, tables: Tables, log: LocalLog) -> None:
    """A recovery that was itself cut off is repeated by the next, with the same outcome."""
    dead = start()
    dead.record([visit(event_id="x"), visit(), accept(B)])
    dead.flush()
    dead.record([visit(event_id="y"), visit(visitor=BOB)])
    kill(dead)
    (orphan,) = log.orphans()
    for _ in range(2):
        start()._recovery.replay(orphan)
        assert stored(tables) == {A: (3, 0), B: (0, 1)}
        assert stored(tables, BOB) == {A: (1, 0)}
    orphan.abandon()
    start().recover()
    assert stored(tables) == {A: (3, 0), B: (0, 1)}
    assert log.open_segments() == []


def test_a_line_of_an_unknown_kind_is_not_recovered(
    start: Start, tables: Tables, log: LocalLog
) -> None:
    """It is no visit, it claims no id, and it stays in the log."""
    dead = start()
    dead.record([visit(event_id="x")])
    click = replace(visit(B, event_id="y"), kind="click")  # type: ignore[arg-type]
    with dead._segments.appending() as current:
        current.segment.append([click, visit(C, event_id="y")], 1)
    kill(dead)
    heir = start()
    heir.recover()
    assert stored(tables) == {A: (1, 0), C: (1, 0)}
    assert heir.recovered.events == 2
    (segment,) = log.closed_segments()
    assert [record.event.kind for record in log.read(segment)] == ["visit", "click", "visit"]


@pytest.mark.usefixtures("impatient")
def test_a_recovery_that_fails_leaves_the_segment(
    start: Start, tables: Tables, log: LocalLog, tmp_path: Path
) -> None:
    """With the store away the segment stays for the next attempt."""
    dead = start()
    dead.record([visit(event_id="x")])
    kill(dead)
    heir = start()
    with store_away(tmp_path), pytest.raises(StoreUnavailable):
        heir.recover()
    assert len(log.open_segments()) == 1
    heir.recover()
    assert stored(tables) == {A: (1, 0)}


def test_a_living_writer_is_not_recovered(start: Start, log: LocalLog) -> None:
    """The segment of a recorder that lives stays its own."""
    recorder, other = start(), start()
    recorder.record([visit()])
    other.recover()
    assert other.recovered.segments == 0
    assert len(log.open_segments()) == 1


_WRITER = """
import sys, itertools
from pathlib import Path
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.storage import open_store
from webrec.tables.tables import Tables
from webrec.domain.types import Event

home, name = Path(sys.argv[1]), sys.argv[2]
recorder = Recorder(Tables(open_store(f"sqlite:///{home}/webrec.db")), LocalLog(home / "log"), 4000)
recorder.start()
for n in itertools.count():
    ids = [f"{name}-{n}-{k}" for k in range(3)]
    recorder.record([Event("visit", f"https://site.example/{i}", "u:ann", 0, i) for i in ids])
    print(*ids, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(
    start: Start, tables: Tables, tmp_path: Path
) -> None:
    """Every event acknowledged before a `kill -9` counts exactly once after the recovery."""
    acknowledged: set[str] = set()
    for name in ("first", "second"):
        command = [sys.executable, "-c", _WRITER, str(tmp_path), name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(25):
                acknowledged.update(writer.stdout.readline().split())
            writer.kill()
            acknowledged.update(writer.stdout.read().split())
        before = stored(tables)
        assert set(before.values()) <= {(1, 0)}
        heir = start()
        heir.recover()
        assert heir.recovered.segments >= 1
        found = stored(tables)
        assert set(found.values()) == {(1, 0)}
        assert {f"https://site.example/{i}" for i in acknowledged} | before.keys() <= found.keys()
        heir.recover()
        assert stored(tables) == found


def test_a_replay_in_parts_is_as_one(
    start: Start, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells that several parts of a segment change hold the counts of the whole."""
    monkeypatch.setattr("webrec.recording.recovery._REPLAYED_AT_ONCE", 2)
    dead = start()
    dead.record([visit(), visit(B), visit(event_id="x"), accept(), visit(event_id="x")])
    kill(dead)
    start().recover()
    assert stored(tables) == {A: (2, 1), B: (1, 0)}
