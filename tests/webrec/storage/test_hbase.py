"""HBase keeps the contract, and its own promises when the way to it breaks."""

from __future__ import annotations

import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import NamedTuple

import happybase
import pytest

from hbase_schema.families import Family
from tests.contracts.store import FAMILIES, StoreContract
from tests.support.interruptions import Relay, Wire
from tests.support.thrift_gateway import HOST, MAX_FRAME_BYTES, ThriftGateway
from webrec.errors import NotFound, StoreUnavailable, UsageError, WebrecError
from webrec.storage import Store, Swap, hbase, open_store
from webrec.storage.hbase_pool import HBaseError
from webrec.storage.hbase_uri import Server
from webrec.tables.tables import Tables

REAL = pytest.param("hbase", marks=pytest.mark.slow)
VALUE = b"m:a"
PREFIX = "hbasetest"


class Place(NamedTuple):
    """Where stores are."""

    port: int
    options: str = ""

    def uri(self, prefix: str = PREFIX, port: int = 0) -> str:
        """A store here; of another port, to come here by."""
        return f"hbase://{HOST}:{port or self.port}/{prefix}{self.options}"


@pytest.fixture(
    scope="module", params=["buffered", pytest.param("framed", marks=pytest.mark.slow), REAL]
)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The gateway over both transports, and the real one."""
    if request.param == "hbase":
        yield Place(request.getfixturevalue("cluster").thrift_port)
        return
    with ThriftGateway(framed=request.param == "framed") as gateway:
        yield Place(gateway.port, "?transport=framed" if request.param == "framed" else "")


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """A store without tables."""
    with closing(open_store(place.uri())) as store:
        for table in store.tables():
            store.drop_table(table)
        yield store
        for table in store.tables():
            store.drop_table(table)


@pytest.fixture
def table(store: Store) -> str:
    """An empty table."""
    store.create_table("things", FAMILIES)
    return "things"


@pytest.fixture
def gateway() -> Iterator[ThriftGateway]:
    """A gateway to break, with an empty table."""
    with ThriftGateway() as gateway:
        with closing(open_store(gateway.store_uri(PREFIX))) as store:
            store.create_table("things", FAMILIES)
        yield gateway


@pytest.fixture
def shaky(gateway: ThriftGateway) -> Iterator[Store]:
    """A store on it that has been answered, and gives up soon."""
    with closing(open_store(gateway.store_uri(PREFIX), patience_s=0)) as store:
        store.ping()
        yield store


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The client's side of the connections."""
    return Wire(monkeypatch)


class TestHBaseStore(StoreContract):
    """HBase keeps the contract."""

    scans = 4


# --- where it is --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "server"),
    [
        ("hbase://h:9090/p", Server("h", 9090, "p")),
        ("hbase://h/p", Server("h", 9090, "p", "buffered", "SNAPPY")),
        ("hbase://10.0.0.1:1/web_rec-2", Server("10.0.0.1", 1, "web_rec-2")),
        ("hbase://h/p?transport=framed", Server("h", 9090, "p", "framed")),
        ("hbase://h/p?compression=gz", Server("h", 9090, "p", compression="GZ")),
        (
            "hbase://h:2/p?compression=NONE&transport=buffered",
            Server("h", 2, "p", "buffered", "NONE"),
        ),
    ],
)
def test_a_uri_names_a_server(uri: str, server: Server) -> None:
    """With its options, and without them as HBase is commonly run."""
    assert Server.of(uri) == server
    assert str(server) == f"hbase://{server.host}:{server.port}/{server.prefix}"
    assert server.table("meta") == f"{server.prefix}.meta"


@pytest.mark.parametrize(
    ("uri", "fix"),
    [
        ("hbase://", "use hbase://host:9090/prefix"),
        ("hbase://h:9090", "use hbase://host:9090/prefix"),
        ("hbase://h:9090/", "use hbase://host:9090/prefix"),
        ("hbase:///p", "use hbase://host:9090/prefix"),
        ("hbase://h:0/p", "use hbase://host:9090/prefix"),
        ("hbase://h:port/p", "use hbase://host:9090/prefix"),
        ("hbase://h:70000/p", "use hbase://host:9090/prefix"),
        ("hbase://h/a/b", "letters, digits, _ and -"),
        ("hbase://h/a.b", "letters, digits, _ and -"),
        ("hbase://h/-a", "letters, digits, _ and -"),
        ("hbase://h/p?transport=http", "transport is one of buffered, framed"),
        ("hbase://h/p?transport=", "transport is one of buffered, framed"),
        ("hbase://h/p?compression=zip", "compression is one of SNAPPY, GZ, LZ4, ZSTD, NONE"),
        ("hbase://h/p?tls=1&x=", "tls, x is no option; there are transport and compression"),
    ],
)
def test_a_uri_that_cannot_be_meant(uri: str, fix: str) -> None:
    """It is quoted, with what it should be."""
    with pytest.raises(UsageError) as caught:
        open_store(uri)
    assert repr(uri) in str(caught.value)
    assert fix in str(caught.value)


def test_prefixes_are_apart(place: Place, store: Store, table: str) -> None:
    """Of two that share a server, neither sees nor drops what the other has."""
    with closing(open_store(place.uri(PREFIX + "2"))) as other:
        assert other.tables() == []
        other.create_table(table, FAMILIES)
        other.put_many(table, [(b"r", {VALUE: b"theirs"})])
        store.put_many(table, [(b"r", {VALUE: b"ours"})])
        other.drop_table(table)
    assert store.get(table, b"r") == {VALUE: b"ours"}


# --- tables -------------------------------------------------------------------------------------


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
    """Everybody finds it made, or gone."""
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


NO_FAMILY: dict[str, Callable[[Store, str], object]] = {
    "get": lambda store, table: store.get(table, b"r", [b"x:a"]),
    "get_many": lambda store, table: store.get_many(table, [b"r", b"s"], [b"x:a"]),
    "put_many": lambda store, table: store.put_many(table, [(b"r", {b"x:a": b"1"})]),
    "put_many of two": lambda store, table: store.put_many(
        table, [(b"r", {b"x:a": b"1"}), (b"s", {b"x:a": b"1"})]
    ),
    "scan": lambda store, table: list(store.scan(table, columns=[b"x:a"])),
    "check_and_put": lambda store, table: store.check_and_put(
        table, b"x:a", {b"r": Swap(None, b"1")}
    ),
    "delete_many": lambda store, table: store.delete_many(table, [(b"r", [b"x:a"])]),
}


@pytest.mark.parametrize("call", NO_FAMILY)
def test_a_family_that_the_table_has_not(store: Store, table: str, call: str) -> None:
    """That is a mistake of ours, and nothing that trying again would mend."""
    with pytest.raises(WebrecError, match=r"refuses: .*NoSuchColumnFamily") as caught:
        NO_FAMILY[call](store, table)
    assert type(caught.value) is WebrecError


# --- writes in batches --------------------------------------------------------------------------


def written(store: Store, table: str, rows: dict[bytes, dict[bytes, bytes]]) -> bool:
    """Write rows, and see whether they come back."""
    store.put_many(table, rows.items())
    found: dict[bytes, dict[bytes, bytes]] = dict(store.scan(table))
    return found == rows and store.get_many(table, list(rows)) == list(rows.values())


def test_many_rows_are_cut_by_bytes(store: Store, table: str) -> None:
    """More than a framed server takes at once goes through."""
    value = random.Random(1).randbytes(10_000)
    rows = {b"%04d" % n: {VALUE: b"%d" % n + value} for n in range(800)}
    assert sum(len(row[VALUE]) for row in rows.values()) > 3 * MAX_FRAME_BYTES
    assert written(store, table, rows)


def test_one_row_is_cut_by_bytes(store: Store, table: str) -> None:
    """A row of many large cells, and a cell that is nearly too large by itself."""
    value = random.Random(1).randbytes(500_000)
    row = {b"m:%02d" % n: b"%d" % n + value for n in range(16)}
    row[b"n:large"] = random.Random(2).randbytes(MAX_FRAME_BYTES - 1_000)
    assert written(store, table, {b"r": row})


def test_long_keys_count(store: Store, table: str) -> None:
    """A call is measured with its rows' and columns' names."""
    rows = {b"%05d" % n + b"r" * 2_000: {VALUE + b"c" * 1_000: b""} for n in range(1_000)}
    assert written(store, table, rows)


@pytest.mark.parametrize("in_one_row", [False, True])
def test_writes_are_cut_by_cells(
    gateway: ThriftGateway, monkeypatch: pytest.MonkeyPatch, *, in_one_row: bool
) -> None:
    """As many calls as it takes, and no more."""
    monkeypatch.setattr(hbase, "_BATCH_CELLS", 100)
    names = [b"%04d" % n for n in range(1_001)]
    with closing(open_store(gateway.store_uri(PREFIX))) as store:
        before = gateway.calls
        if in_one_row:
            store.put_many("things", [(b"r", {b"m:" + name: b"x" for name in names})])
            assert len(store.get("things", b"r")) == 1_001
            assert (gateway.calls - before)["mutateRowsTs"] == 11
            store.delete_many("things", [(b"r", [b"m:" + name for name in names[1:]])])
            assert store.get("things", b"r") == {b"m:0000": b"x"}
        else:
            store.put_many("things", ((name, {VALUE: b"x"}) for name in names))
            assert len(list(store.scan("things"))) == 1_001
            assert (gateway.calls - before)["mutateRowsTs"] == 11
            store.delete_many("things", ((name, [VALUE]) for name in names[1:]))
            assert [row for row, _ in store.scan("things")] == [b"0000"]
        assert (gateway.calls - before)["mutateRowsTs"] == 21


def test_rows_are_written_as_they_come(gateway: ThriftGateway, shaky: Store) -> None:
    """Of a stream that ends in an error, the batches before it are there: none waits for all."""

    def stream() -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
        for n in range(40):
            yield b"%02d" % n, {VALUE: b"x" * 100_000}
        raise KeyError

    with pytest.raises(KeyError):
        shaky.put_many("things", stream())
    assert len(list(shaky.scan("things"))) == 30


# --- when writes count --------------------------------------------------------------------------


@pytest.fixture
def by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Store], Store]:
    """A store, from now on with the clock of its own that it has in its process."""
    clocks: dict[int, hbase._Clock] = {}

    def by_(store: Store) -> Store:
        monkeypatch.setattr(hbase, "_clock", clocks.setdefault(id(store), hbase._Clock()))
        return store

    return by_


def test_a_put_right_after_a_deletion_is_there(
    place: Place, store: Store, table: str, by: Callable[[Store], Store]
) -> None:
    """Whether the same process writes it or another."""
    with closing(open_store(place.uri())) as other:
        for turn in range(100):
            row, value = b"r%d" % (turn % 3), b"%d" % turn
            first, second = (store, other) if turn % 2 else (other, store)
            by(first).put_many(table, [(row, {VALUE: b"old", b"n:b": b"old"})])
            columns = None if turn % 5 else [VALUE, b"n:b"]
            by(first).delete_many(table, [(row, columns)])
            writer = second if turn % 4 < 2 else first
            by(writer).put_many(table, [(row, {VALUE: value})])
            assert first.get(table, row) == second.get(table, row) == {VALUE: value}


def test_a_deletion_of_many_batches_is_waited_out(
    place: Place,
    store: Store,
    table: str,
    monkeypatch: pytest.MonkeyPatch,
    by: Callable[[Store], Store],
) -> None:
    """When it returns, whoever writes next has a later time than the last batch."""
    monkeypatch.setattr(hbase, "_BATCH_CELLS", 1)
    rows = [b"%03d" % n for n in range(120)]
    with closing(open_store(place.uri())) as other:
        for _ in range(3):
            by(store).delete_many(table, ((row, [VALUE]) for row in rows))
            by(other).put_many(table, [(rows[-1], {VALUE: b"new"})])
            assert list(other.scan(table)) == [(rows[-1], {VALUE: b"new"})]


def test_a_clock_that_is_set_back(
    store: Store, table: str, monkeypatch: pytest.MonkeyPatch, by: Callable[[Store], Store]
) -> None:
    """By an hour: what is written later counts all the same, and no deletion waits for so long."""
    monkeypatch.setattr(hbase, "_MOST_AHEAD_S", 0.01)
    now_ns = time.time_ns
    by(store).put_many(table, [(b"r", {VALUE: b"before"}), (b"s", {VALUE: b"before"})])
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: now_ns() - 3_600 * 10**9)
        store.put_many(table, [(b"r", {VALUE: b"after"})])
        assert store.get(table, b"r") == {VALUE: b"after"}
        store.delete_many(table, [(b"s", None)])
        assert store.get(table, b"s") == {}
        store.put_many(table, [(b"s", {VALUE: b"after"})])
    assert store.get_many(table, [b"r", b"s"]) == [{VALUE: b"after"}, {VALUE: b"after"}]


def test_many_writes_of_one_cell_in_a_moment(store: Store, table: str) -> None:
    """The last one counts."""
    for turn in range(100):
        store.put_many(table, [(b"r", {VALUE: b"%d" % turn})])
        store.put_many(table, [(b"r", {VALUE: b"last %d" % turn})])
        assert store.get(table, b"r") == {VALUE: b"last %d" % turn}


def test_a_deletion_leaves_what_is_written_later(store: Store, table: str) -> None:
    """And hides all that is older, in every family of the row."""
    store.put_many(table, [(b"r", {VALUE: b"1", b"n:b": b"1"}), (b"s", {VALUE: b"1"})])
    store.delete_many(table, [(b"r", None), (b"s", [VALUE])])
    assert store.get_many(table, [b"r", b"s"]) == [{}, {}]
    assert store.check_and_put(table, VALUE, {b"r": Swap(None, b"2"), b"s": Swap(None, b"2")}) == [
        True,
        True,
    ]
    assert store.get_many(table, [b"r", b"s"]) == [{VALUE: b"2"}, {VALUE: b"2"}]


LATE: dict[str, Callable[[Store], object]] = {
    "put_many": lambda store: store.put_many("things", [(b"r", {VALUE: b"late"})]),
    "delete_many": lambda store: store.delete_many("things", [(b"r", [VALUE])]),
    "check_and_put": lambda store: store.check_and_put(
        "things", VALUE, {b"r": Swap(b"before", b"late")}
    ),
}


@pytest.mark.parametrize("late", LATE)
def test_a_write_that_is_carried_out_late(
    place: Place, store: Store, table: str, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """It never hides a newer one, of whatever process."""
    store.put_many(table, [(b"r", {VALUE: b"before"})])
    with (
        Relay(place.port) as relay,
        closing(open_store(place.uri(port=relay.port), patience_s=0)) as slow,
        closing(open_store(place.uri())) as other,
    ):
        relay.hold()
        with monkeypatch.context() as patch:
            patch.setattr(hbase, "CALL_S", 0.2)
            patch.setattr(hbase, "_FIRST_PATIENCE_S", 0)
            with pytest.raises(StoreUnavailable, match="did not answer within"):
                LATE[late](slow)
        release = relay.go_on()
        for writer in (slow, other):
            writer.put_many(table, [(b"r", {VALUE: b"newer"})])
            release()
            assert slow.get(table, b"r") == other.get(table, b"r") == {VALUE: b"newer"}


def test_writes_while_the_server_hangs(
    gateway: ThriftGateway, shaky: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent to a server that hangs may be carried out later, and hides nothing then."""
    for turn in range(20):
        gateway.hang()
        with monkeypatch.context() as patch:
            patch.setattr(hbase, "CALL_S", 0.01)
            with pytest.raises(StoreUnavailable, match="did not answer"):
                shaky.put_many("things", [(b"r", {VALUE: b"late"})])
        gateway.resume()
        shaky.put_many("things", [(b"r", {VALUE: b"%d" % turn})])
        for _ in range(20):
            assert shaky.get("things", b"r") == {VALUE: b"%d" % turn}


# --- check and put ------------------------------------------------------------------------------


def test_a_check_and_put_whose_answer_got_lost(gateway: ThriftGateway, shaky: Store) -> None:
    """It did what it did, once: its value in the cell says so."""
    gateway.drop_next(applied=True, call="checkAndPut")
    assert shaky.check_and_put("things", VALUE, {b"r": Swap(None, b"mine")}) == [True]
    gateway.drop_next(applied=True, call="checkAndPut")
    assert shaky.check_and_put("things", VALUE, {b"r": Swap(b"mine", b"next")}) == [True]
    gateway.drop_next(applied=False, call="checkAndPut")
    assert shaky.check_and_put("things", VALUE, {b"r": Swap(b"next", b"last")}) == [True]
    assert shaky.get("things", b"r") == {VALUE: b"last"}


@pytest.mark.parametrize("applied", [False, True])
def test_a_check_and_put_that_came_too_late(
    gateway: ThriftGateway, shaky: Store, *, applied: bool
) -> None:
    """With or without its answer, somebody else's value is none of ours."""
    shaky.put_many("things", [(b"r", {VALUE: b"theirs"})])
    gateway.drop_next(applied=applied, call="checkAndPut")
    assert shaky.check_and_put("things", VALUE, {b"r": Swap(None, b"mine")}) == [False]
    assert shaky.get("things", b"r") == {VALUE: b"theirs"}


def test_somebody_else_is_quicker_while_the_answer_is_lost(
    gateway: ThriftGateway, shaky: Store, wire: Wire
) -> None:
    """The call that never arrived is repeated, and then it is too late."""

    def theirs() -> None:
        with closing(open_store(gateway.store_uri(PREFIX))) as other:
            swap = {b"r": Swap(None, b"theirs")}
            assert in_a_thread(lambda: other.check_and_put("things", VALUE, swap)) == [True]
        raise ConnectionResetError

    shaky.ping()
    with wire.before("write", theirs):
        assert shaky.check_and_put("things", VALUE, {b"r": Swap(None, b"mine")}) == [False]
    assert shaky.get("things", b"r") == {VALUE: b"theirs"}


def test_many_check_and_puts_at_once(store: Store, table: str) -> None:
    """Of many who want the same rows, each row goes to one of them."""
    rows = [b"%03d" % n for n in range(150)]

    def want(me: int) -> list[bool]:
        order = random.Random(me).sample(rows, len(rows))
        done = store.check_and_put(table, VALUE, {row: Swap(None, b"%d" % me) for row in order})
        mine = dict(zip(order, done, strict=True))
        return [mine[row] for row in rows]

    with ThreadPoolExecutor(4) as threads:
        won = list(threads.map(want, range(4)))
    assert [sum(of_row) for of_row in zip(*won, strict=True)] == [1] * len(rows)
    found = [int(row[VALUE]) for row in store.get_many(table, rows)]
    assert all(won[winner][n] for n, winner in enumerate(found))


def test_numbers_differ_though_answers_get_lost(
    gateway: ThriftGateway, shaky: Store, wire: Wire
) -> None:
    """A number that another took meanwhile is not ours, though the counter shows it."""
    Tables(shaky).create()
    theirs: list[int] = []

    def take() -> None:
        with closing(open_store(gateway.store_uri(PREFIX))) as other:
            theirs.append(in_a_thread(lambda: Tables(other).meta.next_number(b"numbers")))
        raise ConnectionResetError

    shaky.check_and_put("meta", b"m:value", {b"numbers": Swap(None, b"\0" * 8)})
    with wire.before("write", take, call="checkAndPut"):
        mine = Tables(shaky).meta.next_number(b"numbers")
    assert theirs
    assert mine not in theirs


def in_a_thread(work: Callable[[], object]) -> object:
    """The result of something done by another thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


# --- scans --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 13, 14, 15, 30])
def test_a_scan_in_pages(
    store: Store, table: str, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Every row once and in order, wherever pages and answers end."""
    monkeypatch.setattr(hbase, "_ROWS_PER_PAGE", 7)
    monkeypatch.setattr(hbase, "_ROWS_PER_ANSWER", 3)
    # each key is the one after the key before it: none lies between
    rows = [(b"k" + b"\0" * n, {VALUE: b"%d" % n, b"n:b": b"x"}) for n in range(count)]
    store.put_many(table, rows)
    assert list(store.scan(table)) == rows
    assert list(store.scan(table, b"k\0", b"k" + b"\0" * 12)) == rows[1:12]
    assert list(store.scan(table, b"k\0", columns=[VALUE])) == [
        (row, {VALUE: cells[VALUE]}) for row, cells in rows[1:]
    ]


def test_pages_are_cut_by_bytes(
    gateway: ThriftGateway, shaky: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large a row is; the larger they are, the fewer of them are asked for at once."""
    monkeypatch.setattr(hbase, "_PAGE_BYTES", 100_000)
    monkeypatch.setattr(hbase, "_ANSWER_BYTES", 20_000)
    rows = [(b"%03d" % n, {VALUE: b"x" * 30_000}) for n in range(40)]
    shaky.put_many("things", rows)
    before = gateway.calls
    assert list(shaky.scan("things")) == rows
    calls = gateway.calls - before
    assert calls["scannerOpenWithScan"] == calls["scannerClose"] == 6
    shaky.delete_many("things", ((row, None) for row, _ in rows))
    shaky.put_many("things", ((b"%04d" % n, {VALUE: b"x"}) for n in range(2_000)))
    before = gateway.calls
    assert len(list(shaky.scan("things"))) == 2_000
    calls = gateway.calls - before
    assert calls["scannerOpenWithScan"] <= 3
    assert calls["scannerGetList"] < 50


def test_an_empty_range(store: Store, table: str) -> None:
    """Up to its own start, or to before it, there is nothing."""
    store.put_many(table, [(row, {VALUE: b"x"}) for row in (b"a", b"b", b"c")])
    assert list(store.scan(table, b"b", b"b")) == list(store.scan(table, b"b", b"a")) == []
    assert [row for row, _ in store.scan(table, b"b", b"b\0")] == [b"b"]


def test_a_scan_whose_reader_takes_its_time(
    gateway: ThriftGateway, shaky: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No scanner is open while it does, and rows may change behind and before it."""
    monkeypatch.setattr(hbase, "_ROWS_PER_PAGE", 10)
    monkeypatch.setattr(hbase, "_ROWS_PER_ANSWER", 5)
    shaky.put_many("things", ((b"%02d" % n, {VALUE: b"x"}) for n in range(40)))
    seen = []
    for row, _ in shaky.scan("things"):
        seen.append(row)
        calls = gateway.calls
        assert calls["scannerOpenWithScan"] == calls["scannerClose"]
        if row == b"09":
            shaky.delete_many("things", [(b"10", None), (b"19", None), (b"05", None)])
            shaky.put_many("things", [(b"195", {VALUE: b"x"})])
    assert seen == sorted({b"%02d" % n for n in range(40)} - {b"10", b"19"} | {b"195"})


@pytest.mark.parametrize("call", ["scannerOpenWithScan", "scannerGetList", "scannerClose"])
def test_a_page_that_fails_is_read_again(
    gateway: ThriftGateway, shaky: Store, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """No row is missed or seen twice."""
    monkeypatch.setattr(hbase, "_ROWS_PER_PAGE", 10)
    monkeypatch.setattr(hbase, "_ROWS_PER_ANSWER", 5)
    rows = [b"%02d" % n for n in range(40)]
    shaky.put_many("things", ((row, {VALUE: b"x"}) for row in rows))
    seen = []
    for row, _ in shaky.scan("things"):
        seen.append(row)
        if row in (b"09", b"29"):
            gateway.drop_next(call=call)
    assert seen == rows


# --- when it does not answer --------------------------------------------------------------------

ANY: dict[str, Callable[[Store], object]] = {
    "get": lambda store: store.get("things", b"r"),
    "get_many": lambda store: store.get_many("things", [b"r", b"s"]),
    "put_many": lambda store: store.put_many("things", [(b"r", {VALUE: b"1"})]),
    "check_and_put": lambda store: store.check_and_put("things", VALUE, {b"r": Swap(None, b"1")}),
    "check_and_put of many": lambda store: store.check_and_put(
        "things", VALUE, {b"%d" % n: Swap(None, b"1") for n in range(40)}
    ),
    "delete_many": lambda store: store.delete_many("things", [(b"r", None)]),
    "scan": lambda store: list(store.scan("things")),
    "tables": lambda store: store.tables(),
    "create_table": lambda store: store.create_table("new", FAMILIES),
    "drop_table": lambda store: store.drop_table("things"),
    "ping": lambda store: store.ping(),
}


@pytest.mark.parametrize("call", ANY)
def test_a_server_that_is_gone(gateway: ThriftGateway, shaky: Store, call: str) -> None:
    """Every call says which server, and that it cannot be reached."""
    gateway.refuse()
    with pytest.raises(StoreUnavailable, match=f"{_named(gateway)}.*Could not connect"):
        ANY[call](shaky)
    gateway.accept()
    ANY[call](shaky)


@pytest.mark.parametrize("call", ANY)
def test_a_server_that_hangs(
    gateway: ThriftGateway, shaky: Store, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Every call says which server, and how long it waited."""
    gateway.hang()
    with monkeypatch.context() as patch:
        patch.setattr(hbase, "CALL_S", 0.03)
        said = rf"{_named(gateway)} did not answer within 0\.03 s"
        with pytest.raises(StoreUnavailable, match=said):
            ANY[call](shaky)
    gateway.resume()
    ANY[call](shaky)


@pytest.mark.parametrize("call", ANY)
def test_connections_that_are_cut(gateway: ThriftGateway, shaky: Store, call: str) -> None:
    """Every call says which server, and that it hung up."""
    gateway.drop_next(100)
    with pytest.raises(StoreUnavailable, match=f"{_named(gateway)}: .*read 0 bytes"):
        ANY[call](shaky)


def test_a_server_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What speaks another protocol is no store that answers."""
    monkeypatch.setattr(hbase, "_FIRST_PATIENCE_S", 0)
    with socket.create_server((HOST, 0)) as listener, ThreadPoolExecutor(1) as thread:
        port = listener.getsockname()[1]

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        client.recv(1_000)
                        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread.submit(serve)
        try:
            for options in ("", "?transport=framed"):
                with (
                    closing(open_store(f"hbase://{HOST}:{port}/p{options}")) as store,
                    pytest.raises(StoreUnavailable, match=f"hbase://{HOST}:{port}/p"),
                ):
                    store.tables()
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def test_what_the_server_could_not_do(
    gateway: ThriftGateway, shaky: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that may pass is one of the store's; it is tried again, and told without stack."""
    shaky.delete_many("things", [(b"r", None)])
    happy = happybase.Connection(HOST, gateway.port)
    happy.disable_table(f"{PREFIX}.things")
    before = gateway.calls
    with pytest.raises(StoreUnavailable, match="Backoff time") as caught:
        shaky.put_many("things", [(b"r", {VALUE: b"1"}), (b"s", {VALUE: b"1"})])
    assert str(caught.value).startswith(_named(gateway))
    assert "\n" not in str(caught.value)
    assert (gateway.calls - before)["mutateRowsTs"] == 2
    happy.enable_table(f"{PREFIX}.things")
    happy.close()
    shaky.put_many("things", [(b"r", {VALUE: b"1"}), (b"s", {VALUE: b"1"})])


def _named(gateway: ThriftGateway) -> str:
    return f"hbase://{HOST}:{gateway.port}/{PREFIX}"


# --- trying again -------------------------------------------------------------------------------


def attempts(gateway: ThriftGateway, before: Counter[str]) -> int:
    """How often a row was asked for."""
    return sum((gateway.calls - before).values())


def test_a_call_is_repeated(gateway: ThriftGateway) -> None:
    """Until it is answered."""
    with closing(open_store(gateway.store_uri(PREFIX), patience_s=60)) as store:
        store.put_many("things", [(b"r", {VALUE: b"1"})])
        gateway.drop_next(5)
        before = gateway.calls
        assert store.get("things", b"r") == {VALUE: b"1"}
        assert attempts(gateway, before) == 6


def test_a_call_is_not_repeated_for_ever(gateway: ThriftGateway) -> None:
    """When its time is over it fails; meanwhile it was tried some times, and not all the time."""
    with closing(open_store(gateway.store_uri(PREFIX), patience_s=0.3)) as store:
        gateway.drop_next(1_000)
        before = gateway.calls
        with pytest.raises(StoreUnavailable):
            store.get("things", b"r")
        assert 2 <= attempts(gateway, before) <= 20


def test_a_server_that_never_answered(
    gateway: ThriftGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """May be a wrong address: nobody has to wait long to be told."""
    monkeypatch.setattr(hbase, "_FIRST_PATIENCE_S", 0)
    gateway.refuse()
    with closing(open_store(gateway.store_uri(PREFIX), patience_s=600)) as store:
        with pytest.raises(StoreUnavailable, match="Could not connect"):
            store.get("things", b"r")
        gateway.accept()
        assert store.get("things", b"r") == {}
        gateway.drop_next(3)
        assert store.get("things", b"r") == {}


@pytest.mark.parametrize("call", ["get", "put_many"])
def test_what_would_fail_again_is_not_repeated(gateway: ThriftGateway, call: str) -> None:
    """A table or a family that is not there."""
    with closing(open_store(gateway.store_uri(PREFIX), patience_s=60)) as store:
        before = gateway.calls
        with pytest.raises(WebrecError):
            NO_FAMILY[call](store, "things")
        with pytest.raises(NotFound):
            store.get("nowhere", b"r")
        assert attempts(gateway, before) == 2


def test_a_ping_is_made_once(gateway: ThriftGateway, shaky: Store) -> None:
    """It asks whether the store answers now."""
    gateway.drop_next(1)
    with pytest.raises(StoreUnavailable):
        shaky.ping()
    shaky.ping()


# --- in time ------------------------------------------------------------------------------------


@pytest.fixture
def patient(gateway: ThriftGateway) -> Iterator[Store]:
    """A store that would wait long where nobody says how long it may."""
    with closing(open_store(gateway.store_uri(PREFIX), patience_s=600)) as store:
        yield store


@pytest.mark.parametrize("is_connected", [False, True])
def test_a_read_in_time_that_is_not_answered(
    gateway: ThriftGateway, patient: Store, *, is_connected: bool
) -> None:
    """Is tried once, over a new connection or an old one."""
    if is_connected:
        patient.ping()
    gateway.hang()
    before = gateway.calls
    with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.05 s"):
        patient.get("things", b"r", within_s=0.05)
    gateway.resume()
    patient.ping()
    assert (gateway.calls - before)["getRow"] <= 1


def test_a_read_in_time_over_a_connection_that_died(gateway: ThriftGateway, patient: Store) -> None:
    """Is made once more, over a new one."""
    patient.put_many("things", [(b"r", {VALUE: b"1"})])
    gateway.drop_next()
    before = gateway.calls
    assert patient.get("things", b"r", within_s=60) == {VALUE: b"1"}
    assert attempts(gateway, before) == 2


def test_a_read_in_time_is_not_made_a_third_time(gateway: ThriftGateway, patient: Store) -> None:
    """Nor a second time over a connection that was new."""
    patient.ping()
    before = gateway.calls
    gateway.drop_next(1_000)
    for tried in (2, 3):
        with pytest.raises(StoreUnavailable, match=_named(gateway)):
            patient.get("things", b"r", within_s=60)
        assert attempts(gateway, before) == tried


def test_a_read_without_time(gateway: ThriftGateway, patient: Store) -> None:
    """Is not made at all."""
    patient.ping()
    before = gateway.calls
    with pytest.raises(StoreUnavailable, match="did not answer within 0 s"):
        patient.get("things", b"r", within_s=0.0)
    assert attempts(gateway, before) == 0


def test_a_read_in_time_of_a_server_that_is_gone(gateway: ThriftGateway, patient: Store) -> None:
    """Fails at once."""
    gateway.refuse()
    with pytest.raises(StoreUnavailable, match="Could not connect"):
        patient.get("things", b"r", within_s=60)


def test_a_read_in_time_that_is_answered(gateway: ThriftGateway, patient: Store) -> None:
    """Is like any other; so is its table that is not there."""
    patient.put_many("things", [(b"r", {VALUE: b"1", b"n:b": b"2"})])
    assert patient.get("things", b"r", [VALUE], within_s=60) == {VALUE: b"1"}
    assert patient.get("things", b"s", within_s=60) == {}
    with pytest.raises(NotFound):
        patient.get("nowhere", b"r", within_s=60)


def test_a_check_and_put_in_time(gateway: ThriftGateway, patient: Store) -> None:
    """Is tried once; over a connection that died it is made once more, and did what it did."""
    swaps = [{b"r": Swap(None, b"1")}, {b"r": Swap(b"1", b"2")}, {b"r": Swap(b"2", b"3")}]
    assert patient.check_and_put("things", VALUE, swaps[0], within_s=60) == [True]
    gateway.drop_next(applied=True, call="checkAndPut")
    assert patient.check_and_put("things", VALUE, swaps[1], within_s=60) == [True]
    gateway.drop_next(1_000, call="checkAndPut")
    before = gateway.calls
    for tried in (2, 3):
        with pytest.raises(StoreUnavailable, match=_named(gateway)):
            patient.check_and_put("things", VALUE, swaps[2], within_s=60)
        assert (gateway.calls - before)["checkAndPut"] == tried
    assert patient.get("things", b"r") == {VALUE: b"2"}
    gateway.hang()
    with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.05 s"):
        patient.check_and_put("things", VALUE, swaps[2], within_s=0.05)
    with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.05 s"):
        patient.ping(within_s=0.05)
    gateway.resume()


def test_a_store_can_be_used_after_it_was_closed(gateway: ThriftGateway, patient: Store) -> None:
    """Closing lets go of connections, no more."""
    patient.put_many("things", [(b"r", {VALUE: b"1"})])
    patient.close()
    assert patient.get("things", b"r") == {VALUE: b"1"}


@pytest.mark.parametrize(
    ("said", "is_gone"),
    [
        ("ConnectException: 3 times, servers with issues: null", False),
        ("RetriesExhaustedException: 3 times, servers with issues: null", False),
        (f"{PREFIX}.things: 3 times, servers with issues: null", True),
    ],
)
def test_an_outage_is_no_missing_table(
    shaky: Store, monkeypatch: pytest.MonkeyPatch, said: str, is_gone: bool
) -> None:
    """Calls for many rows name what went wrong in the place where they name a missing table."""

    def refuse(*_: object, **__: object) -> None:
        exhausted = "org.apache.hadoop.hbase.client.RetriesExhaustedWithDetailsException"
        raise HBaseError(message=f"{exhausted}: Failed 3 actions: {said}\n\tat ".encode())

    monkeypatch.setattr(happybase.Table, "rows", refuse)
    with pytest.raises(NotFound if is_gone else StoreUnavailable):
        shaky.get_many("things", [b"a", b"b", b"c"])
