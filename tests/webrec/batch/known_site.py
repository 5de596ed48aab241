"""The known-answer world, as the tests of whole batches speak of it."""

from __future__ import annotations

from tests.support import world as known
from tests.support.worlds import NOW_MS
from webrec.bench import oracle
from webrec.bench.oracle import Counts
from webrec.domain.types import Event

PAGE = known.page("cooking", 0)


EDITH = "u:edith"


def visit(url: str = PAGE, visitor: str | None = EDITH) -> Event:
    """A visitor opened a page."""
    return Event("visit", url, visitor, NOW_MS)


def sent_by_all() -> dict[str, dict[str, Counts]]:
    """What each visitor of the known-answer world did."""
    found: dict[str, dict[str, Counts]] = {}
    for event in known.VISITS:
        visitor = f"u:{event['user']}" if "user" in event else f"i:{event.get('ip')}"
        one = (1, 0) if event["type"] == "visit" else (0, 1)
        urls = found.setdefault(visitor, {})
        urls[event["url"]] = oracle.add([urls.get(event["url"], (0, 0)), one])
    found.pop("i:None")
    return found
