"""What the batch reads out of the log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webrec.batch.small_logs import (
    ANN,
    BOB,
    A,
    B,
    C,
    accept,
    other,
    profile,
    read,
    visit,
    write,
)
from webrec.batch import log_cut, matrices
from webrec.domain.event_kinds import COUNTS_AS, KNOWN_KINDS, Counter
from webrec.domain.types import AdPage, Campaign, Event, Page
from webrec.rawlog.local import LocalLog


def test_everything_is_in_order(log: LocalLog) -> None:
    """Pages come by URL and visitors by key, however the log has them."""
    write(log, visit(C, BOB), visit(A, ANN), visit(B, "i:192.0.2.1"))
    found = read(log)
    assert [page.url for page in found.pages] == [A, B, C]
    assert found.visitors == ["i:192.0.2.1", ANN, BOB]
    assert found.visits().toarray().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


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


@pytest.mark.parametrize(("counter", "counted"), [(None, {}), ("accepts", {A: (0, 2)})])
def test_a_new_kind_counts_as_its_row_says(
    log: LocalLog, counter: Counter | None, counted: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never as a visit by accident; the text that it brings is its page's."""
    monkeypatch.setitem(COUNTS_AS, "purchase", counter)  # type: ignore[misc]
    monkeypatch.setattr(log_cut, "KNOWN_KINDS", (*KNOWN_KINDS, "purchase"))
    write(log, other("purchase", title="Tent"), other("purchase"), visit(B, BOB))
    found = read(log)
    assert (profile(found, ANN) if ANN in found.visitors else {}) == counted
    assert (found.counts["visits"], found.counts["broken"]) == (1, 0)
    assert found.pages == [Page(A, "Tent"), Page(B)]


def test_pages_that_nobody_visited_are_there(log: LocalLog) -> None:
    """An event of type page makes a page without visits."""
    write(log, Event("page", A, None, 0, title="About A", keywords=("a",), description="All"))
    found = read(log)
    assert found.pages == [Page(A, "About A", ("a",), "All")]
    assert found.page_visits.tolist() == [0]
    assert found.visitors == []
    assert found.visits().shape == (0, 1)


def page_text(at_ms: int, **words: object) -> Event:
    """What a page said of itself at a moment."""
    return replace(Event("page", A, None, at_ms), **words)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=25)
@given(order=st.permutations(range(5)))
def test_the_newest_words_win(order: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Field by field, whatever the order of the log; what says nothing takes nothing away."""
    events = [
        page_text(1, title="Old", keywords=("old",), description="Old"),
        page_text(3, title="New"),
        page_text(2, keywords=("new",), title="Middle"),
        page_text(9),
        Event("visit", A, ANN, 4, description="Said by a visit"),
    ]
    log = LocalLog(tmp_path_factory.mktemp("log"))
    write(log, *(events[n] for n in order))
    assert read(log).pages == [Page(A, "New", ("new",), "Said by a visit")]


def test_words_of_the_same_moment_do_not_depend_on_the_log(tmp_path: Path) -> None:
    """One of them wins, always the same."""
    events = [page_text(1, title="One"), page_text(1, title="Other")]
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
    write(log, page_text(1, title="Own"))
    campaigns = [campaign("k1", Page(A, "Ad"), Page(B, "First")), campaign("k2", Page(B, "Second"))]
    assert [page.title for page in read(log, *campaigns).pages] == ["Own", "First"]


def test_pairs_are_summed_in_bounded_memory(log: LocalLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding early gives the same sums."""
    monkeypatch.setattr(matrices, "_PAIRS_IN_MEMORY", 3)
    write(log, *[visit(url, who) for url in (A, B, A, C) for who in (ANN, BOB, ANN)] * 3)
    found = read(log)
    assert profile(found, ANN) == {A: (12, 0), B: (6, 0), C: (6, 0)}
    assert profile(found, BOB) == {A: (6, 0), B: (3, 0), C: (3, 0)}


def test_the_last_visit_is_the_latest(log: LocalLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the moment it happened, in whatever order the log holds it; accepts are no visits."""
    monkeypatch.setattr(matrices, "_PAIRS_IN_MEMORY", 2)
    late, early, other = visit(A, at_ms=9), visit(A, at_ms=5), visit(B, at_ms=7)
    write(log, late, other, early, accept(C), visit(A, BOB, at_ms=1), early)
    found = read(log)
    assert found.last_visits().toarray().tolist() == [[9, 7, 0], [1, 0, 0]]


def test_an_empty_log_gives_nothing(log: LocalLog) -> None:
    """No page, no visitor, and counts of 0."""
    found = read(log)
    assert (found.pages, found.visitors) == ([], [])
    assert found.visits().shape == found.accepts().shape == (0, 0)
    assert set(found.counts.values()) == {0}
