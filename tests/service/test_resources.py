"""What several resources have in common: nothing there yet, unknown ids, other workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask.testing import FlaskClient

from service.app import create_app
from tests.service.asking import ask, get
from tests.service.problems import problem_of
from tests.support.world import page
from webrec.serving.engine import Engine


def test_pages_before_the_first_batch(empty_client: FlaskClient) -> None:
    """Without a model every page is unknown and every listing empty."""
    problem_of(empty_client.get("/v1/pages", query_string={"url": page("cooking", 0)}), 404)
    urls = {"urls": [page("cooking", 0)]}
    assert empty_client.post("/v1/pages", json=urls).get_json() == {"pages": [None]}
    for plural in ("categories", "communities", "models"):
        assert get(empty_client, f"/v1/{plural}") == {plural: [], "next": None}
    problem_of(empty_client.get("/v1/categories/c1"), 404)
    problem_of(empty_client.get("/v1/communities/g1"), 404)
    problem_of(empty_client.put("/v1/categories/c1/label", json={"label": "x"}), 404)


def test_unknown_ids(client: FlaskClient) -> None:
    """What the active model does not have is 404, whatever its id looks like."""
    for unknown in ("c999", "g1", "%00", "ä", "a%2Fb", "..", "x" * 5_000):
        problem_of(client.get(f"/v1/categories/{unknown}"), 404)
        problem_of(client.put(f"/v1/categories/{unknown}/label", json={"label": "x"}), 404)
        problem_of(client.get(f"/v1/campaigns/{unknown}"), 404)
        problem_of(client.delete(f"/v1/campaigns/{unknown}"), 404)
        problem_of(client.post(f"/v1/models/{unknown}/activate"), 404)
    problem_of(client.get("/v1/communities/c1"), 404)


def test_another_worker_sees_what_was_written(
    client: FlaskClient, home: Path, open_engine: Callable[..., Engine]
) -> None:
    """Labels, campaigns and models written through one engine show in another that refreshes."""
    other_engine = open_engine(home=home)
    other = create_app(other_engine).test_client()
    client.put("/v1/categories/c1/label", json={"label": "Named"})
    client.put("/v1/campaigns/new", json={"urls": [page("football", 5)], "priority": 1})
    other_engine.refresh()
    assert get(other, "/v1/categories/c1")["label"] == "Named"
    answer = ask(other, url=page("football", 0), mode="sponsored")
    assert answer["items"][0]["campaign"] == "new"
