"""Calls of HBase end in time, are repeated where that helps, and say what was wrong."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import happybase
import pytest

from tests.contracts.store import FAMILIES
from tests.support.thrift_gateway import HOST, ThriftGateway
from tests.webrec.storage.hbase_stores import NO_FAMILY, PREFIX, VALUE, named
from webrec.errors import NotFound, StoreUnavailable, WebrecError
from webrec.storage import Store, Swap, hbase_calls, open_store
from webrec.storage.hbase_driver import HBaseError

# --- when it does not answer ------------------------------------------------------------------


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
    with pytest.raises(StoreUnavailable, match=f"{named(gateway)}.*Could not connect"):
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
        patch.setattr(hbase_calls, "CALL_S", 0.03)
        said = rf"{named(gateway)} did not answer within 0\.03 s"
        with pytest.raises(StoreUnavailable, match=said):
            ANY[call](shaky)
    gateway.resume()
    ANY[call](shaky)


@pytest.mark.parametrize("call", ANY)
def test_connections_that_are_cut(gateway: ThriftGateway, shaky: Store, call: str) -> None:
    """Every call says which server, and that it hung up."""
    gateway.drop_next(100)
    with pytest.raises(StoreUnavailable, match=f"{named(gateway)}: .*read 0 bytes"):
        ANY[call](shaky)


def test_a_server_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What speaks another protocol is no store that answers."""
    monkeypatch.setattr(hbase_calls, "_FIRST_RETRY_TIMEOUT_S", 0)
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
    """An error that may pass is the store's; it is tried again, and reported without stack."""
    shaky.delete_many("things", [(b"r", None)])
    happy = happybase.Connection(HOST, gateway.port)
    happy.disable_table(f"{PREFIX}.things")
    before = gateway.calls
    with pytest.raises(StoreUnavailable, match="Backoff time") as caught:
        shaky.put_many("things", [(b"r", {VALUE: b"1"}), (b"s", {VALUE: b"1"})])
    assert str(caught.value).startswith(named(gateway))
    assert "\n" not in str(caught.value)
    assert (gateway.calls - before)["mutateRowsTs"] == 2
    happy.enable_table(f"{PREFIX}.things")
    happy.close()
    shaky.put_many("things", [(b"r", {VALUE: b"1"}), (b"s", {VALUE: b"1"})])


# --- trying again -----------------------------------------------------------------------------


def attempts(gateway: ThriftGateway, before: Counter[str]) -> int:
    """How often a row was asked for."""
    return sum((gateway.calls - before).values())


def test_a_call_is_repeated(gateway: ThriftGateway) -> None:
    """Until it is answered."""
    with closing(open_store(gateway.store_uri(PREFIX), retry_timeout_s=60)) as store:
        store.put_many("things", [(b"r", {VALUE: b"1"})])
        gateway.drop_next(5)
        before = gateway.calls
        assert store.get("things", b"r") == {VALUE: b"1"}
        assert attempts(gateway, before) == 6


def test_a_call_is_not_repeated_for_ever(gateway: ThriftGateway) -> None:
    """When its time is over it fails; meanwhile it was tried some times, and not all the time."""
    with closing(open_store(gateway.store_uri(PREFIX), retry_timeout_s=0.3)) as store:
        gateway.drop_next(1_000)
        before = gateway.calls
        with pytest.raises(StoreUnavailable):
            store.get("things", b"r")
        assert 2 <= attempts(gateway, before) <= 20


def test_a_server_that_never_answered(
    gateway: ThriftGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """May be a wrong address: the error comes soon."""
    monkeypatch.setattr(hbase_calls, "_FIRST_RETRY_TIMEOUT_S", 0)
    gateway.refuse()
    with closing(open_store(gateway.store_uri(PREFIX), retry_timeout_s=600)) as store:
        with pytest.raises(StoreUnavailable, match="Could not connect"):
            store.get("things", b"r")
        gateway.accept()
        assert store.get("things", b"r") == {}
        gateway.drop_next(3)
        assert store.get("things", b"r") == {}


@pytest.mark.parametrize("call", ["get", "put_many"])
def test_what_would_fail_again_is_not_repeated(gateway: ThriftGateway, call: str) -> None:
    """A table or a family that is not there."""
    with closing(open_store(gateway.store_uri(PREFIX), retry_timeout_s=60)) as store:
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


# --- in time ----------------------------------------------------------------------------------


@pytest.fixture
def persistent(gateway: ThriftGateway) -> Iterator[Store]:
    """A store that would wait long where its caller sets no limit."""
    with closing(open_store(gateway.store_uri(PREFIX), retry_timeout_s=600)) as store:
        yield store


@pytest.mark.parametrize("is_connected", [False, True])
def test_a_read_in_time_that_is_not_answered(
    gateway: ThriftGateway, persistent: Store, *, is_connected: bool
) -> None:
    """Is tried once, over a new connection or an old one."""
    if is_connected:
        persistent.ping()
    gateway.hang()
    before = gateway.calls
    with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.05 s"):
        persistent.get("things", b"r", within_s=0.05)
    gateway.resume()
    persistent.ping()
    assert (gateway.calls - before)["getRow"] <= 1


def test_a_read_in_time_over_a_connection_that_died(
    gateway: ThriftGateway, persistent: Store
) -> None:
    """Is made once more, over a new one."""
    persistent.put_many("things", [(b"r", {VALUE: b"1"})])
    gateway.drop_next()
    before = gateway.calls
    assert persistent.get("things", b"r", within_s=60) == {VALUE: b"1"}
    assert attempts(gateway, before) == 2


def test_a_read_in_time_is_not_made_a_third_time(gateway: ThriftGateway, persistent: Store) -> None:
    """Nor a second time over a connection that was new."""
    persistent.ping()
    before = gateway.calls
    gateway.drop_next(1_000)
    for tried in (2, 3):
        with pytest.raises(StoreUnavailable, match=named(gateway)):
            persistent.get("things", b"r", within_s=60)
        assert attempts(gateway, before) == tried


def test_a_read_without_time(gateway: ThriftGateway, persistent: Store) -> None:
    """Is not made at all."""
    persistent.ping()
    before = gateway.calls
    with pytest.raises(StoreUnavailable, match="did not answer within 0 s"):
        persistent.get("things", b"r", within_s=0.0)
    assert attempts(gateway, before) == 0


def test_a_read_in_time_of_a_server_that_is_gone(gateway: ThriftGateway, persistent: Store) -> None:
    """Fails at once."""
    gateway.refuse()
    with pytest.raises(StoreUnavailable, match="Could not connect"):
        persistent.get("things", b"r", within_s=60)


def test_a_read_in_time_that_is_answered(gateway: ThriftGateway, persistent: Store) -> None:
    """Is like any other; so is its table that is not there."""
    persistent.put_many("things", [(b"r", {VALUE: b"1", b"n:b": b"2"})])
    assert persistent.get("things", b"r", [VALUE], within_s=60) == {VALUE: b"1"}
    assert persistent.get("things", b"s", within_s=60) == {}
    with pytest.raises(NotFound):
        persistent.get("nowhere", b"r", within_s=60)


def test_a_check_and_put_in_time(gateway: ThriftGateway, persistent: Store) -> None:
    """Is tried once; over a connection that died it is made once more, and did what it did."""
    swaps = [{b"r": Swap(None, b"1")}, {b"r": Swap(b"1", b"2")}, {b"r": Swap(b"2", b"3")}]
    assert persistent.check_and_put("things", VALUE, swaps[0], within_s=60) == [True]
    gateway.drop_next(applied=True, call="checkAndPut")
    assert persistent.check_and_put("things", VALUE, swaps[1], within_s=60) == [True]
    gateway.drop_next(1_000, call="checkAndPut")
    before = gateway.calls
    for tried in (2, 3):
        with pytest.raises(StoreUnavailable, match=named(gateway)):
            persistent.check_and_put("things", VALUE, swaps[2], within_s=60)
        assert (gateway.calls - before)["checkAndPut"] == tried
    assert persistent.get("things", b"r") == {VALUE: b"2"}
    gateway.hang()
    with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.05 s"):
        persistent.check_and_put("things", VALUE, swaps[2], within_s=0.05)
    with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.05 s"):
        persistent.ping(within_s=0.05)
    gateway.resume()


def test_a_store_can_be_used_after_it_was_closed(gateway: ThriftGateway, persistent: Store) -> None:
    """Closing lets go of connections, no more."""
    persistent.put_many("things", [(b"r", {VALUE: b"1"})])
    persistent.close()
    assert persistent.get("things", b"r") == {VALUE: b"1"}


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
