"""Claims of event ids: a repeat counts for nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.recorders import ANN, A, B, C, Start, kill, known, stored, visit
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.tables.tables import Tables


def test_an_event_id_counts_once(start: Start, tables: Tables) -> None:
    """A repeat counts for nothing: in the same call, in the next one, and at another recorder."""
    one, other = start(), start()
    one.record([visit(event_id="x"), visit(event_id="x"), visit(B, event_id="y")])
    one.record([visit(event_id="x")])
    other.record([visit(event_id="x"), visit(C, event_id="z")])
    one.flush()
    assert known(one) == {A: (1, 0), B: (1, 0)}
    other.flush()
    assert stored(tables) == {A: (1, 0), B: (1, 0), C: (1, 0)}


def test_a_robot_takes_no_event_id(recorder: Recorder) -> None:
    """A person's event counts though a robot sent the same id before."""
    recorder.record([replace(visit(event_id="x"), bot=True), visit(event_id="x")])
    recorder.flush()
    assert known(recorder) == {A: (1, 0)}


def test_an_event_id_counts_once_after_a_recovery(start: Start, tables: Tables) -> None:
    """Neither the replay of a dead writer's segment nor a repeat after it counts again."""
    dead = start()
    dead.record([visit(event_id="x"), visit(event_id="y")])
    kill(dead)
    heir = start()
    heir.record([visit(event_id="x")])
    assert known(heir) == {}
    heir.recover()
    heir.record([visit(event_id="y")])
    heir.flush()
    assert stored(tables) == {A: (2, 0)}


def test_a_repeat_wins_over_one_that_was_never_shown(
    start: Start, log: LocalLog, tables: Tables
) -> None:
    """Where a writer died before it claimed an id, the sender's second attempt counts, alone."""
    dead = log.begin()
    dead.append([visit(event_id="x")], 5)
    dead.abandon()
    heir = start()
    heir.record([visit(event_id="x")])
    heir.recover()
    heir.flush()
    assert stored(tables) == {A: (1, 0)}


def test_an_old_id_does_not_take_a_new_visit_along(
    recorder: Recorder, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waited with its id since before the visitor was forgotten is not added to the cell."""
    monkeypatch.setattr("webrec.recording.claims._CLAIMED_AT_ONCE", 1)
    recorder.record([visit(C, event_id="z")])
    recorder.record([visit(event_id="x")])
    recorder.forget(ANN)
    recorder.record([visit()])
    recorder.flush()
    assert known(recorder) == stored(tables) == {A: (1, 0)}
