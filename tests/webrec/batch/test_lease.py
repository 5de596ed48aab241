"""The batch's lease."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from webrec.batch.lease import Lease
from webrec.errors import LeaseLost, StoreUnavailable
from webrec.storage import open_store, sqlite_pool
from webrec.tables.tables import Tables


def test_only_one_holds_it(tables: Tables) -> None:
    """The second fails, naming the holder and for how long it holds it."""
    with Lease(tables, "host:1"), pytest.raises(LeaseLost, match=r"host:1.*ends in 60 s"):
        Lease(tables, "host:2").__enter__()


def test_it_is_free_again_afterwards(tables: Tables) -> None:
    """After success, and after a failure inside."""
    with Lease(tables, "host:1"):
        pass
    with pytest.raises(ValueError, match="inside"), Lease(tables, "host:2"):
        raise ValueError("inside")
    with Lease(tables, "host:3") as lease:
        lease.renew()


def test_a_dead_holder_loses_it_with_its_term(tables: Tables) -> None:
    """Nobody has to tidy up after a batch that was killed."""
    tables.meta.swap_lease(None, orjson.dumps({"owner": "dead:1", "until": time.time() - 0.001}))
    with Lease(tables, "host:2") as lease:
        lease.renew()


def test_of_two_who_saw_it_free_one_gets_it(tables: Tables) -> None:
    """What was read before another took it is no longer enough."""
    seen = tables.meta.lease()
    with Lease(tables, "host:1"), pytest.raises(LeaseLost, match="another batch"):
        tables.meta.swap_lease(seen, b"{}")


def test_it_is_renewed_while_it_is_held(tables: Tables) -> None:
    """A batch may take longer than a term."""
    with Lease(tables, "host:1", term_s=0.2) as lease:
        first = tables.meta.lease()
        while tables.meta.lease() == first:
            time.sleep(0.01)
        lease.renew()
        held = tables.meta.lease()
        assert held is not None
        assert orjson.loads(held)["owner"] == "host:1"


def test_a_lost_lease_stays_lost(tables: Tables) -> None:
    """The holder fails when it renews it, the thief keeps it, and leaving takes nothing away."""
    thief = orjson.dumps({"owner": "host:2", "until": time.time() + 60})
    with Lease(tables, "host:1", term_s=0.2) as lease:
        # taken from under it: a renewal that read the lease before may be in between
        while tables.meta.lease() != thief:
            try:
                tables.meta.swap_lease(tables.meta.lease(), thief)
            except LeaseLost:
                continue
        lease._thread.join(timeout=30)
        assert not lease._thread.is_alive()
        for _ in range(2):
            with pytest.raises(LeaseLost):
                lease.renew()
    assert tables.meta.lease() == thief


def test_a_store_that_is_away_for_a_moment_does_not_lose_it(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A renewal that fails is tried again."""
    monkeypatch.setattr(sqlite_pool, "_BUSY_TIMEOUT_S", 0.05)
    with closing(open_store(f"sqlite:///{tmp_path}/webrec.db")) as other:
        blocking = sqlite3.connect(tmp_path / "webrec.db", isolation_level=None)
        with Lease(Tables(other), "host:1", term_s=0.2) as lease:
            first = tables.meta.lease()
            blocking.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                lease.renew()
            time.sleep(0.2)
            assert tables.meta.lease() == first
            blocking.execute("ROLLBACK")
            while tables.meta.lease() == first:
                time.sleep(0.01)
            lease.renew()
        blocking.close()
