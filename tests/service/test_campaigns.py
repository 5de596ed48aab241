"""/v1/campaigns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.service.asking import ask, walked
from tests.service.problems import problem_of, wrong_fields
from tests.support.world import CAMPAIGNS, page

PATH = "/v1/campaigns"
NDJSON = "application/x-ndjson"


def campaign(campaign_id: str = "summer", **more: Any) -> dict[str, Any]:
    """A small campaign."""
    return {"id": campaign_id, "urls": [page("football", 5)], "priority": 1, **more}


def statuses(client: FlaskClient, documents: object, status: int, query: str = "") -> list[str]:
    """What became of each campaign of an upload."""
    response = client.post(PATH + query, json=documents)
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    results = response.get_json()["results"]
    assert [r["index"] for r in results] == list(range(len(results)))
    for result in results:
        assert result.keys() == {"index", "id", "status", "errors"}
        assert bool(result["errors"]) == (result["status"] == "invalid")
    return [result["status"] for result in results]


def test_put_get_delete(client: FlaskClient) -> None:
    """A campaign is made, found at its Location, replaced and taken away."""
    made = client.put(f"{PATH}/summer", json=campaign())
    assert made.status_code == 201
    assert made.headers["Location"] == "/v1/campaigns/summer"
    assert made.get_json() == campaign(active=True)
    assert client.get(made.headers["Location"]).get_json() == made.get_json()
    replaced = client.put(f"{PATH}/summer", json=campaign(priority=0.5, name="Summer"))
    assert replaced.status_code == 200
    assert "Location" not in replaced.headers
    assert client.get(f"{PATH}/summer").get_json() == replaced.get_json()
    gone = client.delete(f"{PATH}/summer")
    assert (gone.status_code, gone.data) == (204, b"")
    problem_of(client.get(f"{PATH}/summer"), 404)
    problem_of(client.delete(f"{PATH}/summer"), 404)


def test_a_campaign_shows_at_once(client: FlaskClient) -> None:
    """What was written is in the next answer of the worker that wrote it, and so is its end."""
    client.put(f"{PATH}/summer", json=campaign())
    request = {"url": page("football", 0), "mode": "sponsored", "limit": 1}
    assert ask(client, **request)["items"][0]["campaign"] == "summer"
    client.delete(f"{PATH}/summer")
    assert ask(client, **request)["items"][0]["campaign"] == "football-offer"


@pytest.mark.parametrize(
    "when",
    [
        {"active": False},
        {"starts": "2999-01-01T00:00:00Z"},
        {"ends": "2001-01-01T00:00:00Z"},
        {"starts": 0, "ends": 1},
    ],
)
def test_a_campaign_that_does_not_run(client: FlaskClient, when: dict[str, Any]) -> None:
    """An inactive, future or past campaign is kept and never shown."""
    client.put(f"{PATH}/summer", json=campaign(**when))
    answer = ask(client, url=page("football", 0), mode="sponsored", campaigns=["summer"])
    assert answer["items"] == []


def test_the_path_may_name_the_id_alone(client: FlaskClient) -> None:
    """A PUT document without an id has the path's; one with another is refused."""
    document = campaign()
    del document["id"]
    assert client.put(f"{PATH}/summer", json=document).get_json()["id"] == "summer"
    assert wrong_fields(client.put(f"{PATH}/summer", json=campaign("winter"))) == {"id"}
    problem_of(client.get(f"{PATH}/winter"), 404)


def test_every_wrong_field_is_named_at_once(client: FlaskClient) -> None:
    """A refused campaign hears of all its faults."""
    wrong = {
        "urls": ["nonsense", {"url": 5}, {"title": "no url"}],
        "priority": 1.5,
        "name": 5,
        "starts": "soon",
        "ends": "later",
        "active": "yes",
    }
    named = wrong_fields(client.put(f"{PATH}/not%20fine", json=wrong))
    assert named == {"id", "urls.0", "urls.1.url", "urls.2.url", *wrong} - {"urls"}


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"urls": []}, "urls"),
        ({"priority": -0.1}, "priority"),
        ({"starts": "2026-02-01", "ends": "2026-01-01"}, "ends"),
        ({"starts": "2026-02-01T00:00:00Z", "ends": "2026-02-01T00:00:00Z"}, "ends"),
        ({"id": "x" * 129}, "id"),
        ({"id": "a b"}, "id"),
        ({"id": ""}, "id"),
    ],
)
def test_what_no_campaign_may_be(client: FlaskClient, fault: dict[str, Any], field: str) -> None:
    """The limits of a campaign are those of the interface."""
    response = client.post(PATH, json=campaign(**fault))
    assert response.status_code == 422
    (result,) = response.get_json()["results"]
    assert result["status"] == "invalid"
    assert [error["field"] for error in result["errors"]] == [field]


def test_the_longest_campaign(client: FlaskClient) -> None:
    """Ten thousand URLs are a campaign, one more is not."""
    urls = [f"https://shop.example/{n}" for n in range(10_000)]
    assert client.put(f"{PATH}/{'x' * 128}", json={"urls": urls, "priority": 0}).status_code == 201
    too_many = {"urls": [*urls, "https://shop.example/x"], "priority": 0}
    assert wrong_fields(client.put(f"{PATH}/big", json=too_many)) == {"urls"}


def test_an_upload_of_good_ones(client: FlaskClient) -> None:
    """Good campaigns are written; the same again changes nothing; a change is an update."""
    documents = [campaign("a"), campaign("b", name="B")]
    assert statuses(client, documents, 200) == ["created", "created"]
    assert statuses(client, documents, 200) == ["unchanged", "unchanged"]
    documents[1]["priority"] = 0
    assert statuses(client, documents, 200) == ["unchanged", "updated"]
    assert client.get(f"{PATH}/b").get_json()["priority"] == 0


def test_an_upload_of_some_good_and_of_none(client: FlaskClient) -> None:
    """The good ones of a list are written, and the status says whether that was some or none."""
    bad = {"id": "bad", "urls": []}
    assert statuses(client, [campaign("a"), bad, 5], 207) == ["created", "invalid", "invalid"]
    assert client.get(f"{PATH}/a").status_code == 200
    assert statuses(client, [bad, "text"], 422) == ["invalid", "invalid"]
    assert statuses(client, [], 200) == []


def test_the_results_name_what_they_can(client: FlaskClient) -> None:
    """An invalid campaign is named by its id where it has one, and has every wrong field."""
    response = client.post(PATH, json=[{"id": "bad", "priority": 2}, 5])
    first, second = response.get_json()["results"]
    assert first["id"] == "bad"
    assert {error["field"] for error in first["errors"]} == {"urls", "priority"}
    assert second["id"] is None


def test_an_upload_as_ndjson_and_of_one(client: FlaskClient) -> None:
    """Campaigns come as lines too, a broken one among them, or as a single document."""
    lines = [json.dumps(campaign("a")), "", "{broken", json.dumps(campaign("b"))]
    response = client.post(PATH, data="\n".join(lines), content_type=NDJSON)
    assert response.status_code == 207
    results = response.get_json()["results"]
    assert [(r["index"], r["status"]) for r in results] == [
        (0, "created"),
        (1, "invalid"),
        (2, "created"),
    ]
    assert statuses(client, campaign("c"), 200) == ["created"]


def test_a_dry_run_writes_nothing(client: FlaskClient) -> None:
    """A dry run says what an upload would do."""
    documents = [campaign("new"), CAMPAIGNS[0], CAMPAIGNS[1] | {"priority": 0}, {"id": "bad"}]
    said = ["created", "unchanged", "updated", "invalid"]
    before = client.get(PATH).get_json()
    assert statuses(client, documents, 207, "?dry_run=true") == said
    assert client.get(PATH).get_json() == before
    assert statuses(client, documents, 207, "?dry_run=false") == said
    assert client.get(PATH).get_json() != before


def test_a_dry_run_is_true_or_false(client: FlaskClient) -> None:
    """Any other value is refused, and nothing is written."""
    response = client.post(f"{PATH}?dry_run=1", json=[campaign("new")])
    assert wrong_fields(response) == {"dry_run"}
    problem_of(client.get(f"{PATH}/new"), 404)


def test_the_last_of_one_id_counts(client: FlaskClient) -> None:
    """One id twice in an upload is made and then updated."""
    documents = [campaign(priority=0.1), campaign(priority=0.2), campaign(priority=0.2)]
    assert statuses(client, documents, 200) == ["created", "updated", "unchanged"]
    assert client.get(f"{PATH}/summer").get_json()["priority"] == 0.2


def test_there_and_back_in_one_upload(client: FlaskClient) -> None:
    """Changed and changed back, a campaign is what it was."""
    client.put(f"{PATH}/summer", json=campaign(priority=0.1))
    documents = [campaign(priority=0.2), campaign(priority=0.1)]
    assert statuses(client, documents, 200) == ["updated", "updated"]
    assert client.get(f"{PATH}/summer").get_json()["priority"] == 0.1


def test_what_get_gives_put_takes(client: FlaskClient) -> None:
    """A campaign with everything in it comes back so that it can be sent again unchanged."""
    everything = campaign(
        urls=[
            "https://Shop.example/A?utm_source=x",
            {
                "url": "https://shop.example/b",
                "title": "B",
                "keywords": ["b, or not", "c"],
                "description": "All of B",
            },
        ],
        name="All of it",
        starts="2026-01-01T00:00:00+02:00",
        ends=1_900_000_000,
        active=False,
    )
    client.put(f"{PATH}/summer", json=everything)
    found = client.get(f"{PATH}/summer").get_json()
    assert found["urls"] == everything["urls"]
    assert found["starts"] == "2025-12-31T22:00:00.000Z"
    assert statuses(client, [found], 200) == ["unchanged"]


def test_the_listing_walks_everything_once(client: FlaskClient) -> None:
    """Page by page, every campaign comes once and in the order of ids."""
    client.post(PATH, json=[campaign(f"c.{n:03}-_Z") for n in range(25)])
    whole = [c["id"] for c in client.get(PATH).get_json()["campaigns"]]
    assert whole == sorted(whole)
    assert len(whole) == 29
    assert client.get(PATH).get_json()["next"] is None
    for limit in (1, 7, 28, 29, 1_000):
        assert walked(client, PATH, "campaigns", limit) == whole
