"""Campaigns: each a document in one row, in as many cells as it needs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from hbase_schema import names as t
from hbase_schema.cells import PART_BYTES
from tests.support.interruptions import Wire
from tests.support.tables import A, campaign
from tests.support.thrift_gateway import ThriftGateway
from webrec.domain.types import AdPage, Campaign, Page
from webrec.storage import open_store
from webrec.tables.campaigns import campaign_of
from webrec.tables.tables import Tables


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


def test_writers_at_once(anywhere: Tables, store_uri: str) -> None:
    """One of theirs is there at the end, whole, and of the others nothing."""
    several = [long_campaign(name, 4_000) for name in "abc"]

    def write(mine: Campaign) -> None:
        with closing(open_store(store_uri)) as store:
            for _ in range(3):
                Tables(store).campaigns.put([mine])

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(write, several)) == [None] * 3
    assert anywhere.campaigns.get("long") in several
    assert len({part.rpartition(b"/")[0] for part in parts(anywhere)}) == 1


def test_readers_see_whole_campaigns(anywhere: Tables, store_uri: str) -> None:
    """One or the other, while it is replaced all the time."""
    several = [long_campaign("a", 3_000), long_campaign("b", 3_000), campaign("long")]
    anywhere.campaigns.put(several[:1])
    is_over = threading.Event()

    def read() -> int:
        seen = 0
        with closing(open_store(store_uri)) as store:
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
    """A writer that has to write again writes the parts again, too: the other took them away."""
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
