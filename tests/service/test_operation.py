"""Health, version, metrics and the documents about the service itself."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.service.asking import ask
from tests.service.problems import problem_of
from tests.support.world import STRANGER_PAGE, page
from webrec.serving.engine import Engine


def metrics(client: FlaskClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """A scrape: values by name and labels."""
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(response.text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(client: FlaskClient, name: str, **labels: str) -> float:
    """One sample; 0 where it is missing."""
    return metrics(client).get((name, frozenset(labels.items())), 0.0)


def test_live(empty_client: FlaskClient) -> None:
    """The process is live before there is a model."""
    response = empty_client.get("/health/live")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


def test_ready(client: FlaskClient) -> None:
    """With store, log and model it is ready, and names each."""
    response = client.get("/health/ready")
    assert response.status_code == 200
    ok = {"ok": True}
    checks = {"store": ok, "log": ok, "model": ok}
    assert response.get_json() == {"status": "ready", "checks": checks}


def test_not_ready_without_a_model(empty_client: FlaskClient) -> None:
    """Before the first batch it is not ready, and says what would make it so."""
    response = empty_client.get("/health/ready")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    document = response.get_json()
    assert document["status"] == "not ready"
    assert document["checks"]["store"] == {"ok": True}
    assert document["checks"]["model"]["ok"] is False
    assert "webrec batch" in document["checks"]["model"]["detail"]


def test_not_ready_without_the_log(client: FlaskClient, home: Path) -> None:
    """Without the log's folder it is not ready, and names the log."""
    (home / "log" / "open").rmdir()
    response = client.get("/health/ready")
    assert response.status_code == 503
    checks = response.get_json()["checks"]
    assert [name for name, check in checks.items() if not check["ok"]] == ["log"]


def test_the_version(client: FlaskClient) -> None:
    """The version is that of the package."""
    assert client.get("/version").get_json() == {"version": version("webrec")}


def test_the_docs(client: FlaskClient) -> None:
    """The documentation is a page that shows the OpenAPI document."""
    for path in ("/docs", "/docs/"):
        response = client.get(path)
        assert response.status_code == 200
        assert response.mimetype == "text/html"
        assert "/openapi.json" in response.text
    with client.get("/docs/swagger-ui.css") as style:
        assert style.status_code == 200
    problem_of(client.get("/docs/nonsense"), 404)
    problem_of(client.get("/docs/../service/app.py"), 404)


def test_request_seconds(client: FlaskClient) -> None:
    """Recommendations are timed by mode, algorithm and status, one by one in a list too."""
    ask(client, url=page("cooking", 0))
    ask(client, url=STRANGER_PAGE, user="goran")
    client.post("/v1/recommendations", json=[{"url": page("cooking", 0)}, {"url": "nonsense"}])
    client.post("/v1/recommendations", json={})
    name = "webrec_request_seconds_count"
    related = {"mode": "related", "status": "200"}
    assert value(client, name, **related, algorithm="WebR.Rel.Cont") == 2
    assert value(client, name, **related, algorithm="WebR.Rel.Col") == 1
    assert value(client, name, mode="", status="422", algorithm="") == 2


def test_buckets_are_fine_below_50_ms(client: FlaskClient) -> None:
    """The histogram tells answers of a few milliseconds apart."""
    ask(client, url=page("cooking", 0))
    bounds = {
        float(dict(labels)["le"])
        for name, labels in metrics(client)
        if name == "webrec_request_seconds_bucket"
    }
    assert len([bound for bound in bounds if bound <= 0.05]) >= 10
    assert max(bounds) == float("inf")


def test_answers_by_fallback_step(client: FlaskClient) -> None:
    """Answers are counted by how many algorithms were passed over."""
    ask(client, url=page("cooking", 0))
    ask(client, url=STRANGER_PAGE, mode="sponsored")
    name = "webrec_answers_total"
    assert value(client, name, mode="related", algorithm="WebR.Rel.Cont", step="0") == 1
    assert value(client, name, mode="sponsored", algorithm="WebR.Sp.Default", step="1") == 1


def test_http_requests(client: FlaskClient) -> None:
    """Requests are counted by route, not by path, so that nobody can make endless series."""
    for unknown in ("a", "b", "c"):
        client.get(f"/v1/categories/{unknown}")
        client.get(f"/{unknown}")
    name = "webrec_http_requests_total"
    route = "/v1/categories/<category_id>"
    assert value(client, name, route=route, method="GET", status="404") == 3
    assert value(client, name, route="unknown", method="GET", status="404") == 3


def test_methods_make_no_endless_series(client: FlaskClient) -> None:
    """Made-up methods share one series."""
    for number in range(20):
        client.open("/version", method=f"X{number}")
    methods = {dict(labels).get("method") for name, labels in metrics(client)}
    assert not methods & {f"X{number}" for number in range(20)}


def test_events_and_backlog(client: FlaskClient) -> None:
    """Events are counted by outcome, and so is what no batch has read yet."""
    assert value(client, "webrec_log_backlog_segments") == 0
    good = {"type": "visit", "url": page("cooking", 0), "user": "new"}
    client.post("/v1/events", json=[good, good, {}])
    assert value(client, "webrec_events_total", outcome="accepted") == 2
    assert value(client, "webrec_events_total", outcome="rejected") == 1
    assert value(client, "webrec_log_backlog_segments") == 1


def test_model_age(client: FlaskClient, empty_client: FlaskClient) -> None:
    """The age of the model is shown where there is one."""
    assert value(client, "webrec_model_age_seconds") == pytest.approx(0, abs=3_600)
    assert value(client, "webrec_model_age_seconds") > 0
    assert ("webrec_model_age_seconds", frozenset()) not in metrics(empty_client)


def test_store_errors(client: FlaskClient, home: Path, engine: Engine) -> None:
    """Requests that meet an unavailable store are counted, and so are answers without it."""
    engine.tables.store.close()
    (home / "webrec.db").rename(home / "moved.db")
    (home / "webrec.db").mkdir()
    request = {"url": page("cooking", 0), "user": "anna"}
    assert client.post("/v1/recommendations", json=request).get_json()["degraded"]
    (listed,) = client.post("/v1/recommendations", json=[request]).get_json()
    assert listed["degraded"]
    assert listed["items"]
    assert value(client, "webrec_answers_degraded_total") == 2
    response = client.get("/v1/campaigns")
    problem_of(response, 503)
    assert response.headers["Retry-After"]
    assert value(client, "webrec_store_errors_total") == 1
    checks = client.get("/health/ready").get_json()["checks"]
    assert [name for name, check in checks.items() if not check["ok"]] == ["store"]
    (home / "webrec.db").rmdir()
    (home / "moved.db").rename(home / "webrec.db")
    assert ask(client, **request)["items"]
