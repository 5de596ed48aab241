"""Segments that this process writes: when they end, and when they are closed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.support.recorders import A, B, Meanwhile, Start, known, store_away, stored, visit
from webrec.errors import StoreUnavailable
from webrec.rawlog.local import LocalLog
from webrec.recording.overlay import Batch
from webrec.recording.recorder import Recorder
from webrec.tables.tables import Tables


def test_segments_end_at_their_size_and_with_a_cut(start: Start, log: LocalLog) -> None:
    """A full segment is closed by the next flush, and so is one that a cut has ended."""
    recorder = start(segment_bytes=200)
    recorder.record([visit(), visit()])
    recorder.roll()
    recorder.flush()
    assert len(log.closed_segments()) == 1
    recorder.record([visit()])
    recorder.roll()
    assert len(log.closed_segments()) == 1
    assert recorder.cut(0).is_complete
    assert len(log.closed_segments()) == 2
    recorder.record([visit()])
    assert known(recorder) == {A: (4, 0)}


@pytest.mark.usefixtures("impatient")
def test_a_segment_stays_open_until_the_store_has_its_events(
    recorder: Recorder, log: LocalLog, tmp_path: Path
) -> None:
    """A cut while the store is away does not cover what only the log has."""
    with store_away(tmp_path):
        recorder.record([visit(event_id="x")])
        with pytest.raises(StoreUnavailable):
            recorder.cut(0)
        assert log.closed_segments() == []
    assert recorder.cut(0).is_complete
    assert len(log.closed_segments()) == 1


def test_a_segment_is_not_closed_under_a_call(
    start: Start, tables: Tables, log: LocalLog, tmp_path: Path
) -> None:
    """While an event is in the log and not yet shown, its segment stays for a recovery to find."""
    open_then: list[str] = []

    def happen() -> None:
        busy.roll()
        open_then.extend(log.open_segments())

    with closing(Meanwhile(tmp_path / "webrec.db", "ids are claimed", happen)) as store:
        busy = start(segment_bytes=10, tables=Tables(store))
        busy.record([visit(event_id="x")])
        busy.flush()
        assert len(open_then) == 1
        assert log.closed_segments() == open_then
        assert stored(tables) == {A: (1, 0)}
        busy.close()


def test_a_segment_is_not_closed_under_a_call_that_appends(
    recorder: Recorder, tables: Tables, log: LocalLog
) -> None:
    """A flush between the log and the overlay closes nothing, though a cut has ended it."""
    with recorder._segments.appending() as current:
        records = current.segment.append([visit()], 5)
        assert not recorder.cut(0).is_complete
        assert log.closed_segments() == []
        recorder._overlay.show(current, records)
    recorder.flush()
    assert stored(tables) == {A: (1, 0)}
    assert len(log.closed_segments()) == 1


def test_a_segment_is_not_left_to_others_under_a_call(
    start: Start, tables: Tables, log: LocalLog
) -> None:
    """Though memory is full: what the call shows next is written here."""
    recorder = start(max_pending=0)
    with recorder._segments.appending() as current:
        records = current.segment.append([visit()], 5)
        recorder._overlay.show(current, records)
        recorder._flusher._evict()
        assert list(log.orphans()) == []
        assert known(recorder) == {A: (1, 0)}
    recorder.flush()
    assert stored(tables) == {A: (1, 0)}


def test_a_segment_is_not_closed_before_its_ids_are_claimed(
    start: Start, log: LocalLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its other events are in the store, and a replay of it is still to find those."""
    monkeypatch.setattr("webrec.recording.claims._CLAIMED_AT_ONCE", 1)
    closed_then: list[str] = []

    def happen() -> None:
        closed_then.extend(log.closed_segments())

    with closing(Meanwhile(tmp_path / "webrec.db", "ids are claimed", happen, skip=1)) as store:
        busy = start(segment_bytes=10, tables=Tables(store))
        busy.record([visit(event_id="x"), visit(B, event_id="y")])
        busy.roll()
        busy.flush()
        assert store.has_happened
        assert closed_then == []
        assert len(log.closed_segments()) == 1
        busy.close()


def test_a_segment_that_ends_during_a_flush_is_closed_by_the_next(
    recorder: Recorder, tables: Tables, log: LocalLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last event came after the flush had taken what it writes."""
    oldest = recorder._overlay.oldest

    def and_then() -> Batch:
        batch = oldest()
        recorder.record([visit(B)])
        recorder._segments.retire()
        return batch

    recorder.record([visit()])
    with monkeypatch.context() as patch:
        patch.setattr(recorder._overlay, "oldest", and_then)
        recorder.flush()
    assert stored(tables) == {A: (1, 0)}
    assert log.closed_segments() == []
    recorder.flush()
    assert stored(tables) == {A: (1, 0), B: (1, 0)}
    assert len(log.closed_segments()) == 1
