"""POST /v1/events."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.service.asking import BOT, padded, visits
from tests.service.problems import assert_problem, problem_of
from tests.support.running import batch
from tests.support.world import page
from webrec.serving.engine import Engine

PATH = "/v1/events"
KIB = 1024
NDJSON = "application/x-ndjson"
DAY_MS = 86_400_000


def visit(number: int = 0, **more: Any) -> dict[str, Any]:
    """A visit of a football page by somebody new."""
    return {"type": "visit", "url": page("football", number), "user": "new", **more}


def send(client: FlaskClient, documents: object) -> dict[str, Any]:
    """What became of some events, most of them good."""
    response = client.post(PATH, json=documents)
    assert response.status_code == 202, response.text
    outcome: dict[str, Any] = response.get_json()
    assert outcome.keys() == {"accepted", "rejected"}
    return outcome


def send_lines(client: FlaskClient, *lines: bytes) -> TestResponse:
    """NDJSON."""
    return client.post(PATH, data=b"\n".join(lines), content_type=NDJSON)


def logged(home: Path) -> list[dict[str, Any]]:
    """What another process would find in the open segments of the log."""
    segments = sorted((home / "log" / "open").glob("*.ndjson"))
    return [json.loads(line) for s in segments for line in s.read_bytes().splitlines()]


def test_one_event(client: FlaskClient, home: Path) -> None:
    """An accepted event is in the log before the answer, and in the visitor's profile."""
    assert send(client, visit()) == {"accepted": 1, "rejected": []}
    assert [(e["type"], e["url"], e["visitor"]) for e in logged(home)] == [
        ("visit", page("football", 0), "u:new")
    ]
    assert visits(client, user="new") == {page("football", 0): 1}


def test_a_list_keeps_the_good_and_names_the_bad(client: FlaskClient) -> None:
    """Each bad event is rejected at its place with its problem; the others count."""
    outcome = send(client, [visit(0), {"type": "look"}, visit(1), 5])
    assert outcome["accepted"] == 2
    assert [r["index"] for r in outcome["rejected"]] == [1, 3]
    for rejected in outcome["rejected"]:
        assert rejected.keys() == {"index", "error"}
        assert_problem(rejected["error"], 422, "errors")
    assert {e["field"] for e in outcome["rejected"][0]["error"]["errors"]} == {"type", "url"}
    assert visits(client, user="new") == {page("football", 0): 1, page("football", 1): 1}


def test_ndjson_counts_lines_but_not_blank_ones(client: FlaskClient) -> None:
    """A line that is no JSON is rejected at its place among the lines that are not blank."""
    good = json.dumps(visit()).encode()
    response = send_lines(client, b"", good, b"  ", b"{broken", b"\xff", good, b"", b"")
    assert response.status_code == 202
    outcome = response.get_json()
    assert outcome["accepted"] == 2
    assert [r["index"] for r in outcome["rejected"]] == [1, 2]
    for rejected in outcome["rejected"]:
        assert_problem(rejected["error"], 400)


def test_none_good(client: FlaskClient, home: Path) -> None:
    """With no good event the whole is refused, every one with its reason, and nothing is kept."""
    response = client.post(PATH, json=[{"type": "visit"}, visit(url="nonsense")])
    document = problem_of(response, 422, "accepted", "rejected")
    assert document["accepted"] == 0
    assert [r["index"] for r in document["rejected"]] == [0, 1]
    assert logged(home) == []


def test_one_bad_event_names_every_wrong_field(client: FlaskClient) -> None:
    """A single refused event is a problem with its fields, and rejected as number 0."""
    wrong = {
        "type": "click",
        "url": "",
        "user": 5,
        "ip": "here",
        "timestamp": [],
        "environment": [],
        "keywords": {},
        "description": 1,
        "title": 2,
        "event_id": "",
        "answer": 3,
    }
    response = client.post(PATH, json=wrong)
    document = problem_of(response, 422, "errors", "accepted", "rejected")
    assert {error["field"] for error in document["errors"]} == set(wrong)
    assert [r["index"] for r in document["rejected"]] == [0]


@pytest.mark.parametrize("form", ["list", "ndjson"])
def test_no_event_at_all(client: FlaskClient, form: str) -> None:
    """An empty list is accepted, all none of it."""
    response = send_lines(client, b"") if form == "ndjson" else client.post(PATH, json=[])
    assert response.status_code == 202
    assert response.get_json() == {"accepted": 0, "rejected": []}


def test_a_repeated_event_id_counts_once(client: FlaskClient, engine: Engine) -> None:
    """A repeat is accepted, in the same request or later, and counts neither now nor later."""
    assert send(client, [visit(event_id="e1"), visit(event_id="e1")])["accepted"] == 2
    assert send(client, visit(5, event_id="e1"))["accepted"] == 1
    engine.recorder.flush()
    assert visits(client, user="new") == {page("football", 0): 1}
    batch(engine)
    assert visits(client, user="new") == {page("football", 0): 1}


def test_an_accept_is_no_visit(client: FlaskClient) -> None:
    """An accept counts as an accept only; its answer's id is optional."""
    send(client, [visit(type="accept", answer="some-id"), visit(type="accept")])
    (found,) = client.get("/v1/users?user=new").get_json()["urls"]
    assert found == {"url": page("football", 0), "visits": 0, "accepts": 2}


def test_a_page_event_only_describes(client: FlaskClient, engine: Engine) -> None:
    """A described page is categorised by the next batch, and visited by nobody."""
    new = "https://astronomy.example/new"
    text = {"title": "A new telescope", "keywords": "telescope, galaxy, stars"}
    send(client, {"type": "page", "url": new, "user": "editor", **text})
    assert visits(client, user="editor") == {}
    assert client.get("/v1/pages", query_string={"url": new}).status_code == 404
    batch(engine)
    found = client.get("/v1/pages", query_string={"url": new}).get_json()
    like = client.get("/v1/pages", query_string={"url": page("astronomy", 0)}).get_json()
    assert found["category"] == like["category"]
    assert found["affinity"] == 0


def test_bots_and_the_anonymous(client: FlaskClient, home: Path, engine: Engine) -> None:
    """A bot's events are logged and count nowhere; an anonymous visit counts for its page alone."""
    url = page("astronomy", 9)
    before = client.get("/v1/pages", query_string={"url": url}).get_json()["affinity"]
    bot = visit(9, url=url, environment=BOT)
    outcome = send(client, [bot, {"type": "visit", "url": url}])
    assert outcome["accepted"] == 2
    assert [e.get("bot", False) for e in logged(home)] == [True, False]
    assert visits(client, user="new") == {}
    batch(engine)
    after = client.get("/v1/pages", query_string={"url": url}).get_json()["affinity"]
    assert after == before + 1
    assert visits(client, user="new") == {}


def test_a_bots_event_id_stays_free(client: FlaskClient, engine: Engine) -> None:
    """What a bot sends, its event ids included, changes nothing for people."""
    send(client, visit(event_id="shared", environment=BOT))
    send(client, visit(event_id="shared"))
    engine.recorder.flush()
    assert visits(client, user="new") == {page("football", 0): 1}


def test_a_time_ahead(client: FlaskClient) -> None:
    """An event may be up to a day ahead of the service's clock, as clocks differ."""
    now_ms = time.time_ns() // 1_000_000
    send(client, visit(timestamp=now_ms + DAY_MS - 60_000))
    response = client.post(PATH, json=visit(timestamp=now_ms + DAY_MS + 60_000))
    problem = problem_of(response, 422, "errors", "accepted", "rejected")
    assert [error["field"] for error in problem["errors"]] == ["timestamp"]


@pytest.mark.parametrize("when", ["2026-01-31T12:00:00Z", 1_769_860_800, 1_769_860_800_000])
def test_ways_to_write_a_time(client: FlaskClient, home: Path, when: object) -> None:
    """ISO 8601, seconds and milliseconds are the same moment."""
    send(client, visit(timestamp=when))
    assert logged(home)[0]["at_ms"] == 1_769_860_800_000


def test_one_event_has_at_most_256_kib(client: FlaskClient) -> None:
    """A single event may be as long as the limit and not a byte longer."""
    body = padded(visit(), 256 * KIB)
    assert client.post(PATH, data=body, content_type="application/json").status_code == 202
    problem_of(client.post(PATH, data=body + b" ", content_type="application/json"), 413)


def test_many_events_have_at_most_32_mib(client: FlaskClient) -> None:
    """NDJSON may be as long as its limit and not a byte longer."""
    lines = json.dumps(visit()).encode().ljust(32 * KIB * KIB, b"\n")
    assert client.post(PATH, data=lines, content_type=NDJSON).status_code == 202
    problem_of(client.post(PATH, data=lines + b"\n", content_type=NDJSON), 413)


def test_without_the_log_nothing_is_accepted(client: FlaskClient, home: Path) -> None:
    """Events that cannot be made durable are refused for now, and taken when the log is back."""
    (home / "log" / "open").rmdir()
    response = client.post(PATH, json=[visit(), {"type": "look"}])
    problem_of(response, 503)
    assert int(response.headers["Retry-After"]) >= 1
    assert visits(client, user="new") == {}
    (home / "log" / "open").mkdir()
    assert send(client, visit())["accepted"] == 1


def test_a_scalar_is_no_event(client: FlaskClient) -> None:
    """JSON that is neither an object nor a list is refused."""
    response = client.post(PATH, data=b"7", content_type="application/json")
    assert problem_of(response, 422, "errors", "accepted", "rejected")["accepted"] == 0
