"""What is known of users."""

from __future__ import annotations

from dataclasses import replace

from tests.support.worlds import NOW_MS
from tests.webrec.admin.site import ANN, A, C, D
from webrec.admin.users import get_user
from webrec.domain.types import Event
from webrec.serving.engine import Engine


def test_a_user_is_batch_and_recent_together(engine: Engine) -> None:
    """A user's URLs and categories count what the batch knew and what happened since."""
    new = "https://elsewhere.example/"
    events = [Event("visit", url, ANN, NOW_MS) for url in (C, D, new, new)]
    engine.recorder.record([*events, replace(events[0], kind="accept")])
    assert get_user(engine, ANN) == {
        "community": "g1",
        "community_source": "batch",
        "urls": [
            {"url": A, "visits": 3, "accepts": 0},
            {"url": new, "visits": 2, "accepts": 0},
            {"url": C, "visits": 1, "accepts": 2},
            {"url": D, "visits": 1, "accepts": 0},
        ],
        "cats": [
            {"id": "c1", "label": "Label of c1", "visits": 3, "accepts": 0},
            {"id": "c2", "label": "Label of c2", "visits": 1, "accepts": 2},
        ],
    }


def test_a_newcomer_has_no_community(engine: Engine) -> None:
    """A newcomer is known by what happened since the batch, and has no community."""
    engine.recorder.record([Event("visit", A, "u:new", NOW_MS)])
    found = get_user(engine, "u:new")
    assert found["community"] is None
    assert found["urls"] == [{"url": A, "visits": 1, "accepts": 0}]
