"""The background of a worker."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.support.thrift_gateway import ThriftGateway
from tests.support.worlds import opened, publish, seen
from tests.webrec.serving.asking import (
    FAULTS,
    PLENTY,
    WORLD,
    A,
    B,
    D,
    ask,
    campaign,
    eventually,
    urls,
)
from webrec.serving.engine import Engine


def test_the_background_follows_others(engine: Engine, other: Engine) -> None:
    """Once started, an engine takes in campaigns and shows its visits to the others."""
    engine.start()
    other.tables.campaigns.put([campaign()])
    eventually(lambda: urls(ask(engine, mode="sponsored")) == [B])
    ask(engine, user="new", track=True)
    eventually(lambda: seen(other, "u:new") == {A: (1, 0)})


def test_a_broken_model_does_not_end_the_following(
    engine: Engine, other: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """The background says what is wrong, and takes in what comes next."""
    engine.start()
    publish(other.tables, WORLD, Random(2), "000002")
    table = "g000002.communities"
    rows = [row for row, _ in other.tables.store.scan(table)]
    other.tables.store.delete_many(table, [(row, None) for row in rows])
    other.tables.labels.put("c1", "Named")
    eventually(lambda: "could not be read" in caplog.text)
    other.tables.generations.activate("000001", "000002")
    other.tables.campaigns.put([campaign()])
    eventually(lambda: urls(ask(engine, mode="sponsored")) == [B])


@pytest.mark.parametrize("fault", ["hangs", "is gone"])
def test_a_store_that_comes_back_is_read_again(
    gateway: ThriftGateway, remote: Engine, fault: str
) -> None:
    """By itself, and what happened meanwhile is taken in."""
    remote.start()
    FAULTS[fault](gateway)
    for _ in range(4):
        assert ask(remote, D, user="bob", track=True).degraded
    gateway.accept()
    gateway.resume()
    eventually(lambda: not ask(remote, D, user="bob", tmax=PLENTY).degraded)
    assert ask(remote, user="bob", tmax=PLENTY, explain=True).explanation.community == "g1"
    eventually(lambda: seen(remote, "u:bob")[D] == (1 + 4, 0))


def test_a_model_that_was_dropped_while_the_store_was_away(
    gateway: ThriftGateway, remote: Engine, tmp_path: Path
) -> None:
    """The read that failed finds no table when the store is back: the next model is taken in."""
    gateway.refuse()
    for _ in range(4):
        assert ask(remote, user="bob").degraded
    gateway.accept()
    with opened(tmp_path / "other", store=gateway.store_uri("world")) as other:
        publish(other.tables, WORLD, Random(2), "000002")
        other.tables.generations.drop("000001")
    remote.start()
    eventually(lambda: not ask(remote, user="bob", tmax=PLENTY).degraded)
    assert ask(remote, user="bob", tmax=PLENTY).model == "000002"
