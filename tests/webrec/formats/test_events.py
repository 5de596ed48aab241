"""The event document."""

import pytest

from tests.webrec.formats.samples import GOOGLEBOT, NOW, URL
from webrec.domain.types import Event
from webrec.errors import InvalidDocument
from webrec.formats.events import parse_event
from webrec.formats.times import DAY_MS


def test_everything() -> None:
    """Each field arrives where it belongs."""
    document = {
        "type": "accept",
        "url": URL + "#x",
        "ip": "192.0.2.1",
        "timestamp": NOW,
        "environment": {"referrer": "r", "user_agent": GOOGLEBOT},
        "keywords": "a,b",
        "description": "D",
        "title": "T",
        "event_id": "e1",
        "answer": "r1",
    }
    assert parse_event(document, NOW + 5) == Event(
        kind="accept",
        url=URL,
        visitor="i:192.0.2.1",
        at_ms=NOW,
        event_id="e1",
        title="T",
        keywords=("a", "b"),
        description="D",
        bot=True,
        answer="r1",
        environment={"referrer": "r", "user_agent": GOOGLEBOT},
    )


@pytest.mark.parametrize("kind", ["visit", "accept", "page"])
def test_least(kind: str) -> None:
    """Type and URL are enough, and an empty answer is none."""
    document = {"type": kind, "url": URL, "answer": "", "event_id": None}
    assert parse_event(document, NOW) == Event(kind, URL, None, NOW)  # type: ignore[arg-type]


def test_wrong_fields() -> None:
    """Type and URL are required, and all wrong fields are reported."""
    document = {"event_id": "", "answer": "x" * 257, "timestamp": NOW + DAY_MS + 1}
    with pytest.raises(InvalidDocument) as raised:
        parse_event(document, NOW)
    assert [e.field for e in raised.value.errors] == [
        "url",
        "timestamp",
        "type",
        "event_id",
        "answer",
    ]
