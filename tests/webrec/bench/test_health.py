"""Whether a server is up is seen by what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from webrec.bench.health import BASELINE_READY, LIVE, LOOPBACK, READY, free_port, is_healthy


class _Half(BaseHTTPRequestHandler):
    """Lives, and is not ready."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == LIVE.path else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """Where such a server answers."""
    with HTTPServer((LOOPBACK, 0), _Half) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield LOOPBACK, server.server_port
        server.shutdown()
        thread.join()


def test_a_server_is_up_if_it_answers_200(address: tuple[str, int]) -> None:
    """Any other status, and a method that it does not know, is no."""
    assert [is_healthy(address, check) for check in (LIVE, READY, BASELINE_READY)] == [
        True, False, False,
    ]  # fmt: skip


def test_where_nobody_listens_no_server_is_up() -> None:
    """A free port is one of these."""
    assert not is_healthy((LOOPBACK, free_port()), LIVE)
