"""Bodies that are too long or too short, as only a real server and a raw connection can show."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import Service
from tests.support.world import page

pytestmark = pytest.mark.slow

LINE = json.dumps({"type": "visit", "url": page("cooking", 0), "user": "raw"}).encode() + b"\n"
HEAD = "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {type}\r\n{more}\r\n"


def chunked(service: Service, path: str, media: str, parts: Iterator[bytes], **more: str) -> int:
    """The status of a request whose body comes in chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    headers = {"Content-Type": media, **more}
    with contextlib.suppress(OSError):  # answered, and hung up, before all was sent
        connection.request("POST", path, parts, headers, encode_chunked=True)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("path", ["/v1/events", "/v1/campaigns", "/v1/recommendations"])
def test_a_chunked_body_past_the_limit_is_refused(home: Path, path: str) -> None:
    """413, and nothing of it is taken; a shorter one is taken whole."""
    media = "application/json" if path == "/v1/recommendations" else "application/x-ndjson"
    with Service(home) as service:
        block = (b" " * 1023 + b"\n") * 64
        many = (block for _ in range(33 * 16))
        assert chunked(service, path, media, many) == 413
        if path == "/v1/events":
            assert chunked(service, path, media, iter([LINE, LINE])) == 202
            packed = gzip.compress(LINE)
            halves = iter([packed[:20], packed[20:]])
            assert chunked(service, path, media, halves, **{"Content-Encoding": "gzip"}) == 202


def test_a_body_that_breaks_off_is_refused(home: Path) -> None:
    """Half of what Content-Length announces is 400, and none of it counts."""
    with Service(home) as service:
        with socket.create_connection(("127.0.0.1", service.port), 30) as raw:
            more = f"Content-Length: {4 * len(LINE)}\r\n"
            head = HEAD.format(path="/v1/events", type="application/x-ndjson", more=more)
            raw.sendall(head.encode() + 2 * LINE)
            raw.shutdown(socket.SHUT_WR)
            answer = raw.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 400")
        assert service.ask("GET", "/v1/users?user=raw").status == 404
