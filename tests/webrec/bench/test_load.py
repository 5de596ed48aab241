"""The load generator against servers that a test scripts."""

from __future__ import annotations

import gc
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise

import pytest

from webrec.bench.load import LoadFailed, http_request, send, wall_s
from webrec.bench.responder import responder

DEADLINE_S = 30.0
PATH = "/v1/recommendations"

Answering = Callable[[socket.socket, bytes], None]
"""Answers one request, given its body, on its connection."""


def answer(body: bytes, head: bytes = b"") -> bytes:
    """An answer as the service gives it."""
    return (
        b"HTTP/1.1 200 OK\r\nServer: x\r\n%scontent-length: %d\r\n\r\n" % (head, len(body)) + body
    )


def echo(connection: socket.socket, body: bytes) -> None:
    """Answer with what came."""
    connection.sendall(answer(body))


class Server:
    """A server with a thread for each connection.

    Attributes:
        accepted: connections so far.
    """

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.address: tuple[str, int] = self._listener.getsockname()
        self.accepted = 0

    def run(self, threads: ThreadPoolExecutor) -> None:
        """Accept until closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._open.append(connection)
            threads.submit(self._serve, connection)

    def close(self) -> None:
        """Hang up on every client."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while stream.readline():
                    length = 0
                    while (line := stream.readline()) != b"\r\n":
                        if line.startswith(b"Content-Length:"):
                            length = int(line.partition(b":")[2])
                    self._answering(connection, stream.read(length))
            except OSError:
                return


@contextmanager
def serving(answering: Answering) -> Iterator[Server]:
    """A server that answers so, until the end."""
    server = Server(answering)
    with ThreadPoolExecutor(40) as threads:
        threads.submit(server.run, threads)
        try:
            yield server
        finally:
            server.close()


def requests(n: int) -> list[bytes]:
    """So many, each with another body."""
    return [http_request(PATH, b"%d" % number) for number in range(n)]


@pytest.mark.parametrize("at_once", [1, 7])
def test_every_request_is_sent_once_and_comes_back_in_order(at_once: int) -> None:
    """Whatever connection it went over, an answer stands at the place of its request."""
    with serving(echo) as server:
        sent = send(server.address, requests(50), at_once)
        assert server.accepted == at_once  # the connections are kept
    assert [each.index for each in sent] == list(range(50))
    assert [each.body for each in sent] == [b"%d" % number for number in range(50)]
    assert {each.status for each in sent} == {200}
    assert all(each.sent < each.done for each in sent)
    assert wall_s(sent) > 0


def test_as_many_as_asked_for_are_under_way_at_once() -> None:
    """A server that answers no request before all have come, answers every one."""
    all_here = threading.Barrier(5, timeout=DEADLINE_S)

    def together(connection: socket.socket, body: bytes) -> None:
        all_here.wait()
        echo(connection, body)

    with serving(together) as server:
        assert len(send(server.address, requests(25), 5)) == 25


def test_one_at_a_time() -> None:
    """The next request is sent when the one before was answered."""
    with serving(echo) as server:
        sent = send(server.address, requests(20), 1)
    assert all(one.done <= two.sent for one, two in pairwise(sent))


def test_an_answer_in_many_pieces() -> None:
    """However an answer is cut on its way, it is whole before it counts."""

    def byte_by_byte(connection: socket.socket, body: bytes) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in answer(body * 20):
            connection.send(bytes([byte]))

    with serving(byte_by_byte) as server:
        sent = send(server.address, requests(9), 3)
    assert [each.body for each in sent] == [b"%d" % number * 20 for number in range(9)]


def test_a_request_that_no_socket_takes_at_once() -> None:
    """What did not fit is sent when there is room."""
    bodies = [bytes([65 + number]) * 20_000_000 for number in range(2)]

    def size(connection: socket.socket, body: bytes) -> None:
        connection.sendall(answer(b"%d %s" % (len(body), body[-1:])))

    with serving(size) as server:
        sent = send(server.address, [http_request(PATH, body) for body in bodies], 2)
    assert [each.body for each in sent] == [b"20000000 A", b"20000000 B"]


def test_the_status_is_the_servers() -> None:
    """What is no 200 is handed on as it is."""

    def refuse(connection: socket.socket, body: bytes) -> None:
        connection.sendall(answer(body).replace(b"200 OK", b"503 Service Unavailable"))

    with serving(refuse) as server:
        (sent,) = send(server.address, requests(1), 1)
    assert (sent.status, sent.body) == (503, b"0")


def _hang_up(connection: socket.socket, body: bytes) -> None:
    connection.sendall(answer(body + b"more")[:-2])
    connection.shutdown(socket.SHUT_RDWR)


def _reset(connection: socket.socket, body: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise OSError


@pytest.mark.parametrize(
    ("answering", "said"),
    [
        (_hang_up, "hung up on request 0"),
        (_reset, "broke"),
        (lambda c, b: c.sendall(answer(b, b"Connection: close\r\n")), "does not keep"),
        (lambda c, b: c.sendall(answer(b) + b"x"), "more came"),
        (lambda c, _: c.sendall(b"HTTP/1.1 200 OK\r\n\r\n"), "no HTTP/1.1 answer"),
        (lambda c, _: c.sendall(b"220 smtp.example\r\n\r\n"), "no HTTP/1.1 answer"),
    ],
)
def test_an_answer_that_cannot_be_measured(answering: Answering, said: str) -> None:
    """Whatever is not one whole answer on a connection that stays, ends the measurement."""
    with serving(answering) as server, pytest.raises(LoadFailed, match=said):
        send(server.address, requests(3), 1)


def test_nobody_there() -> None:
    """An address without a server is named."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(LoadFailed, match="no server answers"):
        send(address, requests(1), 1)


def test_the_garbage_collector_rests_only_meanwhile() -> None:
    """It is off while requests are under way and on again after them, failed ones included."""
    was_on: list[bool] = []

    def look(connection: socket.socket, body: bytes) -> None:
        was_on.append(gc.isenabled())
        connection.sendall(answer(body) if body == b"0" else b"nonsense\r\n\r\n")

    with serving(look) as server, pytest.raises(LoadFailed):
        send(server.address, requests(2), 1)
    assert was_on == [False, False]
    assert gc.isenabled()


def test_the_bare_responder_answers_everything() -> None:
    """So many bytes for each request, on as many connections as are asked for."""
    with responder(1_234) as address:
        sent = send(address, requests(100), 4)
    assert [len(each.body) for each in sent] == [1_234] * 100
