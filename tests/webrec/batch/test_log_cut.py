"""Which events of a log count."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.webrec.batch.small_logs import (
    ANN,
    BOB,
    A,
    B,
    C,
    other,
    profile,
    read,
    visit,
    write,
)
from webrec.batch import log_cut
from webrec.domain.types import Event
from webrec.rawlog.local import LocalLog


def test_robots_are_counted_and_left_out(log: LocalLog) -> None:
    """Neither their visits nor the pages only they have seen are in the result."""
    write(log, replace(visit(), bot=True), replace(visit(B), bot=True), visit())
    found = read(log)
    assert [page.url for page in found.pages] == [A]
    assert found.counts["bots"] == 2
    assert profile(found, ANN) == {A: (1, 0)}


@pytest.mark.parametrize("chunk", [1, 2, 5_000])
def test_duplicates_are_counted_and_left_out(
    log: LocalLog, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of an id counts, near by or far away; events without id are all different."""
    monkeypatch.setattr(log_cut, "_CHUNK", chunk)
    write(log, visit(event_id="x"), visit(event_id="x"), visit(B, event_id="y"), visit(), visit())
    write(log, visit(event_id="y"), visit(C, event_id="x"), visit(event_id="z"))
    found = read(log)
    assert profile(found, ANN) == {A: (4, 0), B: (1, 0)}
    assert found.counts["duplicates"] == 3


def test_a_robots_id_is_free_for_a_person(log: LocalLog) -> None:
    """As it is where the event is recorded."""
    write(log, replace(visit(event_id="x"), bot=True), visit(event_id="x"))
    assert profile(read(log), ANN) == {A: (1, 0)}


def test_broken_lines_are_counted_and_left_out(log: LocalLog) -> None:
    """The lines around them are read."""
    segment = log.begin()
    segment.append([visit()], 1)
    os.write(segment._fd, b"{broken\n\n")
    segment.append([visit()], 1)
    segment.close()
    found = read(log)
    assert found.counts["broken"] == 2
    assert found.counts["events"] == 2
    assert profile(found, ANN) == {A: (2, 0)}


def test_a_line_of_an_unknown_kind_is_a_broken_one(log: LocalLog) -> None:
    """It is no visit, its page is not known by it, and its id is free."""
    write(log, visit(), other("click", event_id="x"), visit(event_id="x"), other("click", B))
    found = read(log)
    assert profile(found, ANN) == {A: (2, 0)}
    assert [page.url for page in found.pages] == [A]
    assert (found.counts["broken"], found.counts["events"], found.counts["visits"]) == (2, 2, 2)


def test_a_line_of_an_unknown_kind_is_taken_out_with_its_visitor(log: LocalLog) -> None:
    """Its segment is named, so that rewriting it leaves nothing of a forgotten visitor."""
    segment = write(log, other("click"), other("click", visitor=BOB))
    found = read(log, forgotten={ANN: 10})
    assert found.forgotten_in == [segment]
    assert (found.counts["broken"], found.counts["forgotten"]) == (2, 0)
    assert log.rewrite(segment, lambda record: record.event.visitor != ANN) == 1
    assert [record.event for record in log.read(segment)] == [other("click", visitor=BOB)]


def test_the_forgotten_are_counted_and_left_out(log: LocalLog) -> None:
    """Up to the moment they were forgotten, in whatever they sent; their segments are named."""
    page = Event("page", B, ANN, 0, title="Said by Ann")
    first = write(log, visit(), page, replace(visit(), bot=True), received_us=10)
    write(log, visit(visitor=BOB), received_us=10)
    write(log, visit(C), received_us=11)
    found = read(log, forgotten={ANN: 10})
    assert found.counts["forgotten"] == 3
    assert found.forgotten_in == [first]
    assert profile(found, ANN) == {C: (1, 0)}
    assert [page.url for page in found.pages] == [A, C]


def test_only_what_the_watermark_covers_is_read(log: LocalLog) -> None:
    """A later segment, and one that was open at the cut, are left for the next batch."""
    covered, open_then = write(log, visit()), log.begin()
    open_then.append([visit(B)], 10)
    watermark = log.cut(0, lambda: None)
    open_then.close()
    write(log, visit(C))
    found = read(log, watermark=watermark)
    assert log.covered_by(watermark) == [covered]
    assert [page.url for page in found.pages] == [A]


def test_progress_goes_by_segments(log: LocalLog) -> None:
    """From none to all."""
    for _ in range(3):
        write(log, visit())
    calls: list[tuple[int, int]] = []
    read(log, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_segments_are_read_again_without_the_forgotten(log: LocalLog) -> None:
    """As they were written, robots and repeats included, in the order of the log."""
    first = write(log, visit(event_id="x"), visit(B, BOB), received_us=10)
    robot = replace(visit(C, BOB), bot=True)
    second = write(log, visit(event_id="x"), robot, other("click"), received_us=11)
    segments = read(log, forgotten={ANN: 10}).segments()
    assert [segment.name for segment in segments] == [first, second]
    events = [[record.event for record in segment.read()] for segment in segments]
    assert events == [[visit(B, BOB)], [visit(event_id="x"), robot]]


def test_a_part_of_the_log_is_a_part_of_its_segments(log: LocalLog) -> None:
    """What is not to be learnt from is neither counted nor read again."""
    write(log, visit(A), visit(B), visit(C, BOB))
    found = read(log, keep=lambda event: event.url != A)
    assert [page.url for page in found.pages] == [B, C]
    (segment,) = found.segments()
    assert [record.event.url for record in segment.read()] == [B, C]
