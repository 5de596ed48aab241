"""The overlay: what of this process the store may not have yet is part of every read here."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.support.recorders import A, B, Meanwhile, Seen, Start, known, stored, summed, visit
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.tables.tables import Tables


def here(recorder: Recorder) -> Seen:
    """What this process knows without the store."""
    return summed(recorder.recent_here("u:ann", lambda _: False).cells.values())


@pytest.mark.parametrize("when", ["recent is read", "recent was read"])
def test_a_flush_during_a_read_hides_nothing(start: Start, tmp_path: Path, when: str) -> None:
    """What leaves the overlay while the store is read is in the answer, once."""
    with closing(Meanwhile(tmp_path / "webrec.db", when, lambda: busy.flush())) as store:
        busy = start(tables=Tables(store))
        busy.record([visit()])
        assert known(busy) == {A: (1, 0)}
        assert here(busy) == {}
        busy.close()


def test_a_cell_stays_until_it_is_written(start: Start, tmp_path: Path) -> None:
    """While a flush is at the store, this process still knows the event."""
    seen: list[Seen] = []
    with closing(
        Meanwhile(tmp_path / "webrec.db", "recent is written", lambda: seen.append(here(busy)))
    ) as store:
        busy = start(tables=Tables(store))
        busy.record([visit()])
        busy.flush()
        assert seen == [{A: (1, 0)}]
        assert here(busy) == {}
        busy.close()


def test_an_event_during_a_write_stays_in_the_overlay(
    start: Start, tables: Tables, tmp_path: Path
) -> None:
    """The store has the cell as it was before; the next flush writes it again."""
    with closing(
        Meanwhile(tmp_path / "webrec.db", "recent is written", lambda: busy.record([visit()]))
    ) as store:
        busy = start(tables=Tables(store))
        busy.record([visit(), visit(B)])
        busy.flush()
        assert stored(tables) == {A: (1, 0), B: (1, 0)}
        assert known(busy) == {A: (2, 0), B: (1, 0)}
        assert busy.backlog == 1
        busy.flush()
        assert stored(tables) == known(busy) == {A: (2, 0), B: (1, 0)}
        busy.close()


def test_many_events_are_written_some_at_a_time(
    start: Start, tables: Tables, log: LocalLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their counts are the same, and their segment is closed when all are written."""
    monkeypatch.setattr("webrec.recording.overlay._WRITTEN_AT_ONCE", 2)
    monkeypatch.setattr("webrec.recording.overlay._SHOWN_AT_ONCE", 3)
    closed_then: list[list[str]] = []

    def happen() -> None:
        closed_then.append(log.closed_segments())

    path = tmp_path / "webrec.db"
    with closing(Meanwhile(path, "recent is written", happen, skip=1)) as store:
        busy = start(segment_bytes=10, tables=Tables(store))
        busy.record([visit(url) for url in (A, B, A, B, A, A, B)])
        assert known(busy) == {A: (4, 0), B: (3, 0)}
        busy.roll()
        busy.flush()
        assert closed_then == [[]]
        assert busy.backlog == 0
        assert here(busy) == {}
        assert stored(tables) == {A: (4, 0), B: (3, 0)}
        assert len(log.closed_segments()) == 1
        busy.close()
