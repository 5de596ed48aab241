"""The reads of requests: in what time they are made, and what happens without them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from hbase_schema import names as t
from hbase_schema import row_keys as keys
from hbase_schema.cells import RecentCell
from tests.support.worlds import publish
from webrec.bench import oracle
from webrec.domain.types import Event
from webrec.errors import NotFound, StoreUnavailable
from webrec.rawlog import Watermark
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.serving.caches import PageTextCache, ProfileCache
from webrec.serving.reads import DeadlineReads, SharedReads
from webrec.storage.base import RowCells
from webrec.storage.sqlite import SqliteStore
from webrec.tables.tables import Tables

A, B, C = (f"https://site.example/{name}" for name in "abc")
ANN, BOB = "u:ann", "u:bob"
USUAL_S = 0.08
SEGMENT = "00000001-of-another-one"
COVERS = Watermark().covers
WORLD = oracle.World(
    category=dict.fromkeys((A, B, C), "c1"),
    community={ANN: "g1", BOB: "g1"},
    profiles={ANN: {A: (3, 0), B: (1, 0)}, BOB: {C: (1, 1)}},
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
def reads(store: Faulty, recorder: Recorder) -> SharedReads:
    """The reads of this process."""
    return SharedReads(Tables(store), recorder, USUAL_S)


def request(reads: SharedReads, seconds: float = 60.0) -> DeadlineReads:
    """The reads of a new request that has so much time."""
    return DeadlineReads(reads, time.perf_counter() + seconds)


def seen(reads: DeadlineReads, visitor: str = ANN) -> list[str]:
    """The URLs of what happened since the generation."""
    return sorted(cell.url for cell in reads.recent(visitor, COVERS).cells.values())


# --- one request ----------------------------------------------------------------------------------


def test_reads_of_a_good_store(store: Faulty, reads: SharedReads) -> None:
    """Both rows are read, each once, and nothing is left out."""
    mine = request(reads)
    profile = mine.profile("000001", ANN)
    assert profile is not None
    assert profile.urls.counts.tolist() == [3, 1]
    assert seen(mine) == [A]
    assert mine.left_out is None
    assert [asked.table for asked in store.asked] == ["g000001.profiles", t.RECENT]
    assert {asked.row for asked in store.asked} == {keys.visitor_key(ANN)}


def test_profiles_stay_in_memory(store: Faulty, reads: SharedReads) -> None:
    """Those of strangers too: of a generation nothing changes."""
    for _ in range(3):
        assert request(reads).profile("000001", ANN) is not None
        assert request(reads).profile("000001", "u:nobody") is None
    assert len(store.asked) == 2


def test_only_the_last_profiles_stay(store: Faulty, reads: SharedReads) -> None:
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


def test_a_page_text_is_read_once_in_a_while(store: Faulty, reads: SharedReads) -> None:
    """Also that none was sent; only the last pages stay, and none when its time is over."""
    reads.page_texts = PageTextCache(700, 60)  # two answers of some 300 bytes
    for url in (A, A, B, A, B, C, A):
        assert request(reads).page_text(url) is None
    assert len(store.asked) == 4
    reads.page_texts = PageTextCache(700, -1)
    for _ in range(3):
        request(reads).page_text(A)
    assert len(store.asked) == 7


def test_what_happened_since_is_read_by_every_request(store: Faulty, reads: SharedReads) -> None:
    """It may have changed."""
    for _ in range(3):
        seen(request(reads))
    assert len(store.asked) == 3


def test_without_the_store_there_is_what_this_process_knows(
    store: Faulty, reads: SharedReads, recorder: Recorder
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


def test_a_profile_that_was_left_out_is_read_later(store: Faulty, reads: SharedReads) -> None:
    """That it could not be read is not remembered."""
    store.away = StoreUnavailable("away")
    assert request(reads).profile("000001", ANN) is None
    store.away = None
    mine = request(reads)
    assert mine.profile("000001", ANN) is not None
    assert mine.left_out is None


def test_what_a_generation_has_absorbed_does_not_count_here_either(
    store: Faulty, reads: SharedReads, recorder: Recorder
) -> None:
    """The same events are left out with the store and without."""
    recorder.record([Event("visit", B, ANN, 0)])
    store.away = StoreUnavailable("away")
    assert request(reads).recent(ANN, lambda _segment: True).cells == {}


def test_reads_have_the_time_that_is_left(store: Faulty, reads: SharedReads) -> None:
    """The later one no more than the one before it."""
    mine = request(reads, 10.0)
    mine.recent(ANN, COVERS)
    mine.profile("000001", ANN)
    first, second = (asked.within_s for asked in store.asked)
    assert first is not None
    assert second is not None
    assert 0 < second < first <= 10.0


def test_a_request_whose_time_is_over_makes_no_read(
    store: Faulty, reads: SharedReads, recorder: Recorder
) -> None:
    """It has what is in memory, and says nothing about the store."""
    recorder.record([Event("visit", B, ANN, 0)])
    for _ in range(10):
        late = request(reads, -0.001)
        assert late.profile("000001", ANN) is None
        assert seen(late) == [B]
        assert late.left_out is not None
    assert store.asked == []
    assert not reads.breaker.is_open


# --- after some failures --------------------------------------------------------------------------


def fail(reads: SharedReads, times: int, seconds: float = 60.0) -> None:
    """Make reads that fail."""
    for _ in range(times):
        mine = request(reads, seconds)
        mine.recent(ANN, COVERS)
        assert mine.left_out is not None


def test_after_three_failures_the_store_is_not_asked(store: Faulty, reads: SharedReads) -> None:
    """By no request, whatever it wants to read."""
    store.away = StoreUnavailable("away")
    fail(reads, 2)
    assert not reads.breaker.is_open
    fail(reads, 1)
    assert reads.breaker.is_open
    assert len(store.asked) == 3
    store.away = None
    fail(reads, 5)
    assert request(reads).profile("000001", ANN) is None
    assert len(store.asked) == 3


def test_failures_count_in_a_row(store: Faulty, reads: SharedReads) -> None:
    """One that succeeds between them starts the count anew."""
    for _ in range(4):
        store.away = StoreUnavailable("away")
        fail(reads, 2)
        store.away = None
        assert seen(request(reads)) == [A]
    assert not reads.breaker.is_open


def test_requests_in_a_hurry_do_not_count(store: Faulty, reads: SharedReads) -> None:
    """A store that does not answer one of them within its few milliseconds may be well."""
    store.away = StoreUnavailable("did not answer within 0.001 s")
    fail(reads, 10, seconds=0.005)
    store.away = None
    assert seen(request(reads)) == [A]


def test_reads_come_back(store: Faulty, reads: SharedReads) -> None:
    """When the read that failed last is made with success; until then nothing changes."""
    store.away = StoreUnavailable("away")
    fail(reads, 3)
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="away"):
            reads.breaker.probe()
        assert reads.breaker.is_open
    store.away = None
    reads.breaker.probe()
    assert not reads.breaker.is_open
    assert store.asked[-1].row == keys.visitor_key(ANN)
    assert store.asked[-1].within_s == USUAL_S
    mine = request(reads)
    assert seen(mine) == [A]
    assert mine.left_out is None


def test_reads_come_back_when_the_table_is_gone(store: Faulty, reads: SharedReads) -> None:
    """The store answers: the generation was dropped while it was away."""
    store.away = StoreUnavailable("away")
    for _ in range(3):
        request(reads).profile("000001", BOB)
    assert reads.breaker.is_open
    store.away = None
    Tables(store).generations.drop("000001")
    reads.breaker.probe()
    assert not reads.breaker.is_open
    with pytest.raises(NotFound):
        request(reads).profile("000001", BOB)


def test_a_store_that_answers_is_not_tried(store: Faulty, reads: SharedReads) -> None:
    """Nobody needs to find out."""
    reads.breaker.probe()
    store.away = StoreUnavailable("away")
    fail(reads, 2)
    reads.breaker.probe()
    assert len(store.asked) == 2


def test_it_fails_again_after_it_came_back(store: Faulty, reads: SharedReads) -> None:
    """It takes three failures each time."""
    for _ in range(3):
        store.away = StoreUnavailable("away")
        fail(reads, 2)
        assert not reads.breaker.is_open
        fail(reads, 1)
        assert reads.breaker.is_open
        store.away = None
        reads.breaker.probe()
