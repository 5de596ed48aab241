"""The gateway of the tests breaks as it is told to, and counts."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import happybase  # noqa: F401  # loads the protocol as the module Hbase_thrift
import pytest
from Hbase_thrift import ColumnDescriptor
from thriftpy2.transport import TTransportException

from tests.support.thrift_calls import (
    TABLE,
    Server,
    in_threads,
    internal_error,
    message,
    puts,
    talk,
    text,
)
from tests.support.thrift_gateway import MAX_FRAME_BYTES, ThriftGateway

T = TypeVar("T")


@pytest.fixture
def gateway() -> Iterator[ThriftGateway]:
    """A gateway of its own with the table, to break."""
    with ThriftGateway() as gateway:
        server = Server(gateway.port)
        server.client.createTable(TABLE, [ColumnDescriptor(name=b"m:")])
        server.close()
        yield gateway


class TestFrames:
    """The framed transport."""

    def test_a_frame_has_at_most_two_mebibytes(self) -> None:
        """A larger one ends the connection; answers may be larger."""
        with ThriftGateway(framed=True) as gateway:
            server = Server(gateway.port, transport="framed")
            server.client.createTable(TABLE, [ColumnDescriptor(name=b"m:")])
            room = MAX_FRAME_BYTES - len(_put_call(0))
            done = message(b"mutateRow", 1, kind=2, body=b"\x00")
            assert talk(gateway.port, framed(_put_call(room))) == framed(done)
            assert talk(gateway.port, framed(_put_call(room + 1))) == b""
            assert len(server.row(b"r")[b"m:a"]) == room
            assert len(server.client.getRows(TABLE, [b"r", b"r"], {})) == 2
            server.close()


class TestFaults:
    """What the gateway does when it is told to misbehave."""

    def test_a_delayed_answer_comes_after_the_work(self, gateway: ThriftGateway) -> None:
        """The caller gives up, the call has been carried out."""
        server = Server(gateway.port, timeout_s=0.05)
        gateway.delay(60.0)
        with pytest.raises(TimeoutError):
            server.put(b"r", {b"m:a": b"1"}, 10)
        server.close()
        gateway.delay(0.0)
        wait_for(lambda: fresh(gateway, lambda other: other.row(b"r")) == {b"m:a": b"1"})

    @pytest.mark.parametrize("applied", [False, True])
    def test_dropped_calls_are_carried_out_or_not(
        self, gateway: ThriftGateway, *, applied: bool
    ) -> None:
        """As many as asked for lose their connections, the next is answered."""
        gateway.drop_next(2, applied=applied)
        for _ in range(2):
            server = Server(gateway.port)
            with pytest.raises(TTransportException):
                server.client.atomicIncrement(TABLE, b"r", b"m:n", 1)
            server.close()
        counted = fresh(gateway, lambda o: o.client.atomicIncrement(TABLE, b"r", b"m:n", 0))
        assert counted == (2 if applied else 0)

    def test_calls_of_one_name_are_dropped(self, gateway: ThriftGateway) -> None:
        """Others before it are answered."""
        gateway.drop_next(call="getRow")
        server = Server(gateway.port)
        assert server.client.isTableEnabled(TABLE)
        with pytest.raises(TTransportException):
            server.client.getRow(TABLE, b"r", {})
        server.close()
        assert fresh(gateway, lambda other: other.client.getRow(TABLE, b"r", {})) == []

    def test_a_refusing_gateway_is_gone_and_comes_back(self, gateway: ThriftGateway) -> None:
        """No connection survives, none is taken; port and rows stay."""
        server = Server(gateway.port)
        server.put(b"r", {b"m:a": b"1"}, 10)
        for _ in range(3):
            gateway.refuse()
            gateway.refuse()
            with pytest.raises(TTransportException, match="Could not connect"):
                Server(gateway.port)
            with pytest.raises((TTransportException, OSError)):
                server.row(b"r")
            gateway.accept()
            gateway.accept()
            server.close()
            server = Server(gateway.port)
            assert server.row(b"r") == {b"m:a": b"1"}
        server.close()

    def test_a_hanging_gateway_takes_calls_and_answers_none(self, gateway: ThriftGateway) -> None:
        """They are carried out when it goes on, as after a pause of the real one."""
        gateway.hang()
        server = Server(gateway.port, timeout_s=0.05)
        with pytest.raises(TimeoutError):
            server.put(b"r", {b"m:a": b"1"}, 10)
        server.close()
        waiting: list[dict[bytes, bytes]] = []
        thread = threading.Thread(
            target=lambda: waiting.append(fresh(gateway, lambda other: other.row(b"other")))
        )
        thread.start()
        wait_for(lambda: gateway.calls["getRowWithColumns"] == 1)
        assert waiting == []
        gateway.resume()
        thread.join()
        assert waiting == [{}]
        wait_for(lambda: fresh(gateway, lambda other: other.row(b"r")) == {b"m:a": b"1"})

    def test_calls_are_counted_by_name(self, gateway: ThriftGateway) -> None:
        """From all connections, those too that are not answered."""
        before = gateway.calls

        def work() -> None:
            for _ in range(50):
                fresh(gateway, lambda other: other.row(b"r"))

        in_threads(4, work)
        gateway.drop_next()
        server = Server(gateway.port)
        with pytest.raises(TTransportException):
            server.client.getTableNames()
        server.close()
        assert gateway.calls - before == {"getRowWithColumns": 200, "getTableNames": 1}

    def test_connections_are_counted_and_cut(self, gateway: ThriftGateway) -> None:
        """A cut connection is found dead, a new one is taken."""
        wait_for(lambda: gateway.connections == 0)
        servers = [Server(gateway.port) for _ in range(3)]
        for server in servers:
            server.row(b"r")
        assert gateway.connections == 3
        gateway.cut()
        wait_for(lambda: gateway.connections == 0)
        for server in servers:
            with pytest.raises((TTransportException, OSError)):
                server.row(b"r")
            server.close()
        assert fresh(gateway, lambda other: other.row(b"r")) == {}

    def test_what_it_cannot_do_is_told(self) -> None:
        """A call it does not know fails the test that made it, when the gateway ends."""
        gateway = ThriftGateway()
        with pytest.raises(AssertionError, match="could not do"), gateway:
            assert "compact" in fresh(gateway, lambda o: internal_error(o.client.compact, TABLE))

    def test_it_ends_whatever_state_it_is_in(self) -> None:
        """Hanging, delayed, refusing, or with connections still open."""
        before = threading.active_count()
        for fault in (ThriftGateway.hang, ThriftGateway.refuse, lambda g: g.delay(60.0)):
            with ThriftGateway() as gateway:
                servers = [Server(gateway.port, timeout_s=0.05) for _ in range(2)]
                fault(gateway)
                with pytest.raises((TimeoutError, TTransportException, OSError)):
                    servers[0].client.getTableNames()
            for server in servers:
                server.close()
        assert threading.active_count() == before

    def test_the_clock_can_be_given(self) -> None:
        """Cells outlive their time when the test says so."""
        now_ms = 1_000_000
        with ThriftGateway(now_ms=lambda: now_ms) as gateway:
            server = Server(gateway.port)
            server.client.createTable(TABLE, [ColumnDescriptor(name=b"m:", timeToLive=5)])
            server.client.mutateRow(TABLE, b"r", puts({b"m:a": b"1"}), {})
            now_ms += 5_000
            assert server.row(b"r") == {b"m:a": b"1"}
            now_ms += 1
            assert server.row(b"r") == {}
            server.close()


def fresh(gateway: ThriftGateway, work: Callable[[Server], T]) -> T:
    """Do something over a connection of its own."""
    server = Server(gateway.port)
    try:
        return work(server)
    finally:
        server.close()


def wait_for(holds: Callable[[], bool]) -> None:
    """Return when it holds; pytest's own limit ends a wait in vain."""
    while not holds():
        time.sleep(0.005)


def framed(data: bytes) -> bytes:
    """A frame with its size before it."""
    return struct.pack(">i", len(data)) + data


def _put_call(size: int) -> bytes:
    """The message that puts a value of this many bytes."""
    mutation = text(2, b"m:a") + text(3, b"x" * size) + b"\x00"
    mutations = struct.pack(">bhbi", 15, 3, 12, 1) + mutation
    return message(b"mutateRow", 1, body=text(1, TABLE) + text(2, b"r") + mutations + b"\x00")
