"""Events before, between and during batches: each counts once in every generation."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from hbase_schema import names as t
from tests.support import world as known
from tests.support.worlds import NOW_MS, batch, identity, opened, seen
from tests.webrec.batch.known_site import EDITH, PAGE, sent_by_all, visit
from webrec.admin.models import activate_model
from webrec.bench import oracle
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine


def test_any_number_of_batches_changes_no_profile(engine: Engine) -> None:
    """What came before and between batches counts once, whichever of them has absorbed it."""
    sent = sent_by_all()
    for number in range(4):
        batch(engine)
        url = known.page("football", number)
        engine.recorder.record([visit(url), visit(url, "u:late")])
        sent[EDITH][url] = oracle.add([sent[EDITH].get(url, (0, 0)), (1, 0)])
        sent.setdefault("u:late", {})[url] = (1, 0)
        for visitor, urls in sent.items():
            assert seen(engine, visitor) == urls


@pytest.mark.slow
def test_events_during_batches_are_neither_lost_nor_doubled(engine: Engine) -> None:
    """While several writers send, profiles add up after every batch and at the end."""
    batch(engine)
    sent: Counter[str] = Counter()
    stop = threading.Event()

    def send(me: int, home: Path) -> None:
        with opened(home, segment_bytes=2_000) as mine:
            mine.start()
            number = 0
            while not stop.is_set():
                number += 1
                event = replace(visit(visitor=f"u:sender{me}"), event_id=f"{me}-{number}")
                mine.recorder.record([event, event])
                sent[f"u:sender{me}"] += 1

    home = engine.settings.home
    senders = [threading.Thread(target=send, args=(me, home)) for me in range(3)]
    for sender in senders:
        sender.start()
    try:
        for _ in range(3):
            batch(engine)
            # the log may be ahead of what its sender has counted by the event it is sending
            found = {v: sum(n for n, _ in seen(engine, v).values()) for v in list(sent)}
            assert all(visits <= sent[visitor] + 1 for visitor, visits in found.items())
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    assert min(sent.values()) > 0
    for _ in range(2):
        for visitor, count in sent.items():
            assert seen(engine, visitor) == {PAGE: (count, 0)}
        batch(engine)


def test_a_batch_recovers_dead_writers(engine: Engine) -> None:
    """What a killed process left is in the generation, and in no profile twice."""
    dead = engine.log.begin()
    dead.append([visit(visitor="u:dead")] * 2, 5)
    dead.abandon()
    batch(engine)
    assert seen(engine, "u:dead") == {PAGE: (2, 0)}
    assert list(engine.tables.store.scan(t.RECENT)) == []
    assert engine.log.open_segments() == []


def test_anonymous_visits_count_in_totals_alone(engine: Engine) -> None:
    """A page's affinity grows by them, nobody's profile does."""
    engine.recorder.record([visit(visitor=None)] * 10)
    generation = batch(engine)
    (page,) = engine.tables.pages.by_url(generation.id, [PAGE])
    assert page is not None
    assert page.visits == 13
    assert generation.counts["profiles"] == 13
    assert sum(seen(engine, v).get(PAGE, (0, 0))[0] for v in sent_by_all()) == 3


def test_a_request_is_a_visit(engine: Engine) -> None:
    """A tracked request counts from the next answer on, and in the next batch, once."""
    batch(engine)
    request = parse_request({"url": PAGE, **identity("u:reader")}, NOW_MS)
    assert not engine.recommend(request, NOW_MS).is_visit_lost
    assert seen(engine, "u:reader") == {PAGE: (1, 0)}
    batch(engine)
    assert seen(engine, "u:reader") == {PAGE: (1, 0)}


def test_going_back_counts_what_happened_since(engine: Engine) -> None:
    """Whichever generation is active, each profile is complete: nothing is lost or doubled."""
    generations = []
    for n in range(3):
        engine.recorder.record([visit(known.page("football", n))])
        generations.append(batch(engine))
    engine.recorder.record([visit(known.page("football", 3))])
    expected = {**sent_by_all()[EDITH], **{known.page("football", n): (1, 0) for n in range(4)}}
    for generation in [*reversed(generations), *generations]:
        shown = activate_model(engine, generation.id)
        assert shown["active"]
        assert engine.model == generation
        assert seen(engine, EDITH) == expected


def test_a_batch_after_going_back_goes_on(engine: Engine) -> None:
    """Its generation is a new one, and the one left behind is still there."""
    first, second = batch(engine), batch(engine)
    activate_model(engine, first.id)
    third = batch(engine)
    assert third.id > second.id
    assert engine.model == third
    assert [g.id for g in engine.tables.generations.all()] == [first.id, second.id, third.id]
