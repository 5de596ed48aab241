"""Forgotten visitors: what was recorded before counts nowhere, what comes after counts alone."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.recorders import (
    ANN,
    BOB,
    A,
    B,
    C,
    Meanwhile,
    Start,
    accept,
    kill,
    known,
    stored,
    visit,
)
from webrec.recording.recorder import Recorder
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables


def test_forgetting_takes_all_that_was(start: Start, tables: Tables) -> None:
    """Events in the store, in the overlay, and in another recorder's count for nothing."""
    one, other = start(), start()
    one.record([visit(), visit(B, BOB)])
    one.flush()
    one.record([visit(B)])
    other.record([visit(C), accept()])
    one.forget(ANN)
    assert known(one) == known(other) == stored(tables) == {}
    one.flush()
    other.flush()
    assert known(one) == known(other) == stored(tables) == {}
    assert stored(tables, BOB) == {B: (1, 0)}


@pytest.mark.parametrize("flushed_before", [True, False])
@pytest.mark.parametrize("read_between", [True, False])
@pytest.mark.parametrize("flushed_between", [True, False])
def test_a_visit_after_forgetting_counts_alone(
    start: Start,
    tables: Tables,
    flushed_before: bool,
    read_between: bool,
    flushed_between: bool,
) -> None:
    """In a segment that is still written, the same page counts anew, and only what is new."""
    one, other = start(), start()
    for recorder in (one, other):
        recorder.record([visit(), visit(), accept()])
        if flushed_before:
            recorder.flush()
    one.forget(ANN)
    if read_between:
        assert known(one) == known(other) == {}
    if flushed_between:
        one.flush()
        other.flush()
    one.record([visit()])
    assert known(one) == {A: (1, 0)}
    other.record([visit(), visit(B)])
    assert known(other) == {A: (1, 0), B: (1, 0)}
    one.flush()
    other.flush()
    assert stored(tables) == known(one) == known(other) == {A: (2, 0), B: (1, 0)}
    one.record([visit()])
    assert known(one) == {A: (3, 0), B: (1, 0)}


def test_forgetting_outlives_the_writer(start: Start, tables: Tables) -> None:
    """The replay of a dead writer's segment brings back only what came after forgetting."""
    dead = start()
    dead.record([visit(), visit(B)])
    dead.flush()
    dead.forget(ANN)
    dead.record([visit(B)])
    kill(dead)
    start().recover()
    assert stored(tables) == {B: (1, 0)}


def test_forgetting_again_and_again(recorder: Recorder, tables: Tables) -> None:
    """Each time only what came since the last time is left."""
    for _ in range(3):
        recorder.record([visit(), visit(B)])
        assert known(recorder) == {A: (1, 0), B: (1, 0)}
        recorder.forget(ANN)
        recorder.flush()
        assert known(recorder) == stored(tables) == {}


def test_a_stalled_writer_brings_back_nothing_forgotten(start: Start, tables: Tables) -> None:
    """A cut that does not cover its segment keeps the mark that its visitor was forgotten."""
    stalled, batch = start(), start()
    stalled.record([visit(), visit(B)])
    stalled.flush()
    batch.forget(ANN)
    cut_us = time.time_ns() // 1000
    watermark = batch.cut(0)
    assert not watermark.is_complete
    tables.visitors.clean_recent(Generation("000001", 0, cut_us, watermark, 3.0, (), (), ()))
    stalled.record([visit()])
    assert known(stalled) == {A: (1, 0)}
    kill(stalled)
    batch.recover()
    assert stored(tables) == {A: (1, 0)}


def test_an_event_during_a_flush_that_drops_the_forgotten(
    start: Start, tables: Tables, tmp_path: Path
) -> None:
    """It counts once, and the next flush works."""

    def happen() -> None:
        busy.forget(ANN)
        busy.record([visit(), visit(B)])

    with closing(Meanwhile(tmp_path / "webrec.db", "marks are read", happen)) as store:
        busy = start(tables=Tables(store))
        busy.record([visit(), visit(C)])
        for _ in range(3):
            busy.flush()
        assert stored(tables) == known(busy) == {A: (1, 0), B: (1, 0)}
        busy.close()
