"""HBase keeps the contract of a store, and makes its tables as they are meant."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import happybase
import pytest

from hbase_schema.families import Family
from tests.contracts.store import FAMILIES, StoreContract
from tests.support.thrift_gateway import HOST, ThriftGateway
from tests.webrec.storage.hbase_stores import NO_FAMILY, PREFIX, VALUE, Place
from webrec.errors import NotFound, WebrecError
from webrec.storage import Store, Swap, open_store


class TestHBaseStore(StoreContract):
    """HBase keeps the contract."""

    scans = 4


def test_prefixes_are_apart(place: Place, store: Store, table: str) -> None:
    """Of two that share a server, neither sees nor drops what the other has."""
    with closing(open_store(place.uri(PREFIX + "2"))) as other:
        assert other.tables() == []
        other.create_table(table, FAMILIES)
        other.put_many(table, [(b"r", {VALUE: b"theirs"})])
        store.put_many(table, [(b"r", {VALUE: b"ours"})])
        other.drop_table(table)
    assert store.get(table, b"r") == {VALUE: b"ours"}


def described(place: Place, table: str) -> dict[str, dict[str, object]]:
    """What the server says of a table's families."""
    transport = "framed" if place.options else "buffered"
    with closing(happybase.Connection(HOST, place.port, transport=transport)) as connection:
        families = connection.table(f"{PREFIX}.{table}").families()
    return {name.decode(): settings for name, settings in families.items()}


@pytest.mark.parametrize("compression", ["SNAPPY", "GZ", "NONE"])
def test_a_table_is_made_as_it_is_meant(place: Place, store: Store, compression: str) -> None:
    """One version, bloom filter by row, block cache on; the rest as the definition has it."""
    option = f"{'&' if place.options else '?'}compression={compression}"
    with closing(open_store(place.uri() + option)) as made:
        made.create_table("made", (Family("m"), Family("e", in_memory=True, ttl_s=3_600)))
    found = described(place, "made")
    assert set(found) == {"m", "e"}
    for name, in_memory, ttl_s in (("m", False, 2**31 - 1), ("e", True, 3_600)):
        settings = found[name]
        assert settings["max_versions"] == 1
        assert settings["compression"] == compression.encode()
        assert settings["bloom_filter_type"] == b"ROW"
        assert settings["block_cache_enabled"] is True
        assert settings["in_memory"] is in_memory
        assert settings["time_to_live"] == ttl_s


def test_a_table_is_made_and_dropped_by_many_at_once(place: Place, store: Store) -> None:
    """Each finds it made, or gone."""
    with ThreadPoolExecutor(6) as threads:
        for done in (
            threads.map(lambda _: store.create_table("shared", FAMILIES), range(6)),
            threads.map(lambda n: store.put_many("shared", [(b"%d" % n, {VALUE: b"x"})]), range(6)),
        ):
            assert list(done) == [None] * 6
        assert len(list(store.scan("shared"))) == 6
        assert list(threads.map(lambda _: store.drop_table("shared"), range(6))) == [None] * 6
    assert store.tables() == []


@pytest.mark.parametrize("call", ["createTable", "isTableEnabled", "disableTable", "deleteTable"])
@pytest.mark.parametrize("applied", [False, True])
def test_tables_when_answers_get_lost(
    gateway: ThriftGateway, shaky: Store, call: str, *, applied: bool
) -> None:
    """Made and dropped all the same."""
    gateway.drop_next(call=call, applied=applied)
    shaky.create_table("made", FAMILIES)
    shaky.put_many("made", [(b"r", {VALUE: b"1"})])
    assert shaky.tables() == ["made", "things"]
    shaky.drop_table("made")
    assert shaky.tables() == ["things"]


MISSING: dict[str, Callable[[Store], object]] = {
    "get": lambda store: store.get("nowhere", b"r"),
    "get a column": lambda store: store.get("nowhere", b"r", [VALUE]),
    "get in time": lambda store: store.get("nowhere", b"r", within_s=30),
    "get_many of one": lambda store: store.get_many("nowhere", [b"r"]),
    "get_many of three": lambda store: store.get_many("nowhere", [b"1", b"2", b"3"], [VALUE]),
    "put_many of one": lambda store: store.put_many("nowhere", [(b"r", {VALUE: b"1"})]),
    "put_many of three": lambda store: store.put_many(
        "nowhere", [(b"%d" % n, {VALUE: b"1"}) for n in range(3)]
    ),
    "scan": lambda store: list(store.scan("nowhere")),
    "scan a range": lambda store: list(store.scan("nowhere", b"a", b"b", [VALUE])),
    "check_and_put of one": lambda store: store.check_and_put(
        "nowhere", VALUE, {b"r": Swap(None, b"1")}
    ),
    "check_and_put of many": lambda store: store.check_and_put(
        "nowhere", VALUE, {b"%d" % n: Swap(None, b"1") for n in range(40)}
    ),
    "delete_many of a column": lambda store: store.delete_many("nowhere", [(b"r", [VALUE])]),
    "delete_many of columns": lambda store: store.delete_many(
        "nowhere", [(b"%d" % n, [VALUE]) for n in range(3)]
    ),
    "delete_many of a row": lambda store: store.delete_many("nowhere", [(b"r", None)]),
}


@pytest.mark.parametrize("call", MISSING)
def test_a_table_that_is_missing(store: Store, call: str) -> None:
    """Every call says that it is not there."""
    with pytest.raises(NotFound, match="has no such table"):
        MISSING[call](store)


def test_nothing_to_do_in_a_table_that_is_missing(store: Store) -> None:
    """No call is made for no rows."""
    store.put_many("nowhere", [])
    store.delete_many("nowhere", [])
    assert store.get_many("nowhere", []) == store.check_and_put("nowhere", VALUE, {}) == []
    assert list(store.scan("nowhere", b"b", b"a")) == []


@pytest.mark.parametrize("call", NO_FAMILY)
def test_a_family_that_the_table_has_not(store: Store, table: str, call: str) -> None:
    """That is a mistake of ours, and nothing that trying again would mend."""
    with pytest.raises(WebrecError, match=r"refuses: .*NoSuchColumnFamily") as caught:
        NO_FAMILY[call](store, table)
    assert type(caught.value) is WebrecError
