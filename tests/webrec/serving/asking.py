"""A small world, what runs on it, and questions to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.thrift_gateway import ThriftGateway
from tests.support.worlds import NOW_MS
from webrec.bench.oracle import World
from webrec.domain.answers import Answer
from webrec.domain.types import AdPage, Campaign, Page
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine

A, B, C, D = (f"https://site.example/{name}" for name in "abcd")
ANN = "u:ann"
WORLD = World(
    category={A: "c1", B: "c1", C: "c2", D: None},
    totals={A: (4, 0), B: (2, 0), C: (1, 0)},
    community={ANN: "g1", "u:bob": "g1"},
    profiles={ANN: {A: (3, 0)}, "u:bob": {A: (1, 0), B: (2, 0), D: (1, 0)}},
)

FAULTS: dict[str, Callable[[ThriftGateway], None]] = {
    "hangs": ThriftGateway.hang,
    "is gone": ThriftGateway.refuse,
    "hangs up": lambda gateway: gateway.drop_next(1_000),
}
"""What may be wrong with a store."""

PLENTY = 60_000
"""Milliseconds: more than any answer takes."""


def ask(engine: Engine, url: str = A, now_ms: int = NOW_MS, **fields: Any) -> Answer:
    """An answer; nothing is recorded unless the fields say so."""
    request = parse_request({"url": url, "track": False, **fields}, now_ms)
    return engine.recommend(request, now_ms)


def urls(answer: Answer) -> list[str]:
    """The URLs of an answer."""
    return [item.url for item in answer.items]


def campaign(campaign_id: str = "k", priority: float = 0.5, *shown: str) -> Campaign:
    """A campaign that always runs."""
    ads = tuple(AdPage(url, Page(url.partition("?")[0])) for url in shown or (B,))
    return Campaign(campaign_id, ads, priority)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for something that the background does, however slow the machine."""
    for _ in range(3_000):
        if holds():
            return
        time.sleep(0.02)
    pytest.fail("it never came")
