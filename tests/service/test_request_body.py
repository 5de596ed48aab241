"""What may come in a body, and how it is packed on the way in and out."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.service.asking import padded
from tests.service.problems import problem_of
from tests.support.world import page

KIB = 1024
MIB = KIB * KIB
DOCUMENT = {"url": page("cooking", 0), "track": False}
BODY = json.dumps(DOCUMENT).encode()
TAKING_JSON = [
    ("POST", "/v1/recommendations"),
    ("POST", "/v1/events"),
    ("POST", "/v1/campaigns"),
    ("PUT", "/v1/campaigns/x"),
    ("POST", "/v1/pages"),
    ("PUT", "/v1/categories/c1/label"),
]
TAKING_LINES = ["/v1/events", "/v1/campaigns"]


def send(
    client: FlaskClient,
    body: bytes,
    *,
    method: str = "POST",
    path: str = "/v1/recommendations",
    media: str = "application/json",
    **headers: str,
) -> TestResponse:
    """Send bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.open(path, method=method, data=body, content_type=media, headers=named)


@pytest.mark.parametrize(("method", "path"), TAKING_JSON)
@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b"\xff", b"NaN", b"{'a': 1}", b"1 2"])
def test_no_json(client: FlaskClient, method: str, path: str, body: bytes) -> None:
    """A body that is not JSON in UTF-8 is 400, and the detail says where."""
    detail = problem_of(send(client, body, method=method, path=path), 400)["detail"]
    assert "line" in detail or "byte" in detail


@pytest.mark.parametrize(("method", "path"), TAKING_JSON)
@pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/json-seq"])
def test_other_media_types(client: FlaskClient, method: str, path: str, media: str) -> None:
    """Another media type than those of the interface is 415."""
    problem_of(send(client, BODY, method=method, path=path, media=media), 415)


@pytest.mark.parametrize(("method", "path"), TAKING_JSON)
def test_lines_only_where_they_are_taken(client: FlaskClient, method: str, path: str) -> None:
    """NDJSON is for events and uploads of campaigns."""
    response = send(client, BODY, method=method, path=path, media="application/x-ndjson")
    assert (response.status_code != 415) == (path in TAKING_LINES)


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", ""])
def test_ways_to_say_json(client: FlaskClient, media: str) -> None:
    """Parameters, case and the want of a media type are no matter."""
    assert send(client, BODY, media=media).status_code == 200


def test_a_byte_order_mark(client: FlaskClient) -> None:
    """A byte order mark before the JSON is skipped."""
    assert send(client, b"\xef\xbb\xbf" + BODY).status_code == 200


def test_deep_nesting(client: FlaskClient) -> None:
    """JSON nested without end is refused, not followed."""
    problem_of(send(client, b"[" * 100_000), 400)
    problem_of(send(client, b'{"url":' * 10_000 + b"1" + b"}" * 10_000), 400)


@pytest.mark.parametrize("name", ["gzip", "GZIP", "x-gzip", " gzip "])
def test_gzip_in(client: FlaskClient, name: str) -> None:
    """A packed body is unpacked."""
    assert send(client, gzip.compress(BODY), Content_Encoding=name).status_code == 200


def test_gzip_in_several_members(client: FlaskClient) -> None:
    """Packed parts put together are one body."""
    packed = gzip.compress(BODY[:10]) + gzip.compress(b"") + gzip.compress(BODY[10:])
    assert send(client, packed, Content_Encoding="gzip").status_code == 200


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        BODY,
        gzip.compress(BODY)[:-1],
        gzip.compress(BODY)[:12],
        gzip.compress(BODY) + b"rest",
        zlib.compress(BODY),
        gzip.compress(BODY)[:-8] + b"\0" * 8,
    ],
    ids=["empty", "not packed", "cut", "cut early", "with a rest", "zlib", "wrong checksum"],
)
def test_broken_gzip(client: FlaskClient, packed: bytes) -> None:
    """What is not the gzip it says it is, is 400."""
    problem_of(send(client, packed, Content_Encoding="gzip"), 400)


@pytest.mark.parametrize("name", ["br", "deflate", "zstd", "gzip, gzip", "gzip;q=1", "nonsense"])
def test_another_encoding(client: FlaskClient, name: str) -> None:
    """An encoding that is not gzip is 415."""
    problem_of(send(client, gzip.compress(BODY), Content_Encoding=name), 415)


def test_the_limit_is_of_the_unpacked_body(client: FlaskClient) -> None:
    """Packed or not, a document may be as long as the limit and not a byte longer."""
    body = padded(DOCUMENT, 256 * KIB)
    assert send(client, gzip.compress(body), Content_Encoding="gzip").status_code == 200
    problem_of(send(client, gzip.compress(body + b" "), Content_Encoding="gzip"), 413)


@pytest.mark.parametrize("path", ["/v1/recommendations", "/v1/events", "/v1/campaigns"])
def test_a_bomb(client: FlaskClient, path: str) -> None:
    """A small body that unpacks to a huge one is refused before it has."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(b" " * MIB) for _ in range(64)) + packer.flush()
    assert len(bomb) < MIB
    problem_of(send(client, bomb, path=path, Content_Encoding="gzip"), 413)


def test_a_bomb_of_many_members(client: FlaskClient) -> None:
    """The limit is of all members together, the empty ones' number included."""
    many = gzip.compress(b" " * MIB) * 40
    problem_of(send(client, many, path="/v1/events", Content_Encoding="gzip"), 413)


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", "/v1/campaigns", 32 * MIB),
        ("PUT", "/v1/campaigns/x", 32 * MIB),
        ("PUT", "/v1/categories/c1/label", 256 * KIB),
    ],
)
def test_body_limits(client: FlaskClient, method: str, path: str, limit: int) -> None:
    """A campaign has the limit of lists, a label that of documents."""
    document = {"id": "x", "urls": [page("cooking", 0)], "priority": 1, "label": "x"}
    body = padded(document, limit)
    assert send(client, body, method=method, path=path).status_code in (200, 201)
    problem_of(send(client, body + b" ", method=method, path=path), 413)


def test_gzip_out(client: FlaskClient) -> None:
    """A long answer comes packed to a client that takes it so, and plain to others."""
    path = "/openapi.json"
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.data) == plain.data
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert int(packed.headers["Content-Length"]) == len(packed.data)


def test_a_short_answer_is_not_packed(client: FlaskClient) -> None:
    """What is small already is sent as it is."""
    response = client.get("/version", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers
