"""A bare responder: whatever comes is answered with the same bytes. The load generator's measure.

`python -m webrec.bench.responder BYTES` prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_READ_BYTES = 1 << 20


@contextmanager
def responder(body_bytes: int) -> Iterator[tuple[str, int]]:
    """A responder in a process of its own.

    Args:
        body_bytes: the size of every answer's body.

    Yields:
        Its address, host and port.
    """
    command = [sys.executable, "-m", __name__, str(body_bytes)]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            yield "127.0.0.1", int(process.stdout.readline())
        finally:
            process.terminate()


def respond(body_bytes: int) -> None:
    """Answer until standard input ends: each read from a connection is taken for one request."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % body_bytes + b"x" * body_bytes
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        selector = selectors.DefaultSelector()
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is sys.stdin:
                    return
                if key.fileobj is listener:
                    selector.register(listener.accept()[0], selectors.EVENT_READ)
                else:
                    _respond_to(key.fileobj, selector, answer)


def _respond_to(sock: object, selector: selectors.BaseSelector, answer: bytes) -> None:
    assert isinstance(sock, socket.socket)  # noqa: S101 - nothing else is left
    try:
        if sock.recv(_READ_BYTES):
            sock.sendall(answer)
            return
    except ConnectionError:
        pass
    selector.unregister(sock)
    sock.close()


if __name__ == "__main__":
    respond(int(sys.argv[1]))
