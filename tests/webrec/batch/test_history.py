"""What the batch reads out of the log."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webrec.batch import history as module
from webrec.batch.history import Replayed, replay
from webrec.domain.event_kinds import COUNTS_AS, KNOWN_KINDS, Counter
from webrec.domain.progress import StepProgress, no_progress
from webrec.domain.types import AdPage, Campaign, Event, Page
from webrec.rawlog import Watermark
from webrec.rawlog.local import LocalLog

A, B, C = (f"https://site.example/{name}" for name in "abc")
ANN, BOB = "u:ann", "u:bob"


@pytest.fixture
def log(tmp_path: Path) -> LocalLog:
    """A new log."""
    return LocalLog(tmp_path / "log")


def visit(
    url: str = A, visitor: str | None = ANN, event_id: str | None = None, at_ms: int = 0
) -> Event:
    """Somebody opened a page."""
    return Event("visit", url, visitor, at_ms, event_id)


def accept(url: str = A, visitor: str | None = ANN) -> Event:
    """Somebody followed a recommendation."""
    return Event("accept", url, visitor, 0)


def write(log: LocalLog, *events: Event, received_us: int = 10) -> str:
    """One closed segment."""
    segment = log.begin()
    segment.append(events, received_us)
    segment.close()
    return segment.name


def read(
    log: LocalLog,
    *campaigns: Campaign,
    watermark: Watermark | None = None,
    forgotten: Mapping[str, int] | None = None,
    progress: StepProgress = no_progress,
) -> Replayed:
    """Replay the log; as far as it goes, unless told otherwise."""
    return replay(log, watermark or log.cut(0, lambda: None), forgotten or {}, campaigns, progress)


def profile(replayed: Replayed, visitor: str) -> dict[str, tuple[int, int]]:
    """Visits and accepts of a visitor by URL."""
    row = replayed.visitors.index(visitor)
    visits, accepts = replayed.visits.toarray()[row], replayed.accepts.toarray()[row]
    return {
        page.url: (int(visits[n]), int(accepts[n]))
        for n, page in enumerate(replayed.pages)
        if visits[n] or accepts[n]
    }


def test_everything_is_in_order(log: LocalLog) -> None:
    """Pages come by URL and visitors by key, however the log has them."""
    write(log, visit(C, BOB), visit(A, ANN), visit(B, "i:192.0.2.1"))
    found = read(log)
    assert [page.url for page in found.pages] == [A, B, C]
    assert found.visitors == ["i:192.0.2.1", ANN, BOB]
    assert found.visits.toarray().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_visits_and_accepts_are_counted_apart(log: LocalLog) -> None:
    """By visitor and page, over all segments."""
    write(log, visit(), visit(), accept())
    write(log, visit(), visit(B), accept(B, BOB))
    found = read(log)
    assert profile(found, ANN) == {A: (3, 1), B: (1, 0)}
    assert profile(found, BOB) == {B: (0, 1)}
    assert found.page_visits.tolist() == [3, 1]
    assert found.page_accepts.tolist() == [1, 1]
    assert found.counts["events"] == 6
    assert (found.counts["visits"], found.counts["accepts"]) == (4, 2)


def test_anonymous_visits_count_in_totals_alone(log: LocalLog) -> None:
    """A page has them, no visitor does."""
    write(log, visit(), visit(visitor=None), accept(B, None), visit(C, None))
    found = read(log)
    assert found.visitors == [ANN]
    assert found.page_visits.tolist() == [2, 0, 1]
    assert found.page_accepts.tolist() == [0, 1, 0]


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
    monkeypatch.setattr(module, "_CHUNK", chunk)
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


def other(kind: str, url: str = A, visitor: str | None = ANN, **more: str) -> Event:
    """An event of another kind than this version has."""
    return replace(visit(url, visitor), kind=kind, **more)  # type: ignore[arg-type]


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


@pytest.mark.parametrize(("counter", "counted"), [(None, {}), ("accepts", {A: (0, 2)})])
def test_a_new_kind_counts_as_its_row_says(
    log: LocalLog, counter: Counter | None, counted: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never as a visit by accident; the text that it brings is its page's."""
    monkeypatch.setitem(COUNTS_AS, "purchase", counter)  # type: ignore[arg-type]
    monkeypatch.setattr(module, "KNOWN_KINDS", (*KNOWN_KINDS, "purchase"))
    write(log, other("purchase", title="Tent"), other("purchase"), visit(B, BOB))
    found = read(log)
    assert (profile(found, ANN) if ANN in found.visitors else {}) == counted
    assert (found.counts["visits"], found.counts["broken"]) == (1, 0)
    assert found.pages == [Page(A, "Tent"), Page(B)]


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


def test_pages_that_nobody_visited_are_there(log: LocalLog) -> None:
    """An event of type page makes a page without visits."""
    write(log, Event("page", A, None, 0, title="About A", keywords=("a",), description="All"))
    found = read(log)
    assert found.pages == [Page(A, "About A", ("a",), "All")]
    assert found.page_visits.tolist() == [0]
    assert found.visitors == []
    assert found.visits.shape == (0, 1)


def said(at_ms: int, **words: object) -> Event:
    """What a page said of itself at a moment."""
    return replace(Event("page", A, None, at_ms), **words)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=25)
@given(order=st.permutations(range(5)))
def test_the_newest_words_win(order: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Field by field, whatever the order of the log; what says nothing takes nothing away."""
    events = [
        said(1, title="Old", keywords=("old",), description="Old"),
        said(3, title="New"),
        said(2, keywords=("new",), title="Middle"),
        said(9),
        Event("visit", A, ANN, 4, description="Said by a visit"),
    ]
    log = LocalLog(tmp_path_factory.mktemp("log"))
    write(log, *(events[n] for n in order))
    assert read(log).pages == [Page(A, "New", ("new",), "Said by a visit")]


def test_words_of_the_same_moment_do_not_depend_on_the_log(tmp_path: Path) -> None:
    """One of them wins, always the same."""
    events = [said(1, title="One"), said(1, title="Other")]
    found = []
    for name, ordered in (("forth", events), ("back", events[::-1])):
        log = LocalLog(tmp_path / name)
        write(log, *ordered)
        found.append(read(log).pages)
    assert found[0] == found[1]


def campaign(campaign_id: str, *pages: Page) -> Campaign:
    """A campaign with these landing pages."""
    return Campaign(campaign_id, tuple(AdPage(page.url, page) for page in pages), 0.5)


def test_landing_pages_are_pages_where_they_bring_words(log: LocalLog) -> None:
    """A described one can be categorised though nobody visited it; a bare one is no page."""
    write(log, visit(C))
    found = read(log, campaign("k", Page(A, "Offer", ("buy",), "Cheap"), Page(B), Page(C, "Shop")))
    assert found.pages == [Page(A, "Offer", ("buy",), "Cheap"), Page(C, "Shop")]
    assert found.page_visits.tolist() == [0, 1]


def test_a_page_speaks_for_itself_before_a_campaign_does(log: LocalLog) -> None:
    """And of two campaigns the one with the smaller id is heard."""
    write(log, said(1, title="Own"))
    campaigns = [campaign("k1", Page(A, "Ad"), Page(B, "First")), campaign("k2", Page(B, "Second"))]
    assert [page.title for page in read(log, *campaigns).pages] == ["Own", "First"]


def test_pairs_are_summed_in_bounded_memory(log: LocalLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding early gives the same sums."""
    monkeypatch.setattr(module, "_PAIRS_IN_MEMORY", 3)
    write(log, *[visit(url, who) for url in (A, B, A, C) for who in (ANN, BOB, ANN)] * 3)
    found = read(log)
    assert profile(found, ANN) == {A: (12, 0), B: (6, 0), C: (6, 0)}
    assert profile(found, BOB) == {A: (6, 0), B: (3, 0), C: (3, 0)}


def test_the_last_visit_is_the_latest(log: LocalLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the moment it happened, in whatever order the log holds it; accepts are no visits."""
    monkeypatch.setattr(module, "_PAIRS_IN_MEMORY", 2)
    late, early, other = visit(A, at_ms=9), visit(A, at_ms=5), visit(B, at_ms=7)
    write(log, late, other, early, accept(C), visit(A, BOB, at_ms=1), early)
    found = read(log)
    assert found.last_visits.toarray().tolist() == [[9, 7, 0], [1, 0, 0]]


def test_an_empty_log_gives_nothing(log: LocalLog) -> None:
    """No page, no visitor, and counts of 0."""
    found = read(log)
    assert (found.pages, found.visitors) == ([], [])
    assert found.visits.shape == found.accepts.shape == (0, 0)
    assert set(found.counts.values()) == {0}


def test_progress_is_told_by_segments(log: LocalLog) -> None:
    """From none to all."""
    for _ in range(3):
        write(log, visit())
    told: list[tuple[int, int]] = []
    read(log, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
