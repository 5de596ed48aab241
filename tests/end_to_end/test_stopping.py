"""The service is stopped while it is busy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.load import Ledger, compare, counted_in_log, load
from tests.running import Service, wait_until


def test_a_graceful_stop_loses_and_cuts_nothing(home: Path, request: pytest.FixtureRequest) -> None:
    """All that was acknowledged is in the log once, and nothing that was taken went unanswered."""
    ledger = Ledger()
    with Service(home) as service, load(service, ledger, retry=False):
        wait_until(lambda: ledger.events > 500)
        assert service.stop() == 0
    counted = counted_in_log(home)
    assert compare(ledger, counted).is_right
    # what nobody heard of was not taken: the connection was closed before anything was read
    assert not [visit for visit in ledger.unsure if counted[visit]]
    assert set(ledger.statuses) <= {200, 202, 0}
    for name in ("events", "reset", "refused"):
        request.node.user_properties.append((name, getattr(ledger, name)))  # for JUnit reports
