"""The service is stopped while it is busy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.end_to_end.load import Ledger, compare, counted_in_log, load
from tests.support.running import Service, wait_until

pytestmark = pytest.mark.slow


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


def test_what_a_killed_run_left_is_taken_away(home: Path) -> None:
    """The folder of metrics of a run that was killed goes when the next one starts."""
    with Service(home) as service:
        (left,) = _metrics_folders(service)
        service.kill()
        assert left.exists()
        os.utime(left, (0, 0))  # what is new may be just being made, and stays
        service.start()
        assert not left.exists()
        (folder,) = _metrics_folders(service)
        os.utime(folder, (0, 0))
        with Service(home.with_name("other")):
            assert folder.exists()
        service.stop()
        assert not folder.exists()


def _metrics_folders(service: Service) -> list[Path]:
    """The folders of metrics that the master holds open."""
    opened = [fd.readlink() for fd in Path(f"/proc/{service.pid}/fd").iterdir()]
    return [p for p in opened if p.name.startswith("webrec-metrics-") and p.exists()]
