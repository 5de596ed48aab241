"""The flusher: what waits for a store that is slow or away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recorders import A, B, C, Start, known, store_away, stored, visit
from webrec.errors import StoreUnavailable
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.tables.tables import Tables


@pytest.mark.usefixtures("impatient")
def test_events_are_taken_while_the_store_is_away(
    recorder: Recorder, tables: Tables, tmp_path: Path
) -> None:
    """They are durable in the log, and count once the store is back: each once."""
    recorder.record([visit(event_id="x")])
    recorder.flush()
    with store_away(tmp_path):
        recorder.record([visit(B, event_id="y"), visit(event_id="x"), visit(B, event_id="y")])
        recorder.record_soon(visit(C))
        assert recorder.backlog == 4
        with pytest.raises(StoreUnavailable):
            recorder.flush()
        assert known(recorder) == {A: (1, 0), C: (1, 0)}
    recorder.flush()
    assert stored(tables) == known(recorder) == {A: (1, 0), B: (1, 0), C: (1, 0)}
    assert recorder.backlog == 0


@pytest.mark.usefixtures("impatient")
def test_what_waits_too_long_for_the_store_waits_in_the_log(
    start: Start, tables: Tables, log: LocalLog, tmp_path: Path
) -> None:
    """Past a number of events memory is let go of, and everything counts once in the end."""
    recorder = start(max_pending=3)
    recorder.record([visit(), visit(B, event_id="y")])
    with store_away(tmp_path):
        with pytest.raises(StoreUnavailable):
            recorder.flush()
        assert recorder.backlog == 2
        recorder.record([visit(C), visit(event_id="x")])
        with pytest.raises(StoreUnavailable):
            recorder.flush()
        assert recorder.backlog == 0
        assert known(recorder) == {}
        recorder.record([visit(C), visit(B, event_id="y")])
        assert len(log.open_segments()) == 2
    recorder.recover()
    recorder.flush()
    assert stored(tables) == known(recorder) == {A: (2, 0), B: (1, 0), C: (2, 0)}
    assert recorder.cut(0).is_complete


@pytest.mark.usefixtures("impatient")
def test_ids_that_wait_too_long_for_the_store_wait_in_the_log(
    start: Start, tables: Tables, log: LocalLog, tmp_path: Path
) -> None:
    """They are claimed by the recovery, and by no later flush of their own process."""
    recorder = start(max_pending=1)
    recorder.record([visit(), visit()])
    recorder.record([visit(event_id="x")])
    with store_away(tmp_path), pytest.raises(StoreUnavailable):
        recorder.flush()
    assert recorder.backlog == 0
    recorder.recover()
    recorder.flush()
    assert stored(tables) == known(recorder) == {A: (3, 0)}
    assert len(log.closed_segments()) == 1
