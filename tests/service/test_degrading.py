"""What HTTP says when the store is away: answers from memory, or when to come again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from tests.service.asking import RECOMMENDATIONS as PATH
from tests.service.asking import ask
from tests.service.problems import assert_problem, problem_of
from tests.support.thrift_gateway import ThriftGateway
from tests.support.worlds import opened, publish
from tests.webrec.serving.asking import WORLD, A, B, D, campaign
from webrec import config
from webrec.serving.engine import Engine

LITTLE, PLENTY = 100, 60_000


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[ThriftGateway]:
    """A Thrift server with a model, to break."""
    with ThriftGateway() as gateway:
        with opened(tmp_path, store=gateway.store_uri("world")) as engine:
            publish(engine.tables, WORLD, Random(1))
            engine.tables.campaigns.put([campaign()])
        yield gateway
        gateway.accept()
        gateway.resume()


@pytest.fixture
def engine(gateway: ThriftGateway, tmp_path: Path) -> Iterator[Engine]:
    """A process that has read nothing yet and tries nothing for long."""
    engine = Engine(
        config.load(home=tmp_path, store=gateway.store_uri("world")), retry_timeout_s=0.0
    )
    yield engine
    gateway.accept()
    gateway.resume()
    engine.close()


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    """The service, which has read the model."""
    engine.refresh()
    return create_app(engine).test_client()


def checks(client: FlaskClient, status: int) -> dict[str, dict[str, object]]:
    """What readiness says of each part."""
    response = client.get("/health/ready")
    assert response.status_code == status
    assert ("Retry-After" in response.headers) == (status == 503)
    found: dict[str, dict[str, object]] = response.get_json()["checks"]
    return found


@pytest.mark.parametrize("fault", [ThriftGateway.hang, ThriftGateway.refuse])
@pytest.mark.parametrize("mode", ["related", "sponsored"])
def test_an_answer_without_the_store(
    client: FlaskClient, gateway: ThriftGateway, fault: object, mode: str
) -> None:
    """An answer without the store has status 200 and says so; one that needs no read is whole."""
    assert not ask(client, url=A, user="ann", mode=mode, tmax=PLENTY)["degraded"]
    fault(gateway)  # type: ignore[operator]
    for who, degraded in (({"user": "ann"}, True), ({"ip": "192.0.2.1"}, True), ({}, False)):
        answer = ask(client, url=A, mode=mode, tmax=LITTLE, track=False, **who)
        assert answer["degraded"] is degraded
        assert [item["url"] for item in answer["items"]] == [B]
        assert answer["model"] == "000001"


def test_a_list_without_the_store(client: FlaskClient, gateway: ThriftGateway) -> None:
    """Each answer of a list says for itself whether it is degraded."""
    gateway.refuse()
    documents = [{"url": A, "user": "ann"}, {"url": A}, {"url": A, "user": "bob"}]
    found = client.post(PATH, json=documents).get_json()
    assert [answer["degraded"] for answer in found] == [True, False, True]


def test_visits_are_recorded_without_the_store(
    client: FlaskClient, engine: Engine, gateway: ThriftGateway
) -> None:
    """Visits are in the log while the store is away, and seen when it is back."""
    gateway.refuse()
    ask(client, url=D, user="new", tmax=LITTLE)
    event = {"type": "visit", "url": B, "user": "new"}
    assert client.post("/v1/events", json=event).status_code == 202
    gateway.accept()
    engine.recorder.flush()
    visited = client.get("/v1/users", query_string={"user": "new"}).get_json()["urls"]
    assert {each["url"] for each in visited} == {B, D}


def test_nothing_was_ever_read(engine: Engine, gateway: ThriftGateway) -> None:
    """Without anything ever read the answer is 503 with a Retry-After, and shows no internals."""
    client = create_app(engine).test_client()
    gateway.refuse()
    request = {"url": A, "user": "ann"}
    response = client.post(PATH, json=request)
    problem = problem_of(response, 503)
    assert int(response.headers["Retry-After"]) >= 1
    assert "127.0.0.1" not in problem["detail"]
    (listed,) = client.post(PATH, json=[request]).get_json()
    assert_problem(listed, 503)
    gateway.accept()
    engine.refresh()
    assert not ask(client, url=A, user="ann", tmax=PLENTY)["degraded"]


def test_readiness_names_the_store(client: FlaskClient, gateway: ThriftGateway) -> None:
    """Readiness names the store that is away, and why; log and model are well."""
    assert [check["ok"] for check in checks(client, 200).values()] == [True, True, True]
    gateway.refuse()
    found = checks(client, 503)
    assert [name for name, check in found.items() if not check["ok"]] == ["store"]
    assert f"127.0.0.1:{gateway.port}" in str(found["store"]["detail"])
    assert "Could not connect" in str(found["store"]["detail"])
    assert client.get("/health/live").status_code == 200
    gateway.accept()
    checks(client, 200)


def test_readiness_of_a_store_that_hangs(
    client: FlaskClient, gateway: ThriftGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readiness waits for a store that hangs no longer than its limit."""
    monkeypatch.setattr("webrec.admin.operation._PING_S", 0.05)
    gateway.hang()
    before = gateway.calls
    found = checks(client, 503)
    assert "did not answer within 0.05 s" in str(found["store"]["detail"])
    assert sum((gateway.calls - before).values()) <= 1


def test_what_needs_the_store_says_so(client: FlaskClient, gateway: ThriftGateway) -> None:
    """A request that needs the store is refused with 503 and a Retry-After."""
    gateway.refuse()
    for method, path in (
        ("GET", "/v1/campaigns"),
        ("GET", "/v1/users?user=ann"),
        ("DELETE", "/v1/users?user=ann"),
        ("DELETE", "/v1/campaigns/k"),
    ):
        response = client.open(path, method=method)
        assert int(response.headers["Retry-After"]) >= 1
        problem_of(response, 503)
