"""Answers while the store is slow or away."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.thrift_gateway import ThriftGateway
from tests.support.worlds import opened, publish
from tests.webrec.serving.asking import FAULTS, PLENTY, WORLD, A, B, C, D, ask, urls
from webrec.config import load
from webrec.errors import StoreUnavailable
from webrec.serving.engine import Engine


@pytest.mark.parametrize("fault", FAULTS)
def test_answers_come_from_memory(gateway: ThriftGateway, remote: Engine, fault: str) -> None:
    """As for somebody nobody knows, by the same model, and they say that something is missing."""
    FAULTS[fault](gateway)
    for mode in ("related", "sponsored"):
        for filter_ in ("content", "collaborative"):
            fields: dict[str, Any] = {"mode": mode, "filter": filter_, "explain": True}
            known, stranger = ask(remote, user="ann", **fields), ask(remote, **fields)
            assert known.degraded
            assert not stranger.degraded
            assert known._replace(id="", degraded=False) == stranger._replace(id="")
            assert urls(known) == [B]
            assert known.model == "000001"


@pytest.mark.parametrize("fault", FAULTS)
def test_what_this_process_knows_still_counts(
    gateway: ThriftGateway, remote: Engine, fault: str
) -> None:
    """The visits it has recorded; no profile, for the visitor may have been forgotten since."""
    whole = ask(remote, D, user="ann", explain=True, tmax=PLENTY)
    ask(remote, B, user="ann", track=True, tmax=PLENTY)
    FAULTS[fault](gateway)
    found = ask(remote, D, user="ann", explain=True, limit=100)
    assert found.degraded
    assert whole.explanation.community == "g1"
    assert found.explanation.community is None
    assert B in urls(whole)
    assert B not in urls(found)
    ask(remote, C, user="new", track=True)
    found = ask(remote, A, user="new", explain=True)
    assert found.degraded
    assert C not in urls(ask(remote, D, user="new"))


def test_after_three_failures_the_store_is_left_alone(
    gateway: ThriftGateway, remote: Engine
) -> None:
    """No request asks it any more, whoever comes."""
    assert not ask(remote, user="ann", tmax=PLENTY).degraded
    gateway.drop_next(1_000)
    for _ in range(3):
        before = gateway.calls
        assert ask(remote, user="ann", tmax=PLENTY).degraded
        assert gateway.calls != before
    before = gateway.calls
    for user in ("ann", "bob", "new") * 5:
        assert ask(remote, user=user, tmax=PLENTY).degraded
    assert gateway.calls == before
    gateway.refuse()


def test_nothing_was_ever_read(
    gateway: ThriftGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to answer from, for anybody; with the store come the answers."""
    monkeypatch.setattr("webrec.storage.hbase_calls._FIRST_RETRY_TIMEOUT_S", 0)
    with opened(tmp_path, store=gateway.store_uri("world")) as engine:
        publish(engine.tables, WORLD, Random(1))
    gateway.refuse()
    engine = Engine(load(home=tmp_path, store=gateway.store_uri("world")), retry_timeout_s=0.0)
    for user in ("ann", None):
        with pytest.raises(StoreUnavailable, match="nothing was read from the store yet"):
            ask(engine, user=user)
    with pytest.raises(StoreUnavailable, match="Could not connect"):
        engine.refresh()
    with pytest.raises(StoreUnavailable, match="nothing was read from the store yet"):
        ask(engine)
    gateway.accept()
    engine.refresh()
    assert urls(ask(engine, user="new", tmax=PLENTY)) == [B]
    engine.close()
