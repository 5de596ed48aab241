"""The load generator: so many connections, each with one request under way, and when each was.

It runs in this process, on bare sockets, with requests made ready beforehand, so that what it
measures is the server. `webrec.bench.responder` shows how fast it can be.
"""

from __future__ import annotations

import gc
import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from webrec.errors import WebrecError

_CONNECT_S = 10.0
_ANSWER_S = 60.0
_READ_BYTES = 1 << 18
_HEAD_END = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3})[ \r]")
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_HANGS_UP = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)


class LoadFailed(WebrecError):
    """A request was not answered, or not in a way that can be measured."""


class Sent(NamedTuple):
    """One request and its answer.

    Attributes:
        index: of the request among those given.
        sent: just before its first byte was sent, in seconds of `time.perf_counter`.
        done: when the last byte of the answer was there.
    """

    index: int  # type: ignore[assignment]  # of tuple.index there is no use here
    sent: float
    done: float
    status: int
    body: bytes


def http_request(path: str, document: bytes) -> bytes:
    """A POST of a JSON document, as the bytes of HTTP/1.1 on a connection that stays."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(document)}\r\n\r\n"
    )
    return head.encode() + document


def send(
    address: tuple[str, int], requests: Sequence[bytes], at_once: int, first: bytes = b""
) -> list[Sent]:
    """Send requests over new connections, on each the next one as soon as it is free.

    The connections are open before the first request is sent. Python's garbage collector rests
    meanwhile.

    Args:
        address: host and port.
        requests: as `http_request` makes them.
        at_once: how many connections.
        first: sent on every connection and answered before anything is measured, so that no
            figure is that of a new connection; nothing if left out.

    Returns:
        What became of each, in the order of the requests.

    Raises:
        LoadFailed: a connection ended or broke, or an answer was no HTTP/1.1 with a length.
    """
    waiting = enumerate(requests)
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        connections = [
            _Connection(stack.enter_context(_connected(address)), selector)
            for _ in range(min(at_once, len(requests)))
        ]
        stack.enter_context(_no_collections())
        try:
            if first:
                for connection in connections:
                    connection.begin(0, first)
                list(_answers(selector, iter(()), len(connections)))
            for connection, (index, request) in zip(connections, waiting, strict=False):
                connection.begin(index, request)
            return sorted(_answers(selector, waiting, len(requests)))
        except OSError as error:
            raise LoadFailed(f"a connection to {address} broke: {error}") from error


def wall_s(sent: Sequence[Sent]) -> float:
    """Seconds from the first byte sent to the last byte received."""
    return max(each.done for each in sent) - min(each.sent for each in sent)


class _Connection:
    """One connection and the request that is under way on it."""

    def __init__(self, sock: socket.socket, selector: selectors.BaseSelector) -> None:
        self._sock = sock
        self._selector = selector
        self._index = 0
        self._sent = 0.0
        self._left = b""
        self._got = b""
        self._size = 0
        selector.register(sock, selectors.EVENT_READ, self)

    def begin(self, index: int, request: bytes) -> None:
        """Send a request, as much of it as the socket takes at once."""
        self._index, self._got, self._size = index, b"", 0
        self._sent = time.perf_counter()
        self._left = request[self._sock.send(request) :]
        if self._left:
            self._selector.modify(self._sock, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def go_on(self, events: int) -> Sent | None:
        """Do what the socket is ready for; the answer, once it is whole."""
        if events & selectors.EVENT_WRITE:
            self._left = self._left[self._sock.send(self._left) :]
            if not self._left:
                self._selector.modify(self._sock, selectors.EVENT_READ, self)
        return self._receive() if events & selectors.EVENT_READ else None

    def _receive(self) -> Sent | None:
        got = self._sock.recv(_READ_BYTES)
        done = time.perf_counter()
        if not got:
            raise LoadFailed(f"the server hung up on request {self._index}: {self._got[:500]!r}")
        self._got += got
        if not self._size:
            self._size = _size_of(self._got)
        if not self._size or len(self._got) < self._size:
            return None
        if len(self._got) > self._size:
            raise LoadFailed(f"more came than the answer to request {self._index}")
        if self._left:
            raise LoadFailed(f"request {self._index} was answered before it was sent")
        body = self._got[self._got.index(_HEAD_END) + len(_HEAD_END) :]
        return Sent(self._index, self._sent, done, int(self._got[9:12]), body)


def _answers(
    selector: selectors.BaseSelector, waiting: Iterator[tuple[int, bytes]], n: int
) -> Iterator[Sent]:
    """The answers as they come, each followed by the next request on its connection."""
    while n:
        ready = selector.select(_ANSWER_S)
        if not ready:
            raise LoadFailed(f"no answer within {_ANSWER_S:.0f} s")
        for key, events in ready:
            sent = key.data.go_on(events)
            if sent is not None:
                n -= 1
                if (following := next(waiting, None)) is not None:
                    key.data.begin(*following)
                yield sent


def _size_of(got: bytes) -> int:
    """The bytes of an answer, head and body, as its head has them; 0 while that is not whole."""
    end = got.find(_HEAD_END)
    if end < 0:
        return 0
    head = got[: end + 2]
    length = _LENGTH.search(head)
    if _STATUS.match(head) is None or length is None:
        raise LoadFailed(f"no HTTP/1.1 answer with a Content-Length: {head[:500]!r}")
    if _HANGS_UP.search(head):
        raise LoadFailed(f"the server does not keep its connections: {got[:1_000]!r}")
    return end + len(_HEAD_END) + int(length[1])


@contextmanager
def _connected(address: tuple[str, int]) -> Iterator[socket.socket]:
    try:
        sock = socket.create_connection(address, timeout=_CONNECT_S)
    except OSError as error:
        raise LoadFailed(f"no server answers on {address}: {error}") from error
    with sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sock


@contextmanager
def _no_collections() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
