"""The disk is full, the log is away, the store is locked: said clearly, and over when it is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.load import Found, Ledger, compare, counted_by_service, load
from tests.support.running import HttpAnswer, Service, wait_until
from tests.support.world import page

pytestmark = pytest.mark.slow

PATH = "/v1/recommendations"
REQUEST = {"url": page("cooking", 0), "user": "edith"}


def visit(number: int = 0, **more: Any) -> dict[str, Any]:
    """A visit by somebody new."""
    return {"type": "visit", "url": page("football", number), "user": "new", **more}


def assert_unavailable(answer: HttpAnswer) -> None:
    """A 503 says when to come again, and is a problem."""
    assert answer.status == 503, answer.body
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["Content-Type"] == "application/problem+json"


def visits(service: Service, user: str) -> dict[str, int]:
    """Visits by URL."""
    answer = service.ask("GET", f"/v1/users?user={user}")
    return {} if answer.status == 404 else {u["url"]: u["visits"] for u in answer.json["urls"]}


def test_a_full_disk(home: Path) -> None:
    """Events are refused while nothing can be written, visitors are answered, and it passes."""
    with Service(home) as service:
        assert all(a.status == 202 for a in service.ask_each("POST", "/v1/events", visit(0)))
        service.ask_each("POST", PATH, REQUEST | {"track": False})
        # a line begins to be written and then does not fit
        (size, *_) = sorted(p.stat().st_size for p in (home / "log" / "open").iterdir())
        service.limit_file_size(size + 10)
        for answer in service.ask_each("POST", "/v1/events", [visit(1), visit(2)]):
            assert_unavailable(answer)
        for answer in service.ask_each("POST", PATH, REQUEST):
            assert answer.status == 200
            assert answer.json["items"]
        service.limit_file_size(-1)
        assert all(a.status == 202 for a in service.ask_each("POST", "/v1/events", visit(3)))
        wanted = {page("football", 0): 2, page("football", 3): 2}
        wait_until(lambda: visits(service, "new") == wanted)
        assert service.metrics()["webrec_visits_unrecorded_total"] == 2
        assert service.stop() == 0
    for segment in (home / "log" / "closed").iterdir():
        for line in segment.read_bytes().splitlines():
            assert json.loads(line)["url"]


def test_a_disk_that_is_full_for_a_while(home: Path) -> None:
    """Under load, too, accepted events count once, refused ones at most once; lost visits count."""
    ledger = Ledger()
    with Service(home) as service:
        with load(service, ledger):
            wait_until(lambda: ledger.events > 100)
            service.limit_file_size(1)
            wait_until(lambda: ledger.statuses[503] > 20)
            service.limit_file_size(-1)
            after = ledger.events
            wait_until(lambda: ledger.events > after + 100)
        # visitors were answered all the same: their visits are missing, and known to be
        unrecorded = int(service.metrics()["webrec_visits_unrecorded_total"])

        def is_right() -> bool:
            counted = counted_by_service(service, ledger)
            if any(not counted[visit] for visit in ledger.accepted):
                return False
            return compare(ledger, counted) == Found(lost=unrecorded, doubled=0, invented=0)

        wait_until(is_right)


def test_a_log_that_is_away(home: Path) -> None:
    """Without the log's folder, readiness says so and events wait; with it all goes on."""
    with Service(home) as service:
        (home / "log" / "open").rename(home / "log" / "away")
        for answer in service.ask_each("POST", "/v1/events", visit()):
            assert_unavailable(answer)
        for answer in service.ask_each("GET", "/health/ready"):
            assert answer.status == 503
            assert answer.json["checks"]["log"]["ok"] is False
        (home / "log" / "away").rename(home / "log" / "open")
        assert [a.status for a in service.ask_each("GET", "/health/ready")] == [200, 200]
        assert service.ask("POST", "/v1/events", visit()).status == 202
        wait_until(lambda: visits(service, "new") == {page("football", 0): 1})


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Nobody else writes to the store."""
    with closing(sqlite3.connect(home / "webrec.db", isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        yield
        db.execute("ROLLBACK")


def test_a_locked_store_does_not_keep_visitors_waiting(home: Path) -> None:
    """Recommendations, events without ids and reads go on while another process writes."""
    with Service(home) as service:
        with locked(home):
            first = service.ask("POST", PATH, REQUEST)
            assert first.status == 200
            assert service.ask("POST", "/v1/events", visit()).status == 202
            assert service.ask("GET", "/v1/categories").status == 200
            assert service.ask("GET", "/health/ready").status == 200
        wait_until(lambda: visits(service, "new") == {page("football", 0): 1})
        wait_until(lambda: visits(service, "edith")[page("cooking", 0)] == 2)


@pytest.mark.slow
def test_a_store_that_stays_locked(home: Path) -> None:
    """Changes are refused for now, events are kept by the log, and shown once it is free."""
    with Service(home) as service:
        with locked(home):
            campaign = {"urls": [page("football", 5)], "priority": 1}
            assert_unavailable(service.ask("PUT", "/v1/campaigns/new", campaign))
            assert_unavailable(service.ask("DELETE", "/v1/users?user=anna"))
            event = visit(event_id="known")
            assert service.ask("POST", "/v1/events", event).status == 202
            assert service.metrics()["webrec_store_errors_total"] == 2
        assert service.ask("POST", "/v1/events", event).status == 202
        wait_until(lambda: visits(service, "new") == {page("football", 0): 1})
        assert service.ask("PUT", "/v1/campaigns/new", campaign).status == 201
        assert service.ask("DELETE", "/v1/users?user=anna").status == 204
        assert visits(service, "anna") == {}
