"""Writes to HBase are cut into calls, count when they should, and have one winner."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.support.interruptions import Relay, Wire
from tests.support.thrift_gateway import MAX_FRAME_BYTES, ThriftGateway
from tests.webrec.storage.hbase_stores import PREFIX, VALUE, Place
from webrec.errors import StoreUnavailable
from webrec.storage import Store, Swap, hbase_calls, hbase_writes, open_store
from webrec.tables.tables import Tables

# --- writes in batches ------------------------------------------------------------------------


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
    monkeypatch.setattr(hbase_writes, "_BATCH_CELLS", 100)
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


# --- when writes count ------------------------------------------------------------------------


@pytest.fixture
def by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Store], Store]:
    """A store, from now on with the clock of its own that it has in its process."""
    clocks: dict[int, hbase_writes.Clock] = {}

    def by_(store: Store) -> Store:
        monkeypatch.setattr(
            hbase_writes, "_clock", clocks.setdefault(id(store), hbase_writes.Clock())
        )
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
    """When it returns, the next writer has a later time than the last batch."""
    monkeypatch.setattr(hbase_writes, "_BATCH_CELLS", 1)
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
    monkeypatch.setattr(hbase_writes, "_MOST_AHEAD_S", 0.01)
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
        closing(open_store(place.uri(port=relay.port), retry_timeout_s=0)) as slow,
        closing(open_store(place.uri())) as other,
    ):
        relay.hold()
        with monkeypatch.context() as patch:
            patch.setattr(hbase_calls, "CALL_S", 0.2)
            patch.setattr(hbase_calls, "_FIRST_RETRY_TIMEOUT_S", 0)
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
            patch.setattr(hbase_calls, "CALL_S", 0.01)
            with pytest.raises(StoreUnavailable, match="did not answer"):
                shaky.put_many("things", [(b"r", {VALUE: b"late"})])
        gateway.resume()
        shaky.put_many("things", [(b"r", {VALUE: b"%d" % turn})])
        for _ in range(20):
            assert shaky.get("things", b"r") == {VALUE: b"%d" % turn}


# --- check and put ----------------------------------------------------------------------------


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
    """With or without its answer, another's value is none of ours."""
    shaky.put_many("things", [(b"r", {VALUE: b"theirs"})])
    gateway.drop_next(applied=applied, call="checkAndPut")
    assert shaky.check_and_put("things", VALUE, {b"r": Swap(None, b"mine")}) == [False]
    assert shaky.get("things", b"r") == {VALUE: b"theirs"}


def test_another_is_quicker_while_the_answer_is_lost(
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
            theirs.append(in_a_thread(lambda: Tables(other).meta.next_number(b"numbers")))  # type: ignore[arg-type]
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
