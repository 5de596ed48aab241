"""The same product on HBase and HDFS: the whole way, ends without warning, batches that overlap."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.end_to_end.test_killing import Killing, assert_right
from tests.end_to_end.test_whole_way import PATH, assert_answers_are_known, models, upload
from tests.support import world
from tests.support.cluster import Cluster
from tests.support.running import Batch, Service, build_world, let_lease_end, run_batch, wait_until
from tests.support.world import page
from webrec import config
from webrec.formats.events import parse_event
from webrec.serving.engine import Engine

pytestmark = pytest.mark.slow

_NOW_MS = 1_790_000_000_000
_THREADS = 4
_KILLED_AT = ("cutting the log", "writing pages", "writing profiles", "publishing")


@pytest.fixture
def service(on_cluster: dict[str, str], tmp_path: Path) -> Iterator[Service]:
    """A service on a cluster that holds the known-answer world."""
    home = tmp_path / "home"
    build_world(home, **on_cluster)
    with Service(home, threads=_THREADS, **on_cluster) as running:
        yield running


def test_three_machines(on_cluster: dict[str, str], tmp_path: Path) -> None:
    """One machine ingests, one serves, one makes the model: the answers are the known ones."""
    patient: dict[str, Any] = {
        **on_cluster,
        "tmax": 5_000,
    }  # how long a read takes is no matter of this test
    with Service(tmp_path / "serves", **patient) as service, service.client() as client:
        _ingest(world.PAGES, tmp_path / "ingests", on_cluster)
        upload(client, world.VISITS)
        run_batch(tmp_path / "batches", on_cluster)
        assert_answers_are_known(service, client)


def test_kill_everything(service: Service) -> None:
    """Whatever is killed at whatever step, nothing is lost or counted twice."""
    rng = Random(4)
    killing = Killing(service, rng)
    steps = iter(_KILLED_AT)
    for _ in range(2):
        killing.worker()
        killing.batch(next(steps))
        killing.all()
        killing.batch(next(steps))
    killing.batch_that_ends()
    assert killing.figures.ledger.events > 0
    assert_right(killing.figures)


@pytest.mark.parametrize("step", ["writing profiles", "publishing"])
def test_a_batch_that_overslept(service: Service, tmp_path: Path, step: str) -> None:
    """A batch that slept past its lease publishes nothing, and leaves nothing behind."""
    (old,) = models(service)
    with Batch(tmp_path / "sleepy", service.settings, freezes=(step, 0)) as sleepy:
        sleepy.wait_until_frozen()
        let_lease_end(service.home, service.settings)
        run_batch(tmp_path / "awake", service.settings)
        wait_until(lambda: old not in models(service))
        (new,) = models(service)
        sleepy.go_on()
        assert sleepy.finish() == 1
    assert sleepy.printed[-1].startswith(("LeaseLost", "NotFound")), sleepy.printed
    listed = service.ask("GET", "/v1/models").json["models"]
    assert {model["id"]: model["active"] for model in listed} == {old: False, new: True}
    assert _generations_with_tables(service) == {old, new}
    run_batch(tmp_path / "awake", service.settings)
    wait_until(lambda: models(service).isdisjoint({old, new}))


def test_workers_that_start_without_a_store(cluster: Cluster, service: Service) -> None:
    """With nothing in memory to answer from, a worker says when to come again, and recovers."""
    before = service.workers()
    cluster.stop("thrift")
    try:
        for index in (1, 0):
            service.kill_worker(index)
        wait_until(lambda: len({*service.workers()} - {*before}) == len(before))
        request = {"url": page("cooking", 0), "user": "edith"}
        for answer in service.ask_each("POST", PATH, request):
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) >= 1
        event = {"type": "visit", "url": page("football", 0), "user": "new"}
        assert [a.status for a in service.ask_each("POST", "/v1/events", event)] == [202, 202]
    finally:
        cluster.start("thrift")
        cluster.wait()
    wait_until(lambda: all(a.status == 200 for a in service.ask_each("POST", PATH, request)))
    seen = {"url": page("football", 0), "visits": 2, "accepts": 0}
    wait_until(lambda: _users(service, "new") == [[seen], [seen]])


def test_many_who_look_while_the_store_stands_still(cluster: Cluster, service: Service) -> None:
    """Whoever waits for the store holds up no visitor."""
    statuses: list[int] = []

    def look() -> None:
        statuses.append(service.ask("GET", "/v1/users?user=edith").status)

    lookers = [threading.Thread(target=look) for _ in range(4 * _THREADS)]
    request = {"url": page("cooking", 0), "user": "edith", "track": False}
    cluster.pause("hbase")
    try:
        for looker in lookers:
            looker.start()
        answers = [service.ask("POST", PATH, request) for _ in range(20)]
        are_waiting = [looker.is_alive() for looker in lookers]
    finally:
        cluster.resume("hbase")
        for looker in lookers:
            looker.join()
        cluster.wait()
    assert {answer.status for answer in answers} == {200}
    assert answers[-1].json["degraded"]
    assert any(are_waiting)
    assert set(statuses) <= {200, 503}
    wait_until(lambda: service.ask("GET", "/v1/users?user=edith").status == 200)


def _ingest(documents: Any, home: Path, settings: dict[str, str]) -> None:
    engine = Engine(config.load(home=home, **settings))
    try:
        engine.recorder.record([parse_event(document, _NOW_MS) for document in documents])
    finally:
        engine.close()


def _users(service: Service, user: str) -> list[Any]:
    """The URLs of a user, as each worker tells them."""
    answers = service.ask_each("GET", f"/v1/users?user={user}")
    return [answer.json.get("urls") for answer in answers]


def _generations_with_tables(service: Service) -> set[str]:
    engine = Engine(config.load(home=service.home, **service.settings))
    try:
        return engine.tables.generations.with_tables()
    finally:
        engine.close()
