"""Typed reads and writes of each table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from hbase_schema import names as t
from hbase_schema import row_keys as keys
from hbase_schema.cells import PART_BYTES, PageCell, RecentCell, pack_int
from tests.support.interruptions import Wire
from tests.support.thrift_gateway import ThriftGateway
from webrec.domain.types import AdPage, Campaign, Event, Page
from webrec.errors import Conflict, LeaseLost, NotFound
from webrec.rawlog import Record, Watermark
from webrec.storage import open_store
from webrec.storage.base import RowCells
from webrec.storage.sqlite import SqliteStore
from webrec.tables.campaigns import campaign_of
from webrec.tables.generations import Generation
from webrec.tables.rows import CategoryRow, Counts, ProfileRow
from webrec.tables.tables import Tables

A, B = "https://site.example/a", "https://site.example/b"
ANN, BOB = "u:ann", "i:192.0.2.1"
OLD, OPEN, NEW = "00000000-old-one", "00000000-open-other", "00000001-new-one"
FIRST = Watermark({"one": 0, "other": 0})
WITHOUT_OPEN = Watermark({"one": 0, "other": -1}, is_complete=False)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    """The tables of a new store."""
    with closing(open_store(f"sqlite:///{tmp_path}/webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        yield tables


def generation(
    generation_id: str = "000001", cut_us: int = 100, watermark: Watermark = FIRST
) -> Generation:
    """A generation without tables."""
    return Generation(
        generation_id,
        1,
        cut_us,
        watermark,
        2.5,
        ("c1", "c2"),
        ("g1",),
        ("Food", "Sport"),
        {"pages": 2},
        {"silhouette": 0.5},
    )


def campaign(campaign_id: str, shown: str = A) -> Campaign:
    """A campaign with one ad."""
    return Campaign(
        campaign_id,
        (AdPage(shown, Page(A)), AdPage(B, Page(B, "Offer", ("buy", "now"), "Cheap"))),
        0.25,
        name="Summer",
        starts_ms=1_750_000_000_123,
        ends_ms=1_750_000_000_124,
        active=False,
    )


# --- campaigns, labels, versions -------------------------------------------------------------


def test_creating_again_keeps_everything(tables: Tables) -> None:
    """A start finds the tables of the one before."""
    tables.labels.put("c1", "Food")
    tables.create()
    assert tables.labels.all() == {"c1": "Food"}


def test_campaigns_come_back_as_written(tables: Tables) -> None:
    """Every field, spelling and text included, to the millisecond."""
    written = campaign("k1", f"{A}?utm_source=x#here")
    tables.campaigns.put([written])
    assert tables.campaigns.get("k1") == written
    assert tables.campaigns.get("k2") is None


def test_campaigns_are_listed_after_an_id(tables: Tables) -> None:
    """In the order of their ids; a listing goes on after one, be it there or not."""
    tables.campaigns.put([campaign(i) for i in ("b", "a", "b.c", "c")])
    assert [c.id for c in tables.campaigns.all()] == ["a", "b", "b.c", "c"]
    assert [c.id for c in tables.campaigns.all("b")] == ["b.c", "c"]
    assert [c.id for c in tables.campaigns.all("bb")] == ["c"]
    tables.campaigns.delete("b.c")
    assert [c.id for c in tables.campaigns.all()] == ["a", "b", "c"]


def test_every_write_changes_its_version(tables: Tables) -> None:
    """And no other: a reader sees by one row what to read again."""
    tables.generations.put(generation())
    changes: list[tuple[str, Callable[[], None]]] = [
        ("campaigns", lambda: tables.campaigns.put([campaign("k1")])),
        ("campaigns", lambda: tables.campaigns.put([campaign("k1")])),
        ("campaigns", lambda: tables.campaigns.delete("k1")),
        ("labels", lambda: tables.labels.put("c1", "Food")),
        ("active", lambda: tables.generations.activate("000001", None)),
    ]
    for what, change in changes:
        before = tables.meta.versions()._asdict()
        change()
        after = tables.meta.versions()._asdict()
        assert {name for name in after if after[name] != before[name]} == {what}


# --- long campaigns --------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["sqlite", "buffered", "framed"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URI of a store: the embedded one, and a Thrift server over both transports."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store')}/webrec.db"
        return
    with ThriftGateway(framed=request.param == "framed") as gateway:
        yield gateway.store_uri("tables")


@pytest.fixture
def anywhere(place: str) -> Iterator[Tables]:
    """Tables in one of them, without campaigns."""
    with closing(open_store(place)) as store:
        tables = Tables(store)
        tables.create()
        rows = [row for row, _ in store.scan(t.CAMPAIGNS)]
        store.delete_many(t.CAMPAIGNS, [(row, None) for row in rows])
        yield tables


def long_campaign(name: str, ads: int = 10_000) -> Campaign:
    """A campaign of so many ads with long URLs, unlike those of other names."""
    path = name * (500 // len(name))
    shown = [f"https://site.example/{n:05d}/{path}" for n in range(ads)]
    return Campaign("long", tuple(AdPage(url, Page(url)) for url in shown), 0.5, name=name)


def parts(tables: Tables) -> list[bytes]:
    """The cells of the campaign's row, without the document's."""
    row = tables.store.get(t.CAMPAIGNS, b"long")
    assert t.DOCUMENT in row
    return sorted(column for column in row if column != t.DOCUMENT)


def test_a_campaign_longer_than_a_cell(anywhere: Tables) -> None:
    """It comes back as it was written, alone and among others, however long."""
    written = long_campaign("a")
    anywhere.campaigns.put([campaign("k1"), written, campaign("z")])
    assert anywhere.campaigns.get("long") == written
    assert [c.id for c in anywhere.campaigns.all()] == ["k1", "long", "z"]
    row = anywhere.store.get(t.CAMPAIGNS, b"long")
    assert sum(map(len, row.values())) > 5_000_000
    assert max(map(len, row.values())) <= PART_BYTES
    (cell,) = [cell for i, cell in anywhere.campaigns.cells() if i == "long"]
    assert campaign_of(cell) == written


def test_parts_go_with_what_they_are_parts_of(anywhere: Tables) -> None:
    """When it is replaced, by a long one or a short one, and when it is deleted."""
    anywhere.campaigns.put([long_campaign("a", 6_000)])
    old = parts(anywhere)
    assert len(old) >= 3
    anywhere.campaigns.put([long_campaign("b", 6_000)])
    new = parts(anywhere)
    assert len(new) == len(old)
    assert not set(new) & set(old)
    assert anywhere.campaigns.get("long") == long_campaign("b", 6_000)
    anywhere.campaigns.put([long_campaign("c", 1)])
    assert parts(anywhere) == []
    anywhere.campaigns.put([long_campaign("d", 6_000)])
    anywhere.campaigns.delete("long")
    assert parts(anywhere) == []
    assert anywhere.campaigns.get("long") is None
    assert list(anywhere.campaigns.all()) == []
    anywhere.campaigns.put([long_campaign("e", 6_000)])
    assert anywhere.campaigns.get("long") == long_campaign("e", 6_000)


def test_a_campaign_twice_in_one_upload(anywhere: Tables) -> None:
    """The later one counts, and of the other nothing is left."""
    anywhere.campaigns.put([long_campaign("a", 6_000), long_campaign("b", 4_000)])
    assert anywhere.campaigns.get("long") == long_campaign("b", 4_000)
    assert len({part.rpartition(b"/")[0] for part in parts(anywhere)}) == 1


class _Killed(BaseException):
    """The process dies."""


def test_a_writer_that_dies_before_the_document(
    anywhere: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before stays whole, and the next upload is none the worse."""

    def die(*_: object) -> None:
        raise _Killed

    for old in (long_campaign("a", 6_000), campaign("long")):
        anywhere.campaigns.put([old])
        with monkeypatch.context() as patch:
            patch.setattr(anywhere.store, "check_and_put", die)
            with pytest.raises(_Killed):
                anywhere.campaigns.put([long_campaign("b", 5_000)])
        assert anywhere.campaigns.get("long") == old
        assert list(anywhere.campaigns.all()) == [old]
    anywhere.campaigns.put([long_campaign("c", 5_000)])
    assert anywhere.campaigns.get("long") == long_campaign("c", 5_000)


def test_writers_at_once(anywhere: Tables, place: str) -> None:
    """One of theirs is there at the end, whole, and of the others nothing."""
    several = [long_campaign(name, 4_000) for name in "abc"]

    def write(mine: Campaign) -> None:
        with closing(open_store(place)) as store:
            for _ in range(3):
                Tables(store).campaigns.put([mine])

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(write, several)) == [None] * 3
    assert anywhere.campaigns.get("long") in several
    assert len({part.rpartition(b"/")[0] for part in parts(anywhere)}) == 1


def test_readers_see_whole_campaigns(anywhere: Tables, place: str) -> None:
    """One or the other, while it is replaced all the time."""
    several = [long_campaign("a", 3_000), long_campaign("b", 3_000), campaign("long")]
    anywhere.campaigns.put(several[:1])
    is_over = threading.Event()

    def read() -> int:
        seen = 0
        with closing(open_store(place)) as store:
            while not is_over.is_set():
                assert Tables(store).campaigns.get("long") in several
                (found,) = Tables(store).campaigns.all()
                assert found in several
                seen += 1
        return seen

    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(read)
        for turn in range(12):
            anywhere.campaigns.put([several[turn % 3]])
        is_over.set()
        assert reading.result()


def test_another_replaces_it_while_the_answer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has to write again finds the parts that the other took away replaced too."""
    wire = Wire(monkeypatch)
    mine, theirs = long_campaign("a", 4_000), long_campaign("b", 4_000)
    with (
        ThriftGateway() as gateway,
        closing(open_store(gateway.store_uri("tables"))) as store,
        closing(open_store(gateway.store_uri("tables"))) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        Tables(store).create()

        def replace_it() -> None:
            thread.submit(Tables(other).campaigns.put, [theirs]).result()
            assert Tables(store).campaigns.get("long") == theirs
            raise ConnectionResetError

        with wire.before("read", replace_it, call="checkAndPut"):
            Tables(store).campaigns.put([mine])
        assert Tables(store).campaigns.get("long") == mine
        assert len({part.rpartition(b"/")[0] for part in parts(Tables(store))}) == 1


# --- recent and forgotten --------------------------------------------------------------------


def put(tables: Tables, segment: str, url: str = A, first_us: int = 50, visitor: str = ANN) -> None:
    """Write a cell of one visit."""
    cell = RecentCell(first_us, 1, 1, 0, url)
    tables.visitors.put_recent([(visitor, keys.recent_column(segment, url), cell)])


def recent_urls(tables: Tables, watermark: Watermark, visitor: str = ANN) -> list[str]:
    """URLs of the cells that a generation with this watermark has not absorbed."""
    return sorted(c.url for c in tables.visitors.recent(visitor, watermark.covers).cells.values())


def test_recent_is_what_a_generation_has_not_absorbed(tables: Tables) -> None:
    """Segments past the cut, and those still open at it."""
    for segment in (OLD, OPEN, NEW):
        put(tables, segment)
    put(tables, NEW, B)
    put(tables, NEW, B, visitor=BOB)
    assert recent_urls(tables, WITHOUT_OPEN) == [A, A, B]
    assert recent_urls(tables, Watermark({"one": 1, "other": 1})) == []
    assert recent_urls(tables, Watermark(), BOB) == [B]
    assert recent_urls(tables, Watermark(), "u:nobody") == []


def test_a_forgotten_visitor_has_no_recent(tables: Tables) -> None:
    """What was received until then is deleted, and what comes late counts for nothing."""
    put(tables, NEW)
    put(tables, NEW, visitor=BOB)
    tables.visitors.forget(ANN, 100)
    row = tables.store.get(t.RECENT, keys.visitor_key(ANN))
    assert list(row) == [t.FORGOTTEN_AT]
    put(tables, NEW, first_us=100)
    put(tables, NEW, B, first_us=101)
    assert recent_urls(tables, Watermark()) == [B]
    assert recent_urls(tables, Watermark(), BOB) == [A]
    assert tables.visitors.forgotten_us([BOB, ANN, BOB]) == {BOB: 0, ANN: 100}
    assert tables.visitors.forgotten() == {ANN: 100}


class _Meanwhile(SqliteStore):
    """A store in which something happens once, before a read of the table of recent events."""

    happen: Callable[[], None] | None = None

    def get(
        self,
        table: str,
        row: bytes,
        columns: object = None,
        within_s: float | None = None,  # noqa: ARG002
    ) -> RowCells:
        """Read, after what happens."""
        if self.happen is not None and table == t.RECENT:
            happen, self.happen = self.happen, None
            happen()
        return super().get(table, row, columns)  # type: ignore[arg-type]


def test_forgetting_leaves_what_comes_meanwhile(tmp_path: Path) -> None:
    """A visit after the mark is written is not deleted with what was before."""
    with closing(_Meanwhile(tmp_path / "webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        put(tables, NEW, A, first_us=50)
        store.happen = lambda: put(tables, NEW, B, first_us=101)
        tables.visitors.forget(ANN, 100)
        assert recent_urls(tables, Watermark()) == [B]


def test_the_batch_is_done_with_whom_it_knew(tables: Tables) -> None:
    """A visitor forgotten again meanwhile stays listed for the next batch."""
    tables.visitors.forget(ANN, 100)
    tables.visitors.forget(BOB, 100)
    known = tables.visitors.forgotten()
    tables.visitors.forget(ANN, 200)
    tables.visitors.forgotten_done(known)
    assert tables.visitors.forgotten() == {ANN: 200}


def test_cleaning_leaves_what_some_generation_needs(tables: Tables) -> None:
    """Cells that the oldest has absorbed go, and marks from before its cut."""
    for segment in (OLD, OPEN, NEW):
        put(tables, segment)
    tables.visitors.forget("u:gone", 100)
    tables.visitors.forget("u:later", 101)
    assert tables.visitors.clean_recent(generation()) == 3
    assert recent_urls(tables, Watermark()) == [A]
    assert tables.visitors.forgotten_us(["u:gone", "u:later"]) == {"u:gone": 0, "u:later": 101}
    assert tables.visitors.clean_recent(generation()) == 0


def test_marks_stay_while_a_segment_was_open_at_the_cut(tables: Tables) -> None:
    """Its replay may still find what came before."""
    put(tables, OPEN)
    tables.visitors.forget("u:gone", 100)
    assert tables.visitors.clean_recent(generation(watermark=WITHOUT_OPEN)) == 0
    assert tables.visitors.forgotten_us(["u:gone"]) == {"u:gone": 100}


def record(number: int, event_id: str | None, segment: str = NEW) -> Record:
    """A line of the log."""
    return Record(segment, number, 1, Event("visit", A, ANN, 0, event_id))


def test_an_event_id_belongs_to_the_first_position(tables: Tables) -> None:
    """Asking again for the same position is no repeat; another position is, in any call."""
    assert (
        tables.event_ids.claim([])
        == tables.event_ids.claim([record(0, None), record(1, None)])
        == set()
    )
    assert tables.event_ids.claim([record(2, "x"), record(3, "y"), record(4, "x")]) == {
        keys.position(NEW, 4)
    }
    assert tables.event_ids.claim([record(2, "x"), record(3, "y")]) == set()
    assert tables.event_ids.claim([record(5, "y"), record(6, "z"), record(2, "x", OLD)]) == {
        keys.position(NEW, 5),
        keys.position(OLD, 2),
    }


# --- generations -----------------------------------------------------------------------------


def numbers(*values: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """A column."""
    return np.array(values, np.uint32)


def test_a_generation_comes_back_as_written(tables: Tables) -> None:
    """With its watermark and figures; unlisted ones are not there."""
    written = generation(watermark=Watermark({"one": 3}, frozenset({OPEN, OLD}), is_complete=False))
    tables.generations.put(written)
    assert tables.generations.get("000001") == written
    assert tables.generations.all() == [written]
    assert tables.generations.get("000002") is None
    assert tables.generations.active() is None


def test_its_rows_come_back_as_written(tables: Tables) -> None:
    """Pages, categories, communities and profiles, empty families included."""
    tables.generations.create("000001")
    pages = [PageCell(A, 0, 1, 5, 2), PageCell(B, 1, -1, 0, 0)]
    tables.pages.put("000001", pages)
    assert sorted(tables.pages.all("000001")) == pages
    assert tables.pages.by_url("000001", [B, "https://none.example/", A]) == [
        pages[1],
        None,
        pages[0],
    ]
    tables.categories.put("000001", [("c1", CategoryRow(numbers(), ["kw", "ü"], 0.5))])
    category = tables.categories.get("000001", "c1")
    assert category is not None
    assert (category.urls.tolist(), category.keywords, category.value) == ([], ["kw", "ü"], 0.5)
    assert tables.categories.get("000001", "c2") is None

    nothing = Counts(numbers(), numbers())
    row = ProfileRow(
        Counts(numbers(9, 1), numbers(3, 2)),
        nothing,
        Counts(numbers(1), numbers(7)),
        nothing,
        0,
    )
    tables.communities.put("000001", [("g1", row, 12)])
    tables.profiles.put("000001", [(ANN, row), (BOB, row._replace(community=None))])
    community = tables.communities.get("000001", "g1")
    assert community is not None
    assert community[1] == 12
    for found in (community[0], tables.profiles.get("000001", ANN)):
        assert found is not None
        assert [[c.tolist() for c in family] for family in found[:4]] == [
            [[9, 1], [3, 2]],
            [[], []],
            [[1], [7]],
            [[], []],
        ]
        assert found.community == 0
    assert dict(tables.profiles.communities("000001")) == {ANN: 0, BOB: None}
    assert (
        tables.communities.get("000001", "g2") is tables.profiles.get("000001", "u:nobody") is None
    )


def test_the_pointer_moves_from_what_was_expected(tables: Tables) -> None:
    """To a listed generation only, and to one of two who try."""
    for i in ("000001", "000002"):
        tables.generations.put(generation(i))
    with pytest.raises(NotFound, match="models list"):
        tables.generations.activate("000009", None)
    tables.generations.activate("000001", None)
    with pytest.raises(Conflict):
        tables.generations.activate("000002", None)
    active = tables.generations.active()
    assert active is not None
    assert active.id == "000001"
    tables.generations.activate("000002", "000001")
    with pytest.raises(Conflict):
        tables.generations.activate("000001", "000001")


def test_a_dropped_generation_leaves_nothing(tables: Tables) -> None:
    """Neither on the list nor in the store; others stay."""
    for i in ("000001", "000002"):
        tables.generations.create(i)
        tables.generations.put(generation(i))
    tables.generations.create("000003")
    assert tables.generations.with_tables() == {"000001", "000002", "000003"}
    tables.generations.drop("000001")
    tables.generations.drop("000003")
    assert tables.generations.with_tables() == {"000002"}
    assert [g.id for g in tables.generations.all()] == ["000002"]


def test_numbers_are_never_given_twice(tables: Tables) -> None:
    """Each counter on its own, from 1."""
    assert [tables.meta.next_number(t.NEXT_CATEGORY) for _ in range(3)] == [1, 2, 3]
    assert tables.meta.next_number(t.NEXT_GENERATION) == 1


def test_numbers_of_many_threads_differ(anywhere: Tables, place: str) -> None:
    """None is given twice, and none is left out."""
    counter = b"next:of-many"
    anywhere.store.delete_many(t.META, [(counter, None)])

    def take(_: int) -> list[int]:
        with closing(open_store(place)) as store:
            return [Tables(store).meta.next_number(counter) for _ in range(15)]

    with ThreadPoolExecutor(4) as threads:
        taken = [number for numbers in threads.map(take, range(4)) for number in numbers]
    assert sorted(taken) == list(range(1, 61))


def test_a_counter_goes_on_from_where_it_was(tables: Tables) -> None:
    """Whoever wrote it before."""
    tables.store.put_many(t.META, [(b"next:old", {t.VALUE: pack_int(41)})])
    assert [tables.meta.next_number(b"next:old") for _ in range(2)] == [42, 43]


def test_the_lease_changes_hands_by_what_was_read(tables: Tables) -> None:
    """Whoever read an older one is too late."""
    assert tables.meta.lease() is None
    tables.meta.swap_lease(None, b"one")
    with pytest.raises(LeaseLost):
        tables.meta.swap_lease(None, b"two")
    tables.meta.swap_lease(b"one", b"two")
    assert tables.meta.lease() == b"two"
