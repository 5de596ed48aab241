"""Servers of HBase and HDFS die under load: nothing is lost, doubled or mixed up, and it passes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.faults import (
    FAULTS,
    PLAN,
    Traffic,
    make,
    put_world,
    steady_request,
    tracked_request,
)
from tests.end_to_end.load import Ledger, compare, counted_by_service
from tests.support.cluster import Cluster
from tests.support.running import Batch, HttpAnswer, Service, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_HIDE_THE_STORE = ("hbase", "pause", "restart")
_HIDE_HDFS = ("hdfs", "restart")
_VISITORS = 2_500


@pytest.fixture(autouse=True)
def healthy(cluster: Cluster) -> Iterator[None]:
    """Leave the cluster as it was found."""
    yield
    cluster.wait()


@pytest.mark.parametrize("name", ["thrift", "hbase", "datanode", "pause", "hdfs", "restart"])
def test_a_fault_under_load(
    cluster: Cluster,
    tmp_path: Path,
    name: str,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    """Visitors are answered all the while, and what was acknowledged is there once, and theirs."""
    outcome = make(FAULTS[name], cluster, tmp_path / "home")
    with capsys.disabled():
        request.config.get_terminal_writer().line(f"\n{outcome}")
    assert (outcome.wrong, outcome.lost, outcome.doubled, outcome.invented) == (0, 0, 0, 0)
    assert (outcome.refused, outcome.other) == (0, 0)
    assert outcome.recovery_s is not None
    if name in _HIDE_THE_STORE:
        assert outcome.in_fault["degraded"] > 0
    if name in _HIDE_HDFS:
        assert outcome.most_unshipped > 0


def test_what_is_anothers_is_noticed(tmp_path: Path) -> None:
    """The checks under load tell one visitor's answers and listings from another's."""
    put_world(tmp_path / "home", {})
    with Service(tmp_path / "home") as service:
        traffic = Traffic(service, Ledger())

        def asked(request: dict[str, Any]) -> HttpAnswer:
            return service.ask("POST", "/v1/recommendations", request)

        def shown(name: str) -> HttpAnswer:
            return service.ask("GET", f"/v1/users?user={name}")

        one, neighbour = "a-steady-0", "a-steady-4"  # of one theme
        other = "visitor-1"
        for kind, own, anothers in (
            ("steady", asked(steady_request(one)), asked(steady_request(neighbour))),
            ("tracked", asked(_new(one)), asked(_new(other))),
            ("listing", shown(one), shown(neighbour)),
        ):
            assert not traffic.is_wrong(kind, one, own)
            assert traffic.is_wrong(kind, one, anothers)


@pytest.mark.parametrize("server", ["thrift", "hbase"])
def test_a_store_that_dies_under_a_batch(
    cluster: Cluster, on_cluster: dict[str, str], tmp_path: Path, server: str
) -> None:
    """A batch whose write never came to an end goes on when the store is back, and is complete."""
    visits = put_world(tmp_path / "home", on_cluster, _VISITORS)
    with (
        Service(tmp_path / "home", **on_cluster) as service,
        Batch(
            tmp_path / "batches", on_cluster, freezes=("writing profiles", 2_000), **PLAN
        ) as batch,
    ):
        batch.wait_until_frozen()
        cluster.pause(server)
        batch.go_on()
        time.sleep(1)  # its next write is under way then, and nobody answers
        cluster.kill(server)
        assert batch.finish() == 0, batch.printed
        old, new = reversed(service.ask("GET", "/v1/models").json["models"])
        assert (old["active"], new["active"]) == (False, True)
        assert new["counts"] == old["counts"]
        wait_until(lambda: _models(service) == {new["id"]})
        ledger = Ledger(acknowledged=set(visits))
        assert compare(ledger, counted_by_service(service, ledger)).is_right


def _new(name: str) -> dict[str, Any]:
    return tracked_request((name, f"https://load.example/{name}/new"))


def _models(service: Service) -> set[str | None]:
    request = {"url": "https://load.example/visitor-0/0", "track": False}
    answers = service.ask_each("POST", "/v1/recommendations", request)
    return {answer.json["model"] for answer in answers}
