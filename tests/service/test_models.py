"""/v1/models."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.service.asking import ask, get, visits
from tests.support import world
from tests.support.running import batch
from tests.support.world import page
from webrec.serving.engine import Engine


def test_models_and_the_way_back(client: FlaskClient, engine: Engine) -> None:
    """Each batch lists a model; an older one can be made to answer again, and the newer too."""
    (first,) = get(client, "/v1/models")["models"]
    assert first.keys() == {"id", "created", "active", "counts", "quality"}
    assert first["active"] is True
    assert first["counts"]["pages"] == len(world.THEME_OF)
    second = batch(engine)
    listing = get(client, "/v1/models")
    assert listing["next"] is None
    assert [(m["id"], m["active"]) for m in listing["models"]] == [
        (second, True),
        (first["id"], False),
    ]
    for wanted in (first["id"], second, second):
        response = client.post(f"/v1/models/{wanted}/activate")
        assert response.status_code == 200
        assert (response.get_json()["id"], response.get_json()["active"]) == (wanted, True)
        assert ask(client, url=page("cooking", 0), track=False)["model"] == wanted
        active = [m["id"] for m in get(client, "/v1/models")["models"] if m["active"]]
        assert active == [wanted]


def test_going_back_loses_no_visit(client: FlaskClient, engine: Engine) -> None:
    """A visit that the newer model has absorbed counts under the older one too."""
    (first,) = get(client, "/v1/models")["models"]
    client.post("/v1/events", json={"type": "visit", "url": page("football", 0), "user": "new"})
    batch(engine)
    assert visits(client, user="new") == {page("football", 0): 1}
    client.post(f"/v1/models/{first['id']}/activate")
    assert visits(client, user="new") == {page("football", 0): 1}
