"""The reads of requests: how many there are, in what time, and what happens without them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import pytest

from hbase_schema import names as t
from hbase_schema import row_keys as keys
from hbase_schema.cells import RecentCell
from tests.support.random_worlds import random_request, random_world
from tests.support.thrift_gateway import ThriftGateway
from tests.support.worlds import answer_of, opened, publish, published
from tests.webrec.serving.test_engine import ask, campaign, urls
from webrec.bench import oracle
from webrec.domain.types import Event, Page
from webrec.errors import NotFound, StoreUnavailable
from webrec.rawlog import Watermark
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.serving.engine import Engine
from webrec.serving.reads import ProfileCache, Reads, RequestReads, SaidCache
from webrec.storage.base import RowCells
from webrec.storage.sqlite import SqliteStore
from webrec.tables.rows import Counts, ProfileRow
from webrec.tables.tables import Tables

PAGES = [f"https://site.example/{n:03d}" for n in range(300)]
A, B, C = PAGES[:3]
ANN, BOB = "u:ann", "u:bob"
USUAL_S = 0.08
SEGMENT = "00000001-of-another-one"
COVERS = Watermark().covers
WORLD = oracle.World(
    category=dict.fromkeys(PAGES, "c1"),
    community={ANN: "g1", BOB: "g1", "u:keen": "g1"},
    profiles={
        ANN: {A: (3, 0), B: (1, 0)},
        BOB: {C: (1, 1)},
        "u:alone": {B: (2, 0)},
        "u:keen": dict.fromkeys(PAGES, (1, 0)),
    },
)


class Asked(NamedTuple):
    """A read of one row."""

    table: str
    row: bytes
    within_s: float | None


class Faulty(SqliteStore):
    """A store that can be away, and remembers what it was asked for one by one.

    Attributes:
        away: what it raises meanwhile.
        asked: the reads so far.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.away: Exception | None = None
        self.asked: list[Asked] = []

    def get(
        self,
        table: str,
        row: bytes,
        columns: Sequence[bytes] | None = None,
        within_s: float | None = None,
    ) -> RowCells:
        """Read, or fail."""
        self.asked.append(Asked(table, row, within_s))
        if self.away is not None:
            raise self.away
        return super().get(table, row, columns, within_s)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Faulty]:
    """A store with the tables of a generation, and a visit of Ann that another process wrote."""
    with closing(Faulty(tmp_path / "webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        publish(tables, WORLD, Random(1))
        cell = RecentCell(50, 1, 1, 0, A)
        tables.visitors.put_recent([(ANN, keys.recent_column(SEGMENT, A), cell)])
        store.asked.clear()
        yield store


@pytest.fixture
def recorder(store: Faulty, tmp_path: Path) -> Iterator[Recorder]:
    """The recorder of this process."""
    recorder = Recorder(Tables(store), LocalLog(tmp_path / "log"), 1 << 20)
    yield recorder
    store.away = None
    recorder.close()


@pytest.fixture
def reads(store: Faulty, recorder: Recorder) -> Reads:
    """The reads of this process."""
    return Reads(Tables(store), recorder, USUAL_S)


def request(reads: Reads, seconds: float = 60.0) -> RequestReads:
    """The reads of a new request that has so much time."""
    return RequestReads(reads, time.perf_counter() + seconds)


def seen(reads: RequestReads, visitor: str = ANN) -> list[str]:
    """The URLs of what happened since the generation."""
    return sorted(cell.url for cell in reads.recent(visitor, COVERS).cells.values())


# --- one request ------------------------------------------------------------------------------


def test_reads_of_a_good_store(store: Faulty, reads: Reads) -> None:
    """Both rows are read, each once, and nothing is left out."""
    mine = request(reads)
    profile = mine.profile("000001", ANN)
    assert profile is not None
    assert profile.urls.counts.tolist() == [3, 1]
    assert seen(mine) == [A]
    assert mine.left_out is None
    assert [asked.table for asked in store.asked] == ["g000001.profiles", t.RECENT]
    assert {asked.row for asked in store.asked} == {keys.visitor_key(ANN)}


def test_profiles_stay_in_memory(store: Faulty, reads: Reads) -> None:
    """Those of strangers too: of a generation nothing changes."""
    for _ in range(3):
        assert request(reads).profile("000001", ANN) is not None
        assert request(reads).profile("000001", "u:nobody") is None
    assert len(store.asked) == 2


def test_only_the_last_profiles_stay(store: Faulty, reads: Reads) -> None:
    """However many visitors come; one that was let go of is read again."""
    reads.profiles = ProfileCache(5 * 2_200)
    for n in range(20):
        request(reads).profile("000001", f"u:{n}")
    assert len(reads.profiles) == 5
    store.asked.clear()
    for n in range(15, 20):
        request(reads).profile("000001", f"u:{n}")
    assert store.asked == []
    assert request(reads).profile("000001", ANN) is not None
    assert request(reads).profile("000001", "u:0") is None
    assert len(store.asked) == 2


def test_profiles_stay_by_what_they_take() -> None:
    """A visitor of thousands of pages takes the place of many."""
    numbers = np.arange(10_000, dtype=np.uint32)
    none = Counts(numbers[:0], numbers[:0])
    large = ProfileRow(Counts(numbers, numbers), none, none, none, None)
    profiles = ProfileCache(100_000)
    for n in range(3):
        profiles.put(("000001", f"u:{n}"), large)
    assert len(profiles) == 1
    for n in range(3, 13):
        profiles.put(("000001", f"u:{n}"), None)
    assert profiles.get(("000001", "u:12")) is None
    assert len(profiles) == 10


def test_what_was_said_is_read_once_in_a_while(store: Faulty, reads: Reads) -> None:
    """Also that nothing was; only the last pages stay, and none when its time is over."""
    reads.said = SaidCache(700, 60)  # two answers of some 300 bytes
    for url in (A, A, B, A, B, C, A):
        assert request(reads).said(url) is None
    assert len(store.asked) == 4
    reads.said = SaidCache(700, -1)
    for _ in range(3):
        request(reads).said(A)
    assert len(store.asked) == 7


def test_what_was_said_takes_bounded_memory() -> None:
    """By bytes, not by pages; an answer that is replaced counts once; a huge one is not kept."""
    said = SaidCache(1_000_000, 60)
    pages = [Page(f"https://a.example/{n}", "t" * 2_000, ("k" * 2_000,)) for n in range(1_000)]
    for page in pages:
        for _ in range(3):
            said.put(page.url, page)
    assert 200 < len(said._pages) < 250
    assert said.get(pages[-1].url) == pages[-1]
    said.put(A, Page(A, "x" * 1_000_000))
    with pytest.raises(KeyError):
        said.get(A)
    said.put(B, pages[0])
    assert said.get(B) == pages[0]


def test_what_happened_since_is_read_by_every_request(store: Faulty, reads: Reads) -> None:
    """It may have changed."""
    for _ in range(3):
        seen(request(reads))
    assert len(store.asked) == 3


def test_without_the_store_there_is_what_this_process_knows(
    store: Faulty, reads: Reads, recorder: Recorder
) -> None:
    """The profiles in memory, and the events recorded here; what is missing is left out."""
    request(reads).profile("000001", ANN)
    recorder.record([Event("visit", B, ANN, 0), Event("accept", C, BOB, 0)])
    assert seen(request(reads)) == [A, B]
    store.away = StoreUnavailable("away")
    mine = request(reads)
    assert mine.profile("000001", ANN) is not None
    assert mine.left_out is None
    assert seen(mine) == [B]
    assert mine.left_out is store.away
    other = request(reads)
    assert other.profile("000001", BOB) is None
    assert other.left_out is store.away
    assert seen(other, BOB) == [C]
    assert seen(other, "u:nobody") == []


def test_a_profile_that_was_left_out_is_read_later(store: Faulty, reads: Reads) -> None:
    """That it could not be read is not remembered."""
    store.away = StoreUnavailable("away")
    assert request(reads).profile("000001", ANN) is None
    store.away = None
    mine = request(reads)
    assert mine.profile("000001", ANN) is not None
    assert mine.left_out is None


def test_what_a_generation_has_absorbed_does_not_count_here_either(
    store: Faulty, reads: Reads, recorder: Recorder
) -> None:
    """The same events are left out with the store and without."""
    recorder.record([Event("visit", B, ANN, 0)])
    store.away = StoreUnavailable("away")
    assert request(reads).recent(ANN, lambda _segment: True).cells == {}


def test_reads_have_the_time_that_is_left(store: Faulty, reads: Reads) -> None:
    """The later one no more than the one before it."""
    mine = request(reads, 10.0)
    mine.recent(ANN, COVERS)
    mine.profile("000001", ANN)
    first, second = (asked.within_s for asked in store.asked)
    assert first is not None
    assert second is not None
    assert 0 < second < first <= 10.0


def test_a_request_whose_time_is_over_makes_no_read(
    store: Faulty, reads: Reads, recorder: Recorder
) -> None:
    """It has what is in memory, and says nothing about the store."""
    recorder.record([Event("visit", B, ANN, 0)])
    for _ in range(10):
        late = request(reads, -0.001)
        assert late.profile("000001", ANN) is None
        assert seen(late) == [B]
        assert late.left_out is not None
    assert store.asked == []
    assert not reads.are_off


# --- after some failures ----------------------------------------------------------------------


def fail(reads: Reads, times: int, seconds: float = 60.0) -> None:
    """Make reads that fail."""
    for _ in range(times):
        mine = request(reads, seconds)
        mine.recent(ANN, COVERS)
        assert mine.left_out is not None


def test_after_three_failures_the_store_is_not_asked(store: Faulty, reads: Reads) -> None:
    """By no request, whatever it wants to read."""
    store.away = StoreUnavailable("away")
    fail(reads, 2)
    assert not reads.are_off
    fail(reads, 1)
    assert reads.are_off
    assert len(store.asked) == 3
    store.away = None
    fail(reads, 5)
    assert request(reads).profile("000001", ANN) is None
    assert len(store.asked) == 3


def test_failures_count_in_a_row(store: Faulty, reads: Reads) -> None:
    """One that succeeds between them starts the count anew."""
    for _ in range(4):
        store.away = StoreUnavailable("away")
        fail(reads, 2)
        store.away = None
        assert seen(request(reads)) == [A]
    assert not reads.are_off


def test_requests_in_a_hurry_do_not_count(store: Faulty, reads: Reads) -> None:
    """A store that does not answer one of them within its few milliseconds may be well."""
    store.away = StoreUnavailable("did not answer within 0.001 s")
    fail(reads, 10, seconds=0.005)
    store.away = None
    assert seen(request(reads)) == [A]


def test_reads_come_back(store: Faulty, reads: Reads) -> None:
    """When the read that failed last is made with success; until then nothing changes."""
    store.away = StoreUnavailable("away")
    fail(reads, 3)
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="away"):
            reads.try_again()
        assert reads.are_off
    store.away = None
    reads.try_again()
    assert not reads.are_off
    assert store.asked[-1].row == keys.visitor_key(ANN)
    assert store.asked[-1].within_s == USUAL_S
    mine = request(reads)
    assert seen(mine) == [A]
    assert mine.left_out is None


def test_reads_come_back_when_the_table_is_gone(store: Faulty, reads: Reads) -> None:
    """The store answers: the generation was dropped while it was away."""
    store.away = StoreUnavailable("away")
    for _ in range(3):
        request(reads).profile("000001", BOB)
    assert reads.are_off
    store.away = None
    Tables(store).generations.drop("000001")
    reads.try_again()
    assert not reads.are_off
    with pytest.raises(NotFound):
        request(reads).profile("000001", BOB)


def test_a_store_that_answers_is_not_tried(store: Faulty, reads: Reads) -> None:
    """Nobody needs to find out."""
    reads.try_again()
    store.away = StoreUnavailable("away")
    fail(reads, 2)
    reads.try_again()
    assert len(store.asked) == 2


def test_it_fails_again_after_it_came_back(store: Faulty, reads: Reads) -> None:
    """It takes three failures each time."""
    for _ in range(3):
        store.away = StoreUnavailable("away")
        fail(reads, 2)
        assert not reads.are_off
        fail(reads, 1)
        assert reads.are_off
        store.away = None
        reads.try_again()


# --- how many there are -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gateway() -> Iterator[ThriftGateway]:
    """A server that counts."""
    with ThriftGateway() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def home(gateway: ThriftGateway, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the world is, published on the server, with campaigns for many of its pages."""
    home = tmp_path_factory.mktemp("home")
    with opened(home, store=gateway.store_uri("counted")) as engine:
        engine.recorder.cut(0)
        publish(engine.tables, WORLD, Random(1))
        engine.tables.campaigns.put(
            [campaign("k1", 0.5, *PAGES[:200]), campaign("k2", 0.2, *PAGES[100:])]
        )
    return home


@pytest.fixture
def engine(gateway: ThriftGateway, home: Path) -> Iterator[Engine]:
    """A new process on it."""
    with opened(home, store=gateway.store_uri("counted")) as engine:
        yield engine


@pytest.mark.parametrize("mode", ["related", "sponsored"])
@pytest.mark.parametrize("filter_", ["content", "collaborative"])
@pytest.mark.parametrize("repeat", [False, True])
@pytest.mark.parametrize(
    ("who", "first", "again"),
    [
        ({"user": "ann"}, 2, 1),
        ({"user": "alone"}, 2, 1),
        ({"user": "stranger"}, 2, 1),
        ({"ip": "192.0.2.1"}, 2, 1),
        ({}, 0, 0),
    ],
    ids=["member", "profile alone", "stranger", "address", "anonymous"],
)
def test_calls_of_a_request(
    gateway: ThriftGateway,
    engine: Engine,
    mode: str,
    filter_: str,
    *,
    repeat: bool,
    who: dict[str, str],
    first: int,
    again: int,
) -> None:
    """One for what happened since the generation, one for the profile the first time.

    And one for what was said of a page that the generation does not know. However many candidates
    there are, and however many of them are shown.
    """
    calls = []
    for limit, url in ((100, A), (1, A), (100, B), (10, "https://site.example/unknown")):
        before = gateway.calls
        found = ask(
            engine, url, mode=mode, filter=filter_, repeat=repeat, limit=limit, explain=True, **who
        )
        calls.append(sum((gateway.calls - before).values()))
        assert not found["degraded"]
        assert len(found["items"]) == limit
        assert found["explain"]["size"] > 290
    assert calls == [first, again, again, again + 1]


def test_recording_a_visit_makes_no_call(gateway: ThriftGateway, engine: Engine) -> None:
    """It is in the log, and the store gets it later."""
    ask(engine, user="tracked")
    before = gateway.calls
    for url in PAGES[:20]:
        ask(engine, url, user="tracked", track=True)
    assert sum((gateway.calls - before).values()) == 20


def test_calls_for_a_forgotten_visitor(gateway: ThriftGateway, engine: Engine) -> None:
    """The profile is not even looked at."""
    engine.recorder.forget(BOB)
    before = gateway.calls
    assert ask(engine, A, user="bob", filter="collaborative")["path"][0] == "WebR.Rel.Col"
    assert sum((gateway.calls - before).values()) == 1


def test_a_list_of_urls_is_no_read(gateway: ThriftGateway, engine: Engine) -> None:
    """What a request names to be left out, or which campaigns, is found in memory."""
    ask(engine, user="ann")
    before = gateway.calls
    found = ask(
        engine, mode="sponsored", user="ann", exclude=PAGES[10:110], campaigns=["k1", "k2", "k3"]
    )
    assert urls(found)[0] == C
    assert sum((gateway.calls - before).values()) == 1


def test_answers_are_the_same_over_thrift(gateway: ThriftGateway, tmp_path: Path) -> None:
    """Exactly the oracle's, as with the embedded store."""
    for seed in range(3):
        rng = Random(seed)
        world = random_world(rng)
        store = gateway.store_uri(f"world{seed}")
        with published(world, tmp_path / str(seed), rng, store) as engine:
            for _ in range(60):
                request = random_request(rng, world)
                assert answer_of(engine, request) == oracle.recommend(world, request)
