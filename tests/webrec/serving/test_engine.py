"""What answers requests, and how it follows what others write."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hbase_schema import names as t
from tests.support.thrift_gateway import ThriftGateway
from tests.support.worlds import NOW_MS, opened, publish, seen, serving
from webrec.admin.models import activate_model
from webrec.bench.oracle import World
from webrec.config import load
from webrec.domain.types import AdPage, Campaign, Event, Page
from webrec.errors import NotFound, StoreUnavailable
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine
from webrec.storage import Swap
from webrec.storage.base import RowCells
from webrec.storage.sqlite import SqliteStore

A, B, C, D = (f"https://site.example/{name}" for name in "abcd")
ANN = "u:ann"
WORLD = World(
    category={A: "c1", B: "c1", C: "c2", D: None},
    totals={A: (4, 0), B: (2, 0), C: (1, 0)},
    community={ANN: "g1", "u:bob": "g1"},
    profiles={ANN: {A: (3, 0)}, "u:bob": {A: (1, 0), B: (2, 0), D: (1, 0)}},
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The world, published."""
    with serving(tmp_path, WORLD) as engine:
        yield engine


@pytest.fixture
def other(engine: Engine) -> Iterator[Engine]:
    """Another process on the same store and log."""
    with opened(engine.settings.home) as other:
        yield other


def ask(engine: Engine, url: str = A, now_ms: int = NOW_MS, **fields: Any) -> dict[str, Any]:
    """An answer; nothing is recorded unless the fields say so."""
    request = parse_request({"url": url, "track": False, **fields}, now_ms)
    return engine.recommend(request, now_ms).document


def urls(document: dict[str, Any]) -> list[str]:
    """The URLs of an answer."""
    return [item["url"] for item in document["items"]]


def campaign(campaign_id: str = "k", priority: float = 0.5, *shown: str) -> Campaign:
    """A campaign that always runs."""
    ads = tuple(AdPage(url, Page(url.partition("?")[0])) for url in shown or (B,))
    return Campaign(campaign_id, ads, priority)


# --- answers ---------------------------------------------------------------------------------


def test_an_answer_says_what_it_is(engine: Engine) -> None:
    """Mode, filter, path, model and items, in the documented form."""
    document = ask(engine)
    assert len(document.pop("id")) == 32
    assert document == {
        "mode": "related",
        "filter": "content",
        "algorithm": "WebR.Rel.Cont",
        "path": ["WebR.Rel.Cont"],
        "items": [
            {"url": B, "priority": 0.0, "category": {"id": "c1", "label": "Label of c1"}},
        ],
        "empty_reason": None,
        "model": "000001",
        "degraded": False,
    }


def test_every_answer_has_an_id_of_its_own(engine: Engine) -> None:
    """So that an accept can name it."""
    assert len({ask(engine)["id"] for _ in range(5)}) == 5


def test_a_page_without_category_is_null(engine: Engine) -> None:
    """In a community's list."""
    document = ask(engine, user="ann", filter="collaborative")
    categories = {item["url"]: item["category"] for item in document["items"]}
    assert categories[D] is None
    assert categories[B] == {"id": "c1", "label": "Label of c1"}


def test_explain_says_how_it_came_about(engine: Engine) -> None:
    """The request's category and community, the set, its size, and why others were passed over."""
    document = ask(engine, D, user="ann", explain=True, limit=1)
    assert document["path"] == ["WebR.Rel.Cont", "WebR.Rel.Col"]
    assert document["explain"] == {
        "category": None,
        "category_source": None,
        "community": "g1",
        "community_source": "batch",
        "list": "colL[g1]",
        "size": 1,
        "passed_over": [{"algorithm": "WebR.Rel.Cont", "reason": "the page has no category"}],
    }
    (item,) = document["items"]
    assert (item["affinity"], item["rank_score"]) == (1.0, 2.0)
    assert "ad_priority" not in item
    assert "explain" not in ask(engine)


def test_a_sponsored_answer_names_campaign_and_spelling(engine: Engine) -> None:
    """And with explain what the campaign's priority was."""
    engine.tables.campaigns.put([campaign("k", 0.4, f"{B}?utm_source=k")])
    engine.refresh()
    document = ask(engine, mode="sponsored", user="ann", explain=True)
    (item,) = document["items"]
    assert item["url"] == f"{B}?utm_source=k"
    assert (item["campaign"], item["ad_priority"], item["affinity"]) == ("k", 0.4, 1.0)
    assert item["priority"] == 0.7
    assert document["explain"]["list"] == "ads ∩ recL[c1]"


@pytest.mark.parametrize(
    ("mode", "filter_", "path"),
    [
        ("related", "content", ["WebR.Rel.Cont", "WebR.Rel.Default"]),
        ("related", "collaborative", ["WebR.Rel.Col", "WebR.Rel.Cont", "WebR.Rel.Default"]),
        ("sponsored", "content", ["WebR.Sp.Cont", "WebR.Sp.Default"]),
        ("sponsored", "collaborative", ["WebR.Sp.Col", "WebR.Sp.Cont", "WebR.Sp.Default"]),
    ],
)
def test_before_the_first_batch(tmp_path: Path, mode: str, filter_: str, path: list[str]) -> None:
    """There is an answer: nothing is categorised, and it says that there is no model."""
    with opened(tmp_path) as engine:
        engine.tables.campaigns.put([campaign()])
        engine.recorder.record([Event("visit", A, ANN, 0)])
        engine.refresh()
        document = ask(engine, mode=mode, filter=filter_, user="ann", explain=True)
        assert engine.model is None
        assert (document["path"], document["items"]) == (path, [])
        assert (document["empty_reason"], document["model"]) == ("no_model", None)
        assert document["explain"]["size"] == 0
        assert seen(engine, ANN) == {A: (1, 0)}


def test_an_empty_answer_says_why(engine: Engine) -> None:
    """No campaign, or nothing left."""
    assert ask(engine, mode="sponsored")["empty_reason"] == "no_suitable_campaign"
    assert ask(engine, exclude=[A, B, C])["empty_reason"] == "nothing_to_recommend"


@pytest.mark.parametrize("named", [None, []])
def test_naming_no_campaign_means_all(engine: Engine, named: list[str] | None) -> None:
    """Left out or empty, a list of campaigns takes nothing away."""
    engine.tables.campaigns.put([campaign()])
    engine.refresh()
    assert urls(ask(engine, mode="sponsored", campaigns=named)) == [B]
    assert urls(ask(engine, mode="sponsored", campaigns=["other"])) == []


def test_the_filter_of_a_request_that_names_none_is_a_setting(tmp_path: Path) -> None:
    """And so is what a request may override."""
    with opened(tmp_path, default_filter="collaborative") as engine:
        assert ask(engine)["filter"] == "collaborative"
        assert ask(engine, filter="content")["filter"] == "content"


def test_campaign_dates_hold_to_the_millisecond(engine: Engine) -> None:
    """From the start on, and until just before the end."""
    engine.tables.campaigns.put([replace(campaign(), starts_ms=NOW_MS, ends_ms=NOW_MS + 1_000)])
    engine.refresh()
    for offset, shown in ((-1, []), (0, [B]), (999, [B]), (1_000, [])):
        assert urls(ask(engine, now_ms=NOW_MS + offset, mode="sponsored")) == shown


# --- what a request records ------------------------------------------------------------------


def test_a_visit_counts_from_the_next_answer_on(engine: Engine) -> None:
    """Not in its own; and not at all where it is not tracked."""
    first = ask(engine, C, user="new", track=True, explain=True)
    assert [item["affinity"] for item in first["items"]] == [0.0] * len(first["items"])
    second = ask(engine, A, user="new", explain=True, track=False)
    assert seen(engine, "u:new") == {C: (1, 0)}
    assert C not in urls(ask(engine, D, user="new"))
    assert second["items"][0]["url"] == B


def test_a_robot_is_answered_but_not_recorded(engine: Engine) -> None:
    """Nothing of it is in the log."""
    robot = {"user_agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
    assert urls(ask(engine, user="robot", environment=robot, track=True)) == [B]
    assert seen(engine, "u:robot") == {}
    assert engine.recorder.backlog == 0
    assert engine.log.open_segments() == []


def test_a_log_that_is_away_costs_the_visit_not_the_answer(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller is told that the visit is lost."""
    (engine.settings.home / "log" / "open").rmdir()
    request = parse_request({"url": A, "user": "new"}, NOW_MS)
    found = engine.recommend(request, NOW_MS)
    assert found.lost
    assert urls(found.document) == [B]
    assert "not recorded" in caplog.text
    assert seen(engine, "u:new") == {}
    (engine.settings.home / "log" / "open").mkdir()
    assert not engine.recommend(request, NOW_MS).lost


# --- following others ------------------------------------------------------------------------


def test_campaigns_of_another_process_are_seen(engine: Engine, other: Engine) -> None:
    """New ones, changed ones, and those that are gone; the unchanged stay as they are."""
    other.tables.campaigns.put([campaign("k1", 0.5, B), campaign("k2", 0.2, A)])
    engine.refresh()
    assert urls(ask(engine, C, mode="sponsored")) == [B, A]
    other.tables.campaigns.put([campaign("k2", 0.9, A)])
    engine.refresh()
    assert urls(ask(engine, C, mode="sponsored")) == [A, B]
    other.tables.campaigns.delete("k1")
    engine.refresh()
    assert urls(ask(engine, C, mode="sponsored")) == [A]


def test_labels_of_another_process_are_seen(engine: Engine, other: Engine) -> None:
    """In answers, at the next refresh."""
    other.tables.labels.put("c1", "Good food")
    assert ask(engine)["items"][0]["category"]["label"] == "Label of c1"
    engine.refresh()
    assert ask(engine)["items"][0]["category"]["label"] == "Good food"


def test_models_of_another_process_are_seen(engine: Engine, other: Engine) -> None:
    """Forward and back, with the campaigns on their pages."""
    engine.tables.campaigns.put([campaign("k", 0.5, D)])
    engine.refresh()
    assert urls(ask(engine, C, mode="sponsored")) == []
    publish(other.tables, replace(WORLD, category={**WORLD.category, D: "c2"}), Random(2), "000002")
    assert ask(engine)["model"] == "000001"
    engine.refresh()
    assert ask(engine)["model"] == "000002"
    assert urls(ask(engine, C, mode="sponsored")) == [D]
    other.tables.generations.activate("000001", "000002")
    engine.refresh()
    assert ask(engine)["model"] == "000001"
    assert urls(ask(engine, C, mode="sponsored")) == []


def test_a_refresh_without_news_changes_nothing(engine: Engine) -> None:
    """The snapshot is the same one."""
    snapshot = engine.snapshot
    engine.refresh()
    assert engine.snapshot is snapshot


def test_an_incomplete_model_is_refused(engine: Engine, other: Engine) -> None:
    """The one before goes on answering, and a repaired one is taken in."""
    publish(other.tables, WORLD, Random(2), "000002")
    table = "g000002.categories"
    rows = list(other.tables.store.scan(table))
    other.tables.store.delete_many(table, [(rows[0][0], None)])
    with pytest.raises(NotFound, match="000002 is incomplete"):
        engine.refresh()
    assert ask(engine)["model"] == "000001"
    other.tables.store.put_many(table, rows)
    engine.refresh()
    assert ask(engine)["model"] == "000002"


def _eventually(holds: Callable[[], bool]) -> None:
    """Wait for something that the background does, however slow the machine."""
    for _ in range(3_000):
        if holds():
            return
        time.sleep(0.02)
    pytest.fail("it never came")


def test_the_background_follows_others(engine: Engine, other: Engine) -> None:
    """Once started, an engine takes in campaigns and shows its visits to the others."""
    engine.start()
    other.tables.campaigns.put([campaign()])
    _eventually(lambda: urls(ask(engine, mode="sponsored")) == [B])
    ask(engine, user="new", track=True)
    _eventually(lambda: seen(other, "u:new") == {A: (1, 0)})


def test_a_broken_model_does_not_end_the_following(
    engine: Engine, other: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """The background says what is wrong, and takes in what comes next."""
    engine.start()
    publish(other.tables, WORLD, Random(2), "000002")
    table = "g000002.communities"
    rows = [row for row, _ in other.tables.store.scan(table)]
    other.tables.store.delete_many(table, [(row, None) for row in rows])
    other.tables.labels.put("c1", "Named")
    _eventually(lambda: "could not be read" in caplog.text)
    other.tables.generations.activate("000001", "000002")
    other.tables.campaigns.put([campaign()])
    _eventually(lambda: urls(ask(engine, mode="sponsored")) == [B])


def test_requests_of_many_threads_see_whole_models(engine: Engine, other: Engine) -> None:
    """While the model is switched back and forth, each answer is of one of them."""
    bigger = replace(WORLD, category=dict.fromkeys(WORLD.category, "c9"))
    publish(other.tables, bigger, Random(2), "000002")
    stop = threading.Event()
    wrong: list[dict[str, Any]] = []

    def keep_asking() -> None:
        while not stop.is_set():
            document = ask(engine, user="ann", repeat=True, explain=True, limit=100)
            expected = {"000001": [A, B], "000002": [A, B, C, D]}[document["model"]]
            categories = {item["category"]["id"] for item in document["items"]}
            if urls(document) != expected[1:] or len(categories) != 1:
                wrong.append(document)

    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(20):
        pair = ("000002", "000001") if turn % 2 else ("000001", "000002")
        if turn:
            other.tables.generations.activate(pair[1], pair[0])
        engine.refresh()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- recent and forgotten --------------------------------------------------------------------


def test_a_forgotten_visitor_is_a_stranger_at_once(engine: Engine, other: Engine) -> None:
    """Profile and community are gone in every process, and a new visit counts at once."""
    assert ask(engine, D, user="ann")["path"] == ["WebR.Rel.Cont", "WebR.Rel.Col"]
    other.recorder.forget(ANN)
    for each in (engine, other):
        assert ask(each, D, user="ann")["path"] == ["WebR.Rel.Cont", "WebR.Rel.Default"]
        assert seen(each, ANN) == {}
    ask(engine, C, user="ann", track=True)
    assert seen(engine, ANN) == {C: (1, 0)}
    assert C not in urls(ask(engine, D, user="ann"))


def test_what_happened_counts_past_each_watermark_once(engine: Engine) -> None:
    """Whichever model is active, a profile is the model's and what came after its cut."""
    engine.recorder.record([Event("visit", C, ANN, 0)])
    watermark = engine.recorder.cut(0)
    merged = {**WORLD.profiles, ANN: {A: (3, 0), C: (1, 0)}}
    publish(engine.tables, replace(WORLD, profiles=merged), Random(2), "000002")
    generation = engine.tables.generations.get("000002")
    assert generation is not None
    engine.tables.generations.put(replace(generation, watermark=watermark))
    engine.recorder.record([Event("visit", B, ANN, 0)])
    for model_id in ("000002", "000001", "000002"):
        activate_model(engine, model_id)
        assert seen(engine, ANN) == {A: (3, 0), B: (1, 0), C: (1, 0)}


def test_the_backlog_is_what_the_model_has_not_read(engine: Engine) -> None:
    """In segments; before the first model it is the whole log."""
    assert engine.log_backlog() == 0
    engine.recorder.record([Event("visit", C, ANN, 0)])
    assert engine.log_backlog() == 1
    engine.recorder.cut(0)
    assert engine.log_backlog() == 1
    engine.recorder.record([Event("visit", C, ANN, 0)])
    assert engine.log_backlog() == 2


# --- without the store -------------------------------------------------------------------------


@pytest.fixture
def gateway() -> Iterator[ThriftGateway]:
    """A Thrift server to break."""
    with ThriftGateway() as gateway:
        yield gateway


@pytest.fixture
def remote(gateway: ThriftGateway, tmp_path: Path) -> Iterator[Engine]:
    """The world, published on it, with a campaign; its requests have little time."""
    with opened(tmp_path, store=gateway.store_uri("world"), tmax=150) as engine:
        engine.recorder.cut(0)
        publish(engine.tables, WORLD, Random(1))
        engine.tables.campaigns.put([campaign()])
        engine.refresh()
        yield engine
        gateway.accept()
        gateway.resume()


FAULTS: dict[str, Callable[[ThriftGateway], None]] = {
    "hangs": ThriftGateway.hang,
    "is gone": ThriftGateway.refuse,
    "hangs up": lambda gateway: gateway.drop_next(1_000),
}
PLENTY = 60_000


@pytest.mark.parametrize("fault", FAULTS)
def test_answers_come_from_memory(gateway: ThriftGateway, remote: Engine, fault: str) -> None:
    """As for somebody nobody knows, by the same model, and they say that something is missing."""
    FAULTS[fault](gateway)
    for mode in ("related", "sponsored"):
        for filter_ in ("content", "collaborative"):
            fields = {"mode": mode, "filter": filter_, "explain": True}
            known, stranger = ask(remote, user="ann", **fields), ask(remote, **fields)
            assert known.pop("degraded")
            assert not stranger.pop("degraded")
            for document in (known, stranger):
                del document["id"]
            assert known == stranger
            assert urls(known) == [B]
            assert known["model"] == "000001"


def test_a_campaign_that_cannot_be_read_stops_no_other(engine: Engine) -> None:
    """It is left out until it is uploaded again."""
    engine.tables.campaigns.put([campaign("good", 0.4, B), campaign("torn", 0.9, B)])
    row = {b"torn": Swap(engine.tables.store.get(t.CAMPAIGNS, b"torn")[t.DOCUMENT], b"{")}
    assert engine.tables.store.check_and_put(t.CAMPAIGNS, t.DOCUMENT, row) == [True]
    engine.refresh()
    shown = {"mode": "sponsored", "filter": "content", "repeat": True}
    assert [item["campaign"] for item in ask(engine, A, **shown)["items"]] == ["good"]
    engine.tables.campaigns.put([campaign("torn", 0.9, B)])
    engine.refresh()
    assert [item["campaign"] for item in ask(engine, A, **shown)["items"]] == ["torn"]


@pytest.mark.parametrize("fault", FAULTS)
def test_what_this_process_knows_still_counts(
    gateway: ThriftGateway, remote: Engine, fault: str
) -> None:
    """The visits it has recorded; no profile, for the visitor may have been forgotten since."""
    whole = ask(remote, D, user="ann", explain=True, tmax=PLENTY)
    ask(remote, B, user="ann", track=True, tmax=PLENTY)
    FAULTS[fault](gateway)
    found = ask(remote, D, user="ann", explain=True, limit=100)
    assert found["degraded"]
    assert whole["explain"]["community"] == "g1"
    assert found["explain"]["community"] is None
    assert B in urls(whole)
    assert B not in urls(found)
    ask(remote, C, user="new", track=True)
    found = ask(remote, A, user="new", explain=True)
    assert found["degraded"]
    assert C not in urls(ask(remote, D, user="new"))


def test_after_three_failures_the_store_is_left_alone(
    gateway: ThriftGateway, remote: Engine
) -> None:
    """No request asks it any more, whoever comes."""
    assert not ask(remote, user="ann", tmax=PLENTY)["degraded"]
    gateway.drop_next(1_000)
    for _ in range(3):
        before = gateway.calls
        assert ask(remote, user="ann", tmax=PLENTY)["degraded"]
        assert gateway.calls != before
    before = gateway.calls
    for user in ("ann", "bob", "new") * 5:
        assert ask(remote, user=user, tmax=PLENTY)["degraded"]
    assert gateway.calls == before
    gateway.refuse()


@pytest.mark.parametrize("fault", ["hangs", "is gone"])
def test_a_store_that_comes_back_is_read_again(
    gateway: ThriftGateway, remote: Engine, fault: str
) -> None:
    """By itself, and what happened meanwhile is taken in."""
    remote.start()
    FAULTS[fault](gateway)
    for _ in range(4):
        assert ask(remote, D, user="bob", track=True)["degraded"]
    gateway.accept()
    gateway.resume()
    _eventually(lambda: not ask(remote, D, user="bob", tmax=PLENTY)["degraded"])
    assert ask(remote, user="bob", tmax=PLENTY, explain=True)["explain"]["community"] == "g1"
    _eventually(lambda: seen(remote, "u:bob")[D] == (1 + 4, 0))


def test_a_model_that_was_dropped_while_the_store_was_away(
    gateway: ThriftGateway, remote: Engine, tmp_path: Path
) -> None:
    """The read that failed finds no table when the store is back: the next model is taken in."""
    gateway.refuse()
    for _ in range(4):
        assert ask(remote, user="bob")["degraded"]
    gateway.accept()
    with opened(tmp_path / "other", store=gateway.store_uri("world")) as other:
        publish(other.tables, WORLD, Random(2), "000002")
        other.tables.generations.drop("000001")
    remote.start()
    _eventually(lambda: not ask(remote, user="bob", tmax=PLENTY)["degraded"])
    assert ask(remote, user="bob", tmax=PLENTY)["model"] == "000002"


def test_nothing_was_ever_read(
    gateway: ThriftGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to answer from, for anybody; with the store come the answers."""
    monkeypatch.setattr("webrec.storage.hbase_calls._FIRST_RETRY_TIMEOUT_S", 0)
    with opened(tmp_path, store=gateway.store_uri("world")) as engine:
        publish(engine.tables, WORLD, Random(1))
    gateway.refuse()
    engine = Engine(load(home=tmp_path, store=gateway.store_uri("world")), retry_timeout_s=0.0)
    for user in ("ann", None):
        with pytest.raises(StoreUnavailable, match="nothing was read from the store yet"):
            ask(engine, user=user)
    with pytest.raises(StoreUnavailable, match="Could not connect"):
        engine.refresh()
    with pytest.raises(StoreUnavailable, match="nothing was read from the store yet"):
        ask(engine)
    gateway.accept()
    engine.refresh()
    assert urls(ask(engine, user="new", tmax=PLENTY)) == [B]
    engine.close()


# --- in time -----------------------------------------------------------------------------------


class _Timed(SqliteStore):
    """A store that remembers how long its reads might take, in seconds."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.seconds: list[float | None] = []

    def get(
        self,
        table: str,
        row: bytes,
        columns: Sequence[bytes] | None = None,
        within_s: float | None = None,
    ) -> RowCells:
        """Read."""
        self.seconds.append(within_s)
        return super().get(table, row, columns, within_s)


@pytest.fixture
def timed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Timed]:
    """The engine's store, watched."""
    watched = _Timed(engine.settings.home / "webrec.db")
    monkeypatch.setattr(engine.tables.store, "get", watched.get)
    yield watched
    watched.close()


@pytest.mark.parametrize(("tmax", "most_s"), [(60_000, 48.0), (30_000, 24.0), (None, 48.0)])
def test_reads_have_four_fifths_of_the_time(
    engine: Engine, timed: _Timed, tmax: int | None, most_s: float
) -> None:
    """Of what the request says, or the setting where it says nothing; both of them together."""
    assert not ask(engine, user="ann", tmax=tmax)["degraded"]
    first, second = timed.seconds
    assert first is not None
    assert second is not None
    assert most_s / 2 < second <= first <= most_s


def test_the_time_counts_from_where_the_request_began(engine: Engine, timed: _Timed) -> None:
    """What of it is over when the reads come is no more theirs."""
    request = parse_request({"url": A, "user": "ann", "track": False, "tmax": 50_000}, NOW_MS)
    assert not engine.recommend(request, NOW_MS, time.perf_counter() - 20.0).document["degraded"]
    assert all(seconds is not None and seconds <= 20.0 for seconds in timed.seconds)
    timed.seconds.clear()
    late = engine.recommend(request, NOW_MS, time.perf_counter() - 41.0).document
    assert late["degraded"]
    assert urls(late) == [B]
    assert timed.seconds == []
    assert not ask(engine, user="ann")["degraded"]
