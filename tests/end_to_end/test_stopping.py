"""The service is stopped while it is busy."""

from __future__ import annotations

import time
from pathlib import Path

from tests.end_to_end.load import Ledger, compare, counted_in_log, load, settled
from tests.running import Service, wait_until


def test_a_graceful_stop_loses_and_cuts_nothing(home: Path) -> None:
    """All that was acknowledged is in the log once, and nothing that was taken went unanswered."""
    ledger = Ledger()
    with Service(home) as service:
        with load(service, ledger, retry=False):
            wait_until(lambda: ledger.events > 500)
            assert service.stop() == 0
    counted = counted_in_log(home)
    for visit in [v for v in counted if counted[v] == 2]:
        counted[visit] -= 1 if visit in repeated(ledger) else 0
    found = compare(ledger, counted)
    print(f"stopped after {ledger.events} events; {ledger.reset} idle connections and "
          f"{ledger.refused} new ones were closed; {found}")
    assert found.is_right
    # what nobody heard of was not taken: the connection was closed before it was read
    assert not [visit for visit in ledger.unsure if counted[visit]]
    assert set(ledger.statuses) <= {200, 202, 0}
