"""Whole batches, from a real log to a published generation in a real store."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from hbase_schema import names as t
from tests.support import world as known
from tests.support.worlds import NOW_MS, batch, identity, ingest_known, opened, seen
from webrec.admin.categories import get_category, list_categories, set_label
from webrec.admin.communities import get_community
from webrec.admin.models import activate_model, all_models
from webrec.admin.pages import get_pages
from webrec.admin.users import get_user
from webrec.batch import job, lease
from webrec.bench import oracle
from webrec.bench.oracle import Counts
from webrec.domain.types import Event
from webrec.errors import Conflict, LeaseLost, ResultRefused
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine

PAGE = known.page("cooking", 0)
EDITH = "u:edith"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The known-answer world, before its first batch."""
    with opened(tmp_path) as engine:
        ingest_known(engine)
        yield engine


def visit(url: str = PAGE, visitor: str | None = EDITH) -> Event:
    """Somebody opened a page."""
    return Event("visit", url, visitor, NOW_MS)


def sent_by_all() -> dict[str, dict[str, Counts]]:
    """What each visitor of the known-answer world did."""
    found: dict[str, dict[str, Counts]] = {}
    for event in known.VISITS:
        visitor = f"u:{event['user']}" if "user" in event else f"i:{event.get('ip')}"
        one = (1, 0) if event["type"] == "visit" else (0, 1)
        urls = found.setdefault(visitor, {})
        urls[event["url"]] = oracle.add([urls.get(event["url"], (0, 0)), one])
    found.pop("i:None")
    return found


# --- what is published -----------------------------------------------------------------------


@pytest.mark.parametrize("features", ["semantic", "tfidf"])
@pytest.mark.parametrize("expected", known.EXPECTED, ids=lambda each: each.statement[:60])
def test_the_known_answers_come_out(
    published: dict[str, Engine], features: str, expected: known.Expected
) -> None:
    """What the known-answer world states in prose is what the whole way answers."""
    engine = published[features]
    request = parse_request({**expected.request, "track": False, "explain": True}, NOW_MS)
    found = engine.recommend(request, NOW_MS)
    spelled = {ad.shown: ad.page.url for c in engine.tables.campaigns.all() for ad in c.ads}
    assert [spelled.get(item.url, item.url) for item in found.items] == expected.urls
    assert found.path == expected.path
    if expected.campaigns is not None:
        assert [item.campaign for item in found.items] == expected.campaigns


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    """The known-answer world after its batch, by the features that told its pages apart."""
    home = tmp_path_factory.mktemp("known")
    with opened(home / "semantic") as semantic, opened(home / "tfidf") as tfidf:
        engines = {"semantic": semantic, "tfidf": tfidf}
        for features, engine in engines.items():
            ingest_known(engine)
            batch(engine, features=features)
        yield engines


def test_the_generation_is_what_the_log_says(published: dict[str, Engine]) -> None:
    """Categories are the themes, communities the readerships, totals count the anonymous too."""
    engine = published["semantic"]
    generation = engine.model
    assert generation is not None
    categories = {page.url: page.category for page in engine.tables.pages.all(generation.id)}
    for url, theme in known.THEME_OF.items():
        alike = {u for u, c in categories.items() if c == categories[url]}
        assert alike == {u for u, other in known.THEME_OF.items() if other == theme}
    communities = dict(engine.tables.profiles.communities(generation.id))
    assert communities.pop(known.NEWCOMER) is None
    for visitors in known.READERS.values():
        assert len({communities[visitor] for visitor in visitors}) == 1
    (page,) = engine.tables.pages.by_url(generation.id, [known.page("football", 2)])
    assert page is not None
    assert (page.visits, page.accepts) == (5, 0)
    (favourite,) = engine.tables.pages.by_url(generation.id, [known.page("football", 1)])
    assert favourite is not None
    assert (favourite.visits, favourite.accepts) == (3, 1)


def test_profiles_and_communities_add_up(published: dict[str, Engine]) -> None:
    """A profile holds what its visitor did, and a community the sum of its members."""
    engine = published["semantic"]
    generation = engine.model
    assert generation is not None
    sent = sent_by_all()
    for visitor, urls in sent.items():
        assert seen(engine, visitor) == urls
    for community_id in generation.community_ids:
        found = get_community(engine, community_id, 100, "")
        number = generation.community_ids.index(community_id)
        members = [v for v, g in engine.tables.profiles.communities(generation.id) if g == number]
        assert found["size"] == len(members) == 4
        expected = {
            url: oracle.add([sent[v][url] for v in members if url in sent[v]])
            for v in members
            for url in sent[v]
        }
        assert {e["url"]: (e["visits"], e["accepts"]) for e in found["urls"]} == {
            url: counts for url, counts in expected.items() if counts[0]
        }
        scores = [(-e["rank_score"], e["url"]) for e in found["urls"]]
        assert scores == sorted(scores)
    for category_id in generation.category_ids:
        row = engine.tables.categories.get(generation.id, category_id)
        assert row is not None
        shown = get_category(engine, category_id, 100, "")["urls"]
        assert row.value == sum(each["affinity"] for each in shown)
        assert shown == sorted(shown, key=lambda e: (-e["affinity"], e["url"]))


def _content(engine: Engine, generation_id: str) -> dict[str, list[tuple[bytes, object]]]:
    return {
        kind: list(engine.tables.store.scan(t.generation_table(generation_id, kind)))
        for kind in t.KINDS
    }


def test_the_same_log_and_seed_give_the_same_generation(engine: Engine, tmp_path: Path) -> None:
    """Byte by byte, in another store and after the log was written in another order."""
    first = batch(engine, seed=7)
    again = batch(engine, seed=7)
    with opened(tmp_path / "elsewhere") as other:
        records = [r.event for s in engine.log.closed_segments() for r in engine.log.read(s)]
        for event in reversed(records):
            other.recorder.record([event])
        other.tables.campaigns.put(list(engine.tables.campaigns.all()))
        elsewhere = batch(other, seed=7)
        assert _content(other, elsewhere.id) == _content(engine, first.id)
    assert _content(engine, again.id) == _content(engine, first.id)
    assert again.suggested_labels == first.suggested_labels == elsewhere.suggested_labels
    assert again.counts == first.counts == elsewhere.counts


def test_a_name_given_by_a_person_survives_the_next_batch(engine: Engine) -> None:
    """The category keeps its id and its name though its pages change; the others are suggested."""
    batch(engine)
    category = get_pages(engine, [PAGE])[0]
    assert category is not None
    named = set_label(engine, category["category"]["id"], "Good food")
    assert (named["label"], named["label_source"]) == ("Good food", "manual")
    engine.recorder.record(
        [
            Event(
                "page",
                f"https://cooking.example/new-{n}",
                None,
                NOW_MS,
                title="A soup recipe with garlic and onions from your kitchen",
                keywords=("soup", "recipe", "kitchen", "garlic"),
            )
            for n in range(5)
        ]
    )
    batch(engine)
    after, new = get_pages(engine, [PAGE, "https://cooking.example/new-0"])
    assert after is not None
    assert new is not None
    assert after["category"] == new["category"] == {"id": named["id"], "label": "Good food"}
    sources = Counter(c["label_source"] for c in list_categories(engine, 10, "").items)
    assert sources == {"manual": 1, "suggested": 2}


# --- events and batches ----------------------------------------------------------------------


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


# --- going back ------------------------------------------------------------------------------


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


def test_the_last_generations_stay(engine: Engine) -> None:
    """Three are kept to go back to, with what they need; older ones are dropped."""
    ids = [batch(engine).id for _ in range(5)]
    assert [g.id for g in engine.tables.generations.all()] == ids[2:]
    assert engine.tables.generations.with_tables() == set(ids[2:])
    assert [m["id"] for m in all_models(engine.tables)] == ids[:1:-1]
    assert len(list((engine.settings.home / "cache").glob("0*"))) <= 3


def test_a_batch_after_going_back_goes_on(engine: Engine) -> None:
    """Its generation is a new one, and the one left behind is still there."""
    first, second = batch(engine), batch(engine)
    activate_model(engine, first.id)
    third = batch(engine)
    assert third.id > second.id
    assert engine.model == third
    assert [g.id for g in engine.tables.generations.all()] == [first.id, second.id, third.id]


# --- forgetting ------------------------------------------------------------------------------


def test_a_forgotten_visitor_leaves_the_log(engine: Engine) -> None:
    """After the next batch neither log nor generation name them, and others lose nothing."""
    batch(engine)
    engine.recorder.forget(EDITH)
    assert seen(engine, EDITH) == {}
    generation = batch(engine)
    assert generation.counts["forgotten"] == len(sent_by_all()[EDITH])
    assert engine.tables.profiles.get(generation.id, EDITH) is None
    segments = engine.log.closed_segments()
    visitors = {r.event.visitor for s in segments for r in engine.log.read(s)}
    assert EDITH not in visitors
    assert engine.tables.visitors.forgotten() == {}
    sent = sent_by_all()
    del sent[EDITH]
    for visitor, urls in sent.items():
        assert seen(engine, visitor) == urls
    assert batch(engine).counts["forgotten"] == 0


def test_a_forgotten_visitor_stays_forgotten_in_old_generations(engine: Engine) -> None:
    """Going back does not bring them back; what they did since counts in each."""
    first = batch(engine)
    engine.recorder.forget(EDITH)
    engine.recorder.record([visit()])
    second = batch(engine)
    for generation in (first, second, first):
        activate_model(engine, generation.id)
        assert seen(engine, EDITH) == {PAGE: (1, 0)}
        assert get_user(engine, EDITH)["community"] is None
    third, fourth = batch(engine), batch(engine)
    for generation in (second, third, fourth):
        activate_model(engine, generation.id)
        assert seen(engine, EDITH) == {PAGE: (1, 0)}


def test_what_came_while_the_log_was_cut_is_forgotten_too(engine: Engine) -> None:
    """A visit in a new segment, taken back while the cut still waits for another writer."""
    batch(engine)
    stalled = engine.log.begin()
    stalled.append([visit(visitor="u:other")], 5)
    epoch = engine.log.epoch()

    def meanwhile() -> None:
        while engine.log.epoch() == epoch:
            time.sleep(0.01)
        with opened(engine.settings.home) as other:
            other.recorder.record([visit(visitor="u:brief")])
            other.recorder.forget("u:brief")
        stalled.close()

    thread = threading.Thread(target=meanwhile)
    thread.start()
    generations = [batch(engine), batch(engine)]
    thread.join()
    for generation in generations:
        assert engine.tables.profiles.get(generation.id, "u:brief") is None
    assert seen(engine, "u:brief") == {}


def test_a_stalled_writer_holds_up_neither_batch_nor_forgetting(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its events wait for the next batch; a visitor it still has is forgotten then."""
    monkeypatch.setattr(job, "CUT_WAIT_S", 0.0)
    with opened(engine.settings.home) as stalled:
        stalled.recorder.record([visit(visitor="u:brief"), visit(visitor="u:slow")])
        stalled.recorder.flush()
        engine.recorder.forget("u:brief")
        generation = batch(engine)
        assert not generation.watermark.is_complete
        assert engine.tables.visitors.forgotten().keys() == {"u:brief"}
        assert seen(engine, "u:slow") == {PAGE: (1, 0)}
    generation = batch(engine)
    assert engine.tables.visitors.forgotten() == {}
    assert engine.tables.profiles.get(generation.id, "u:brief") is None
    assert seen(engine, "u:slow") == {PAGE: (1, 0)}
    visitors = {r.event.visitor for s in engine.log.closed_segments() for r in engine.log.read(s)}
    assert "u:brief" not in visitors


# --- refusing --------------------------------------------------------------------------------


def test_an_empty_result_is_refused_unless_forced(tmp_path: Path) -> None:
    """An empty log publishes nothing; with force its generation answers with nothing."""
    with opened(tmp_path) as engine:
        with pytest.raises(ResultRefused, match="no page"):
            batch(engine)
        assert engine.model is None
        generation = batch(engine, force=True)
        assert engine.model == generation
        request = parse_request({"url": PAGE, "track": False}, NOW_MS)
        answer = engine.recommend(request, NOW_MS)
        assert answer.items == []
        assert answer.empty_reason == "nothing_to_recommend"
        ingest_known(engine)
        assert batch(engine).counts["pages"] == len(known.THEME_OF)


def test_a_shrunken_result_is_refused_unless_forced(engine: Engine) -> None:
    """A log that lost most of its events does not replace the model, unless a person says so."""
    first = batch(engine)
    for name in engine.log.closed_segments():
        engine.log.rewrite(name, lambda r: r.number < 10)
    with pytest.raises(ResultRefused, match="--force"):
        batch(engine)
    engine.refresh()
    assert engine.model == first
    assert engine.tables.generations.with_tables() == {first.id}
    assert batch(engine, force=True).counts["pages"] < 31


# --- two batches -----------------------------------------------------------------------------


def test_two_batches_never_run_at_once(engine: Engine, tmp_path: Path) -> None:
    """The second is told who is at it, and changes nothing."""
    outcomes: list[Exception] = []

    def report(doing: str, _done: int, _total: int) -> None:
        if doing == "publishing":
            with opened(tmp_path) as other, pytest.raises(LeaseLost, match="running") as error:
                batch(other)
            outcomes.append(error.value)

    job.run(engine.tables, engine.log, engine.recorder, engine.settings, job.Plan(), report)
    assert len(outcomes) == 1
    assert len(engine.tables.generations.all()) == 1


def _take_lease_from(engine: Engine) -> None:
    engine.tables.meta.swap_lease(
        engine.tables.meta.lease(), orjson.dumps({"owner": "thief", "until": time.time() + 60})
    )


@pytest.mark.parametrize("moment", ["clustering users", "verifying", "publishing"])
def test_a_batch_that_lost_its_lease_publishes_nothing(engine: Engine, moment: str) -> None:
    """Whenever it loses it, the active generation and the list of them stay as they are."""
    first = batch(engine)

    def report(doing: str, done: int, _total: int) -> None:
        if doing == moment and done == 0:
            _take_lease_from(engine)

    with pytest.raises(LeaseLost):
        job.run(engine.tables, engine.log, engine.recorder, engine.settings, job.Plan(), report)
    assert [g.id for g in engine.tables.generations.all()] == [first.id]
    assert engine.tables.generations.active() == first


def test_a_model_activated_meanwhile_wins(engine: Engine) -> None:
    """A batch does not switch the pointer over somebody's choice it has not seen."""
    first, second = batch(engine), batch(engine)

    def report(doing: str, _done: int, _total: int) -> None:
        if doing == "publishing":
            engine.tables.generations.activate(first.id, second.id)

    with pytest.raises(Conflict):
        job.run(engine.tables, engine.log, engine.recorder, engine.settings, job.Plan(), report)
    assert engine.tables.generations.active() == first
    assert batch(engine).id > second.id


_KILLED = """
import os, signal, sys
from pathlib import Path
from clustering import job
from webrec import config
from webrec.serving.engine import Engine

engine = Engine(config.load(home=Path(sys.argv[1])))

def report(doing, done, total):
    if doing == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

job.run(engine.tables, engine.log, engine.recorder, engine.settings, job.Plan(), report)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    [
        "writing profiles",
        "clustering pages",
        "publishing",
        "cleaning up",
    ],
)
def test_a_killed_batch_leaves_a_whole_generation(
    engine: Engine, tmp_path: Path, moment: str
) -> None:
    """The old one stays, or the new one is whole; the next batch succeeds and tidies up."""
    first = batch(engine)
    engine.recorder.record([visit(visitor="u:late")])
    engine.recorder.flush()
    # a segment of our own must not keep the killed batch waiting
    engine.recorder.roll()
    writing = threading.Event()

    def keep_rolling() -> None:
        while not writing.wait(0.05):
            engine.recorder.roll()
            engine.recorder.flush()

    thread = threading.Thread(target=keep_rolling)
    thread.start()
    command = [sys.executable, "-c", _KILLED, str(tmp_path), moment]
    killed = subprocess.run(command, check=False, capture_output=True)
    writing.set()
    thread.join()
    assert killed.returncode == -9, killed.stderr
    engine.refresh()
    assert engine.model is not None
    assert (engine.model == first) == (moment != "cleaning up")
    assert seen(engine, "u:late") == {PAGE: (1, 0)}
    with pytest.raises(LeaseLost, match="if it died"):
        batch(engine)
    held = engine.tables.meta.lease()
    assert held is not None
    document = orjson.loads(held)
    assert document["until"] - time.time() <= lease.TERM_S
    engine.tables.meta.swap_lease(held, orjson.dumps({**document, "until": 0.0}))  # as time would
    second = batch(engine)
    assert engine.model == second
    listed = {g.id for g in engine.tables.generations.all()}
    assert engine.tables.generations.with_tables() == listed
    assert seen(engine, "u:late") == {PAGE: (1, 0)}


def test_a_request_is_a_visit(engine: Engine) -> None:
    """A tracked request counts from the next answer on, and in the next batch, once."""
    batch(engine)
    request = parse_request({"url": PAGE, **identity("u:reader")}, NOW_MS)
    assert not engine.recommend(request, NOW_MS).is_visit_lost
    assert seen(engine, "u:reader") == {PAGE: (1, 0)}
    batch(engine)
    assert seen(engine, "u:reader") == {PAGE: (1, 0)}


def test_going_back_while_a_batch_cleans_up(tmp_path: Path) -> None:
    """The model somebody has just gone back to stays, is served, and the next batch succeeds."""
    with opened(tmp_path, keep_generations=1) as engine:
        ingest_known(engine)
        first, second = batch(engine, features="tfidf"), batch(engine, features="tfidf")
        went_back: list[str] = []

        def go_back(doing: str, _done: int, _total: int) -> None:
            if doing == "cleaning up":
                third = engine.tables.meta.versions().active
                assert third is not None
                engine.tables.generations.activate(first.id, third.decode())
                went_back.append(first.id)

        parts = (engine.tables, engine.log, engine.recorder, engine.settings)
        third = job.run(*parts, job.Plan(features="tfidf"), go_back)
        engine.refresh()
        assert went_back == [first.id]
        assert engine.model == first
        assert seen(engine, EDITH)
        fourth = batch(engine, features="tfidf")
        assert engine.model == fourth
        assert {first.id, second.id} & {g.id for g in engine.tables.generations.all()} == {first.id}
        assert third.id not in {g.id for g in engine.tables.generations.all()}
