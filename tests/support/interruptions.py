"""Calls that are interrupted on their way, and bytes that come late."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

import pytest
from thriftpy2.transport import TSocket

from tests.support.thrift_gateway import HOST

Action = Callable[[], None]


class Stopped(BaseException):
    """What ends a call from outside, as Ctrl-C does."""


class _Waiting(NamedTuple):
    which: str
    action: Action
    call: bytes


class Wire:
    """The client's side of every Thrift connection; each thread can have its calls interrupted.

    Args:
        monkeypatch: undoes it after the test.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._mine = threading.local()
        for name in ("read", "write"):
            monkeypatch.setattr(TSocket, name, self._interruptible(name))

    @contextmanager
    def before(
        self, which: str, action: Action, *, after_bytes: int = 0, call: str = ""
    ) -> Iterator[None]:
        """Let something happen once in this thread, before the socket is read or written to.

        A call is written whole before its answer is read.

        Args:
            which: ``read`` or ``write``.
            action: what happens; what it raises is what the socket raises.
            after_bytes: so many bytes of an answer are read before.
            call: only in a call of this name.
        """
        self._mine.waiting = _Waiting(which, action, call.encode())
        self._mine.bytes_before = after_bytes
        self._mine.is_call = not call
        try:
            yield
        finally:
            self._mine.waiting = None

    @contextmanager
    def stopped(self, which: str = "read", *, after_bytes: int = 0) -> Iterator[None]:
        """Let the next call end in `Stopped`."""

        def stop() -> None:
            raise Stopped

        with self.before(which, stop, after_bytes=after_bytes), pytest.raises(Stopped):
            yield

    def _interruptible(self, name: str) -> Callable[[TSocket, Any], object]:
        do = getattr(TSocket, name)

        def interruptible(transport: TSocket, what: Any) -> object:
            mine = self._mine
            waiting: _Waiting | None = getattr(mine, "waiting", None)
            if waiting is None:
                return do(transport, what)
            if name == "write" and waiting.call:
                mine.is_call = waiting.call in what
            if waiting.which != name or not mine.is_call:
                return do(transport, what)
            if mine.bytes_before:
                found = do(transport, min(what, mine.bytes_before))
                mine.bytes_before -= len(found)
                return found
            mine.waiting = None
            waiting.action()
            return do(transport, what)

        return interruptible


class Relay:
    """A context manager: a network that can hold back what clients send.

    What is held back is passed on even when its sender has gone meanwhile.

    Args:
        port: of the server, on the loopback address.

    Attributes:
        port: where clients connect instead.
    """

    def __init__(self, port: int) -> None:
        self._server = port
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_passing = threading.Event()
        self._is_passing.set()
        self._threads: list[threading.Thread] = []
        self._held: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_passing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def hold(self) -> None:
        """Hold back what comes over connections made from now on, until `release`."""
        self._is_passing = threading.Event()

    def go_on(self) -> Action:
        """Let what is new pass again; what is held back stays so.

        Returns:
            Passes on what is held back, and returns when the server is done with it.
        """
        held, self._is_passing = self._is_passing, threading.Event()
        self._is_passing.set()
        late, self._held = self._held, []

        def release() -> None:
            held.set()
            for thread in late:
                thread.join()

        return release

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            is_passing = self._is_passing
            thread = self._start(lambda c=client, p=is_passing: self._serve(c, p))  # type: ignore[misc]
            if not is_passing.is_set():
                self._held.append(thread)

    def _start(self, work: Action) -> threading.Thread:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _serve(self, client: socket.socket, is_passing: threading.Event) -> None:
        with client, socket.create_connection((HOST, self._server)) as server:
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            with suppress(OSError):
                while data := client.recv(1 << 16):
                    is_passing.wait()
                    server.sendall(data)
            # the server reads all of it before the end
            server.shutdown(socket.SHUT_WR)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes; to nobody, where who asked has gone."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            with suppress(OSError):
                sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def eventually(holds: Callable[[], bool]) -> None:
    """Return when it holds; pytest's own limit ends a wait in vain."""
    while not holds():
        time.sleep(0.005)
