"""Whatever interrupts a call, no other call reads its answer; and connections that are dead."""

from __future__ import annotations

import multiprocessing
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import NamedTuple
from weakref import ref

import happybase
import pytest
from greenlet import GreenletExit, getcurrent, greenlet

from tests.contracts.store import FAMILIES
from tests.support.interruptions import Wire, eventually
from tests.support.thrift_calls import message
from tests.support.thrift_gateway import HOST, ThriftGateway
from webrec.errors import StoreUnavailable
from webrec.storage import Store, Swap, hbase_driver, hbase_pool, open_store
from webrec.storage.hbase_pool import Broken, Pool
from webrec.storage.hbase_uri import Server

TABLE = "rows"
KEYS = [b"row-%03d" % n for n in range(210)]
LOST = b"row-of-the-interrupted-call"
COLUMN = b"m:key"
THREADS = 8
ENDLESS_NAMES = b"\x0f\x00\x00\x0b\x7f\xff\xff\xff"
"""The beginning of an answer: a list of names, as many as can be."""


class Place(NamedTuple):
    """A server with the table, each of whose rows holds its own key."""

    uri: str
    hang: Callable[[], None]
    resume: Callable[[], None]


@pytest.fixture(
    scope="module",
    params=["buffered", *(pytest.param(p, marks=pytest.mark.slow) for p in ("framed", "hbase"))],
)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The gateway over both transports, and the real one."""
    if request.param == "hbase":
        cluster = request.getfixturevalue("cluster")
        found = Place(
            cluster.store_uri("pool"),
            lambda: cluster.pause("thrift"),
            lambda: cluster.resume("thrift"),
        )
        yield from _filled(found)
    else:
        with ThriftGateway(framed=request.param == "framed") as gateway:
            yield from _filled(Place(gateway.store_uri("pool"), gateway.hang, gateway.resume))


def _filled(place: Place) -> Iterator[Place]:
    with closing(open_store(place.uri)) as store:
        store.drop_table(TABLE)
        fill(store)
        yield place
        store.drop_table(TABLE)


def fill(store: Store) -> None:
    """Make the table, and write each row's key into it."""
    store.create_table(TABLE, FAMILIES)
    store.put_many(TABLE, ((key, {COLUMN: key}) for key in [*KEYS, LOST]))


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """A store with no connection yet that gives up at once."""
    with closing(open_store(place.uri, retry_timeout_s=0)) as store:
        yield store


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The client's side of the connections."""
    return Wire(monkeypatch)


def wrong_rows(store: Store, keys: list[bytes] = KEYS) -> list[tuple[bytes, object]]:
    """Ask for rows one by one; those where another came than was asked for."""
    found = [(key, store.get(TABLE, key)) for key in keys]
    return [(key, row) for key, row in found if row != {COLUMN: key}]


def assert_rows_are_right(store: Store) -> None:
    """Every call gets its own row, one by one and from many threads."""
    assert wrong_rows(store) == []
    with ThreadPoolExecutor(THREADS) as threads:
        asked = [KEYS[n::THREADS] for n in range(THREADS)]
        assert list(threads.map(lambda keys: wrong_rows(store, keys), asked)) == [[]] * THREADS


@contextmanager
def late_answer(place: Place, store: Store) -> Iterator[None]:
    """A call in here is not answered before the calls after it are sent, and those are right."""
    place.hang()
    try:
        yield
        with ThreadPoolExecutor(1) as client:
            asked = client.submit(wrong_rows, store)
            time.sleep(0.05)  # had the first of them not been sent by then, it would be right too
            place.resume()
            assert asked.result() == []
    finally:
        place.resume()
    assert_rows_are_right(store)


# --- the answer of an interrupted call ----------------------------------------------------------


def test_after_a_time_out(place: Place, store: Store) -> None:
    """The answer that comes too late is read by no call."""
    for _ in range(2):
        with (
            late_answer(place, store),
            pytest.raises(StoreUnavailable, match=r"did not answer within 0\.05 s"),
        ):
            store.get(TABLE, LOST, within_s=0.05)


CALLS: dict[str, Callable[[Store], object]] = {
    "get": lambda store: store.get(TABLE, LOST),
    "get_many": lambda store: store.get_many(TABLE, [LOST, *KEYS]),
    "put_many": lambda store: store.put_many(TABLE, [(LOST, {COLUMN: LOST})]),
    "check_and_put": lambda store: store.check_and_put(TABLE, COLUMN, {LOST: Swap(None, b"x")}),
    "scan": lambda store: list(store.scan(TABLE)),
    "tables": lambda store: store.tables(),
}


@pytest.mark.parametrize("call", CALLS)
def test_after_an_exception_before_the_answer(
    place: Place, store: Store, wire: Wire, call: str
) -> None:
    """Raised when the call was sent and nothing of its answer read; it goes on to the caller."""
    with late_answer(place, store), wire.stopped():
        CALLS[call](store)


@pytest.mark.parametrize("after_bytes", [1, 4, 30])
def test_after_an_exception_within_the_answer(store: Store, wire: Wire, after_bytes: int) -> None:
    """The rest of a half-read answer is read by no call."""
    with wire.stopped(after_bytes=after_bytes):
        store.get(TABLE, LOST)
    assert_rows_are_right(store)


def test_after_an_exception_before_the_call(store: Store, wire: Wire) -> None:
    """A call that was only half written is sent with no other."""
    store.ping()
    with wire.stopped("write"):
        store.get(TABLE, LOST)
    assert_rows_are_right(store)


def kill_a_greenlet(store: Store, wire: Wire, after_bytes: int = 0) -> None:
    """Start a call in a greenlet, and kill it while it waits for its answer."""
    hub = getcurrent()
    with wire.before("read", lambda: hub.switch("waits"), after_bytes=after_bytes):
        victim = greenlet(lambda: store.get(TABLE, LOST))
        assert victim.switch() == "waits"
    assert isinstance(victim.throw(GreenletExit), GreenletExit)
    assert victim.dead


def test_after_the_kill_of_a_greenlet(place: Place, store: Store, wire: Wire) -> None:
    """The others on its thread, and other threads, go on."""
    for _ in range(2):
        with late_answer(place, store):
            kill_a_greenlet(store, wire)


def test_after_the_kill_of_a_greenlet_within_the_answer(store: Store, wire: Wire) -> None:
    """The same where a part of it has come."""
    kill_a_greenlet(store, wire, after_bytes=10)
    assert_rows_are_right(store)


def test_a_greenlet_waits_while_others_call(store: Store, wire: Wire) -> None:
    """The connection of a call that is under way is lent to no other."""
    hub = getcurrent()
    with wire.before("read", lambda: hub.switch("waits")):
        waiting = greenlet(lambda: store.get(TABLE, LOST))
        assert waiting.switch() == "waits"
    assert_rows_are_right(store)
    assert waiting.switch() == {COLUMN: LOST}
    assert_rows_are_right(store)


def test_interruptions_among_calls_of_many_threads(store: Store, wire: Wire) -> None:
    """Each thread has some of its calls interrupted, and all others are right."""

    def work(me: int) -> list[tuple[bytes, object]]:
        wrong = []
        for turn, key in enumerate(KEYS):
            if turn % 5 == me % 5:
                with wire.stopped(after_bytes=turn % 3 * 10):
                    store.get(TABLE, LOST)
            wrong += wrong_rows(store, [key])
        return wrong

    with ThreadPoolExecutor(THREADS) as threads:
        assert list(threads.map(work, range(THREADS))) == [[]] * THREADS
    assert_rows_are_right(store)


def test_what_the_drivers_own_pool_does(wire: Wire) -> None:
    """After an interrupted call it gives the next caller the row of the one before."""
    with ThriftGateway() as gateway, closing(open_store(gateway.store_uri("pool"))) as store:
        fill(store)
        theirs = happybase.ConnectionPool(
            1, host=HOST, port=gateway.port, table_prefix="pool", table_prefix_separator="."
        )
        with wire.stopped(), theirs.connection() as connection:
            connection.table(TABLE).row(LOST)
        for asked, found in zip(KEYS, [LOST, *KEYS], strict=False):
            with theirs.connection() as connection:
                assert connection.table(TABLE).row(asked) == {COLUMN: found}
        with theirs.connection() as connection:
            connection.close()


# --- which connections are lent ----------------------------------------------------------------


@pytest.fixture
def gateway() -> Iterator[ThriftGateway]:
    """A gateway to break."""
    with ThriftGateway() as gateway:
        yield gateway


@pytest.fixture
def connections(gateway: ThriftGateway) -> Iterator[Pool]:
    """A pool; its calls are not repeated."""
    with closing(Pool(Server.of(gateway.store_uri("pool")))) as connections:
        yield connections


def lent(connections: Pool) -> hbase_driver.Connection:
    """The connection of a call that was answered."""
    with connections.lend(60) as connection:
        assert connection.tables() == []
    return connection


def test_a_connection_is_used_again(connections: Pool, gateway: ThriftGateway) -> None:
    """After an answer; an error that the server answers is one too."""
    first = lent(connections)
    assert lent(connections) is first
    with pytest.raises(hbase_driver.HBaseError), connections.lend(60) as connection:
        connection.table("nowhere").row(b"r")
    assert lent(connections) is first
    assert gateway.connections == 1


def test_calls_at_once_have_connections_of_their_own(
    connections: Pool, gateway: ThriftGateway
) -> None:
    """As many as there are calls."""
    with ExitStack() as calls:
        different = {id(calls.enter_context(connections.lend(60))) for _ in range(5)}
        assert len(different) == 5
        eventually(lambda: gateway.connections == 5)


def test_only_some_connections_are_kept(
    connections: Pool, gateway: ThriftGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a rush the others are closed."""
    monkeypatch.setattr(hbase_pool, "_MAX_IDLE", 2)
    with ExitStack() as calls:
        for _ in range(5):
            calls.enter_context(connections.lend(60)).tables()
    eventually(lambda: gateway.connections == 2)


def test_a_connection_that_the_server_closed_is_noticed(
    connections: Pool, gateway: ThriftGateway
) -> None:
    """Before a call is sent over it."""
    first = lent(connections)
    gateway.cut()
    eventually(lambda: gateway.connections == 0)
    assert lent(connections) is not first


def test_bytes_that_answer_no_call_are_noticed() -> None:
    """A connection that has some in it is lent no more."""
    answer = message(b"getTableNames", 0, kind=2, body=b"\x0f\x00\x00\x0b\x00\x00\x00\x00\x00")
    with (
        socket.create_server((HOST, 0)) as listener,
        ThreadPoolExecutor(1) as client,
        ExitStack() as accepted,
    ):
        listener.settimeout(60)
        connections = Pool(Server(HOST, listener.getsockname()[1], "pool"))
        for _ in range(3):
            asked = client.submit(lent, connections)
            server, _ = listener.accept()
            accepted.enter_context(server)
            assert b"getTableNames" in server.recv(1_000)
            server.sendall(answer)
            asked.result()
            server.sendall(answer)
        connections.close()


def test_a_connection_that_was_idle_for_long_is_closed(
    connections: Pool, gateway: ThriftGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the server would do so."""
    first = lent(connections)
    monkeypatch.setattr(hbase_driver, "IDLE_S", 0.0)
    assert lent(connections) is not first
    eventually(lambda: gateway.connections == 1)


def test_when_one_connection_broke_no_idle_one_is_used(
    connections: Pool, gateway: ThriftGateway
) -> None:
    """The others may have died with the same server, unnoticed."""
    with ExitStack() as calls:
        before = [calls.enter_context(connections.lend(60)) for _ in range(3)]
        for connection in before:
            connection.tables()
    gateway.drop_next()
    with pytest.raises(Broken) as caught:
        lent(connections)
    assert caught.value.was_idle
    assert lent(connections) not in before
    eventually(lambda: gateway.connections == 1)


def test_a_new_connection_that_breaks_did_not_die_of_age(
    connections: Pool, gateway: ThriftGateway
) -> None:
    """Nor does one that was not answered in time."""
    gateway.drop_next()
    with pytest.raises(Broken) as caught:
        lent(connections)
    assert not caught.value.was_idle
    lent(connections)
    gateway.hang()
    with (
        pytest.raises(Broken, match=r"did not answer within 0\.05 s") as caught,
        connections.lend(0.05) as connection,
    ):
        connection.tables()
    assert not caught.value.was_idle


def test_the_time_is_for_the_whole_answer() -> None:
    """However many reads it comes in: a server that goes on for ever is left in time."""
    with socket.create_server((HOST, 0)) as listener, ThreadPoolExecutor(1) as client:
        listener.settimeout(60)
        connections = Pool(Server(HOST, listener.getsockname()[1], "pool"))

        def ask() -> None:
            with connections.lend(0.3) as connection:
                connection.tables()

        asked = client.submit(ask)
        server, _ = listener.accept()
        with server, suppress(OSError):
            server.recv(1_000)
            server.sendall(message(b"getTableNames", 0, kind=2, body=ENDLESS_NAMES))
            while True:
                server.sendall(struct.pack(">i", 1) + b"x")
                time.sleep(0.01)
        with pytest.raises(Broken, match=r"did not answer within 0\.3 s"):
            asked.result()


# --- forks ------------------------------------------------------------------------------------


def _called(connections: Pool, key: bytes) -> ref[hbase_driver.Connection]:
    """The connection of a call that got its row; nothing here keeps it but the pool."""
    with connections.lend(60) as connection:
        assert connection.table(TABLE).row(key) == {COLUMN: key}
    return ref(connection)


def _keeps_its_connection(connections: Pool, others: Callable[[], None]) -> None:
    """Let a child do something; what was idle here before must be sound after it."""
    mine = _called(connections, KEYS[0])
    assert mine() is not None
    _in_a_fork(others)
    assert _called(connections, KEYS[1])() is mine()


def _in_a_fork(work: Callable[[], None]) -> None:
    child = os.fork()
    if child:
        assert os.waitpid(child, 0) == (child, 0)
        return
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def _child_calls(uri: str) -> None:
    """Child and grandchild have connections of their own."""
    connections = Pool(Server.of(uri))
    used: list[ref[hbase_driver.Connection]] = []

    def call() -> None:
        mine = _called(connections, KEYS[2])
        assert mine() not in [other() for other in used]
        used.append(mine)

    def child() -> None:
        call()
        _keeps_its_connection(connections, call)

    call()
    _keeps_its_connection(connections, child)


def _child_closes(uri: str) -> None:
    """A child that closes the pool hangs up on no other process."""
    connections = Pool(Server.of(uri))
    _keeps_its_connection(connections, connections.close)


def _child_shares(uri: str) -> None:
    """Parent and children ask at the same time over one store."""
    with closing(open_store(uri, retry_timeout_s=0)) as store:
        assert wrong_rows(store) == []
        children = [os.fork() for _ in range(2)]
        wrong = wrong_rows(store)
        if 0 in children:
            os._exit(len(wrong))
        assert [os.waitpid(child, 0) for child in children] == [(child, 0) for child in children]
        assert wrong == wrong_rows(store) == []


@pytest.mark.parametrize("scenario", [_child_calls, _child_closes, _child_shares])
def test_a_fork(gateway: ThriftGateway, scenario: Callable[[str], None]) -> None:
    """A child has connections of its own, and its parent's are as they were."""
    uri = gateway.store_uri("pool")
    with closing(open_store(uri)) as store:
        fill(store)
    # in a process without threads: forking this one would copy locks that its threads hold
    process = multiprocessing.get_context("spawn").Process(target=scenario, args=(uri,))
    process.start()
    process.join()
    assert process.exitcode == 0
