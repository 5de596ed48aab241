"""From files to answers through real processes and real HTTP."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from service.api_keys import KeyFile
from tests.support import world
from tests.support.running import Client, HttpAnswer, Service, run_batch, wait_until
from tests.support.world import EXPECTED, page
from webrec import config
from webrec.bench.server_process import NotStarted
from webrec.domain.urls import canonical
from webrec.errors import UsageError

PATH = "/v1/recommendations"


def models(service: Service, **request: Any) -> set[str | None]:
    """The models that the workers answer with."""
    document = {"url": page("cooking", 0), "track": False, **request}
    return {answer.json["model"] for answer in service.ask_each("POST", PATH, document)}


def is_everywhere(answers: list[HttpAnswer], **expected: object) -> bool:
    """Whether every worker's answer has these fields."""
    return all(answer.json.get(name) == v for answer in answers for name, v in expected.items())


@pytest.fixture(scope="module")
def service(world_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the tests that leave it as it was."""
    home = shutil.copytree(world_home, tmp_path_factory.mktemp("shared") / "home")
    with Service(home) as running:
        yield running


def upload(client: Client, events: Sequence[object]) -> None:
    """Send these events and the world's campaigns to a service that has no model yet."""
    assert client.get("/health/ready").status == 503
    assert client.post("/v1/events", events).json["accepted"] == len(events)
    campaigns = client.post("/v1/campaigns", list(world.CAMPAIGNS))
    assert {result["status"] for result in campaigns.json["results"]} == {"created"}


def assert_answers_are_known(service: Service, client: Client) -> None:
    """The world is answered as its prose says."""
    wait_until(lambda: None not in models(service))
    for expected in EXPECTED:
        answer = client.post(PATH, expected.request | {"track": False}).json
        assert answer["path"] == expected.path, expected.statement
        urls = [canonical(item["url"]) for item in answer["items"]]
        assert urls == expected.urls, expected.statement
        assert not answer["degraded"], expected.statement
    ready = service.ask_each("GET", "/health/ready")
    assert [answer.status for answer in ready] == [200, 200]


def test_the_whole_way(tmp_path: Path) -> None:
    """Ingested, batched and uploaded over HTTP, the world is answered as its prose says."""
    with Service(tmp_path / "home") as service, service.client() as client:
        upload(client, [*world.PAGES, *world.VISITS])
        assert models(service) == {None}
        run_batch(service.home)
        assert_answers_are_known(service, client)


@pytest.mark.parametrize("mode", ["related", "sponsored"])
@pytest.mark.parametrize("filter_", ["content", "collaborative"])
def test_mode_and_filter(service: Service, mode: str, filter_: str) -> None:
    """All four pairs are answered by the algorithm they name."""
    request = {"url": page("cooking", 0), "user": "edith", "mode": mode, "filter": filter_}
    answer = service.ask("POST", PATH, request | {"track": False}).json
    short = {"related": "Rel", "sponsored": "Sp", "content": "Cont", "collaborative": "Col"}
    assert answer["algorithm"] == f"WebR.{short[mode]}.{short[filter_]}"
    assert answer["items"]


@pytest.mark.slow
def test_everything_written_shows_in_every_worker(home: Path) -> None:
    """Events, labels, campaigns, forgetting and keys reach the workers that did not take them."""
    with Service(home) as service:
        first, _ = service.workers()
        visit = {"type": "visit", "url": page("football", 0), "user": "new"}
        category = service.ask("GET", "/v1/categories").json["categories"][0]["id"]
        campaign = {"urls": [page("football", 5)], "priority": 1}
        with service.only(first):
            service.ask("POST", "/v1/events", visit)
            service.ask("PUT", f"/v1/categories/{category}/label", {"label": "Named"})
            service.ask("PUT", "/v1/campaigns/new", campaign)
            service.ask("DELETE", "/v1/users?user=anna")
        seen = [{"url": page("football", 0), "visits": 1, "accepts": 0}]
        sponsored = {"url": page("football", 0), "mode": "sponsored", "track": False}

        def is_shown() -> bool:
            ads = service.ask_each("POST", PATH, sponsored)
            return (
                is_everywhere(service.ask_each("GET", "/v1/users?user=new"), urls=seen)
                and is_everywhere(service.ask_each("GET", "/v1/users?user=anna"), status=404)
                and is_everywhere(
                    service.ask_each("GET", f"/v1/categories/{category}"), label="Named"
                )
                and all(answer.json["items"][0]["campaign"] == "new" for answer in ads)
            )

        wait_until(is_shown)
        KeyFile(home / "keys.json").add("first", ["serve"])
        wait_until(lambda: is_everywhere(service.ask_each("GET", "/v1/models"), status=401))


@pytest.mark.slow
def test_new_pages_are_placed_in_every_worker(home: Path) -> None:
    """What one worker is told of a page and a landing page, the others answer by; a crash too."""
    title = "Choosing a telescope for stars, planets and galaxies"
    new, offer = "https://new.example/", "https://new.example/offer"
    related = {"url": new, "explain": True, "track": False}
    sponsored = {"url": page("astronomy", 0), "mode": "sponsored", "limit": 100, "track": False}

    def is_shown(service: Service) -> bool:
        found = service.ask_each("POST", PATH, related)
        ads = service.ask_each("POST", PATH, sponsored)
        return all(a.json["explain"]["category_source"] == "online" for a in found) and all(
            offer in {item["url"] for item in answer.json["items"]} for answer in ads
        )

    with Service(home) as service:
        first, _ = service.workers()
        with service.only(first):
            campaign = {"urls": [{"url": offer, "title": title}], "priority": 1}
            service.ask("PUT", "/v1/campaigns/new", campaign)
            service.ask("POST", "/v1/events", {"type": "page", "url": new, "title": title})
        wait_until(lambda: is_shown(service))
        found = service.ask("GET", "/v1/pages?url=https%3A%2F%2Fnew.example%2F").json
        assert (found["category_source"], found["affinity"]) == ("online", 0)
        service.kill()
    with Service(home) as service:
        wait_until(lambda: is_shown(service))


@pytest.mark.slow
def test_a_new_model_and_the_way_back(home: Path) -> None:
    """A batch's model is picked up by every worker, and so is a return to the one before."""
    with Service(home) as service:
        (old,) = models(service)
        run_batch(home)
        wait_until(lambda: old not in models(service))
        (new,) = models(service)
        first, _ = service.workers()
        with service.only(first):
            assert service.ask("POST", f"/v1/models/{old}/activate").status == 200
        wait_until(lambda: models(service) == {old})
        assert service.ask("POST", f"/v1/models/{new}/activate").json["active"] is True
        wait_until(lambda: models(service) == {new})


def test_a_connection_serves_many_requests(service: Service) -> None:
    """Answers, problems and answers without a body leave the connection open for the next."""
    with service.client() as client:
        for _ in range(3):
            assert client.get("/health/live").status == 200
            assert client.post("/v1/events", {"type": "look"}).status == 422
            assert client.request("POST", PATH, b"{").status == 400
            assert client.request("DELETE", "/v1/users?user=nobody").status == 204
            assert client.post(PATH, {"url": "x" * 300_000}).status == 413
            assert client.get("/nowhere").status == 404
            assert not client.is_fresh


@pytest.mark.slow
def test_metrics_add_up_across_workers(home: Path) -> None:
    """A scrape of any worker counts what all of them did, and what ended ones did before."""
    with Service(home) as service:
        name = (
            'webrec_answers_total{algorithm="WebR.Rel.Cont",mode="related",step="0"}',
            'webrec_events_total{outcome="accepted"}',
        )
        for _ in range(3):
            models(service)
            event = {"type": "visit", "url": page("football", 0), "user": "new"}
            service.ask_each("POST", "/v1/events", event)
        assert [service.metrics()[each] for each in name] == [6, 6]
        service.kill_worker(0)
        wait_until(lambda: len(service.workers()) == 2)
        assert [service.metrics()[each] for each in name] == [6, 6]
        assert service.metrics()["webrec_model_age_seconds"] > 0


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:80"])
def test_no_keys_no_other_machines(tmp_path: Path, bind: str) -> None:
    """Without a key the service does not start where other machines could reach it."""
    from service.wsgi import serve  # the library of metrics reads its setting when imported

    with pytest.raises(UsageError, match="no API key"):
        serve(config.load(home=tmp_path, bind=bind))


@pytest.mark.slow
def test_with_keys_it_listens_everywhere(home: Path) -> None:
    """With a key it starts on any address, and asks for it."""
    KeyFile(home / "keys.json").add("first", ["serve"])
    with Service(home, host="0.0.0.0") as service:
        assert service.ask("GET", "/v1/models").status == 401


def test_a_port_that_is_taken(service: Service, tmp_path: Path) -> None:
    """A second service on the same port says so and ends with a failure."""
    other = Service(tmp_path / "other")
    other.port = service.port
    with pytest.raises(NotStarted, match="in use"):
        other.start()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_service_stops(home: Path, how: signal.Signals) -> None:
    """Asked to stop, the service ends well, and leaves nothing of its own behind."""
    with Service(home) as service, service.client() as client:
        client.get("/health/live")
        client.post("/v1/events", {"type": "visit", "url": page("football", 0), "user": "new"})
        assert service.stop(how) == 0
    assert list((home / "log" / "open").iterdir()) == []
