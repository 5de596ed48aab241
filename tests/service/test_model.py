"""Pages, categories, communities, users and models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from tests.service.problems import problem_of, wrong_fields
from tests.service.test_campaigns import walked
from tests.service.test_recommendations import ask, visits
from tests.support import world
from tests.support.running import batch
from tests.support.world import READERS, by_total, landing, page
from webrec.serving.engine import Engine


def get(client: FlaskClient, path: str, **query: object) -> dict[str, Any]:
    """A good answer to a GET."""
    response = client.get(path, query_string=query)
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/json"
    found: dict[str, Any] = response.get_json()
    return found


def category_of(client: FlaskClient, theme: str) -> str:
    """The id of a theme's category."""
    found = get(client, "/v1/pages", url=page(theme, 0))["category"]["id"]
    assert isinstance(found, str)
    return found


def community_of(client: FlaskClient, theme: str) -> str:
    """The id of a theme's readership."""
    found = get(client, "/v1/users", user=READERS[theme][0][2:])["community"]
    assert isinstance(found, str)
    return found


# --- pages ---------------------------------------------------------------------------------------


def test_a_page(client: FlaskClient) -> None:
    """A page, in any spelling, is shown in its canonical one with category and affinity."""
    found = get(client, "/v1/pages", url="HTTPS://cooking.example:443/page-1?utm_source=x#top")
    assert found["url"] == page("cooking", 1)
    assert found["category"].keys() == {"id", "label"}
    assert found["affinity"] == 6
    textless = get(client, "/v1/pages", url=world.TEXTLESS_PAGE)
    assert textless == {
        "url": world.TEXTLESS_PAGE,
        "category": None,
        "category_source": None,
        "affinity": 1,
    }


def test_a_page_nobody_knows(client: FlaskClient) -> None:
    """An unknown page is 404, a URL that is none, or missing, 422."""
    problem_of(client.get("/v1/pages", query_string={"url": world.STRANGER_PAGE}), 404)
    assert wrong_fields(client.get("/v1/pages?url=nonsense")) == {"url"}
    assert wrong_fields(client.get("/v1/pages")) == {"url"}


def test_many_pages(client: FlaskClient) -> None:
    """Pages are looked up in the order asked, of any length; unknown ones are null."""
    long = "https://long.example/" + "x" * 20_000
    urls = [page("football", 1), long, page("cooking", 1), page("football", 1)]
    found = client.post("/v1/pages", json={"urls": urls}).get_json()
    assert found.keys() == {"pages"}
    assert [None if p is None else p["url"] for p in found["pages"]] == [
        urls[0],
        None,
        urls[2],
        urls[0],
    ]
    assert found["pages"][0] == get(client, "/v1/pages", url=urls[0])


def test_how_many_pages(client: FlaskClient) -> None:
    """None and a thousand may be looked up at once, one more may not."""
    url = page("football", 1)
    assert client.post("/v1/pages", json={"urls": []}).get_json() == {"pages": []}
    assert len(client.post("/v1/pages", json={"urls": [url] * 1_000}).get_json()["pages"]) == 1_000
    assert wrong_fields(client.post("/v1/pages", json={"urls": [url] * 1_001})) == {"urls"}


def test_wrong_pages(client: FlaskClient) -> None:
    """Every URL that is none is named by its place."""
    urls = ["nonsense", page("cooking", 1), 5, "ftp://x.example/"]
    assert wrong_fields(client.post("/v1/pages", json={"urls": urls})) == {
        "urls.0",
        "urls.2",
        "urls.3",
    }
    assert wrong_fields(client.post("/v1/pages", json={})) == {"urls"}
    assert wrong_fields(client.post("/v1/pages", json=["x"])) == {""}


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


# --- categories ----------------------------------------------------------------------------------


def test_the_categories(client: FlaskClient) -> None:
    """Each theme is a category with its keywords, its size and its total affinity."""
    listing = get(client, "/v1/categories")
    assert listing.keys() == {"categories", "next"}
    assert len(listing["categories"]) == 3
    for category in listing["categories"]:
        assert category.keys() == {"id", "label", "label_source", "keywords", "size", "affinity"}
        assert category["label_source"] == "suggested"
        assert category["label"]
        assert category["keywords"]
        assert category["size"] == 11
    sums = {c["id"]: c["affinity"] for c in listing["categories"]}
    assert sums[category_of(client, "cooking")] == 6 + 5 + 8 * 3
    assert sums[category_of(client, "football")] == 6 + 5 + 8 * 3 + 2


@pytest.mark.parametrize("theme", ["astronomy", "cooking", "football"])
def test_one_category(client: FlaskClient, theme: str) -> None:
    """A category shows its URLs in the order of its list, with their affinities."""
    found = get(client, f"/v1/categories/{category_of(client, theme)}")
    assert [u["url"] for u in found["urls"]] == by_total(theme)
    assert [u["affinity"] for u in found["urls"]][:2] == [6, 5]
    assert found["urls"][-1] == {"url": landing(theme), "affinity": 0}
    assert found["next"] is None
    listed = get(client, "/v1/categories")["categories"]
    assert {k: v for k, v in found.items() if k not in ("urls", "next")} in listed


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 1_000])
def test_listings_walk_everything_once(client: FlaskClient, limit: int) -> None:
    """Cursors lead through every listing without a gap or a repeat."""
    for plural in ("categories", "communities"):
        whole = [found["id"] for found in get(client, f"/v1/{plural}")[plural]]
        assert len(set(whole)) == 3
        assert walked(client, f"/v1/{plural}", plural, limit) == whole
    path = f"/v1/categories/{category_of(client, 'football')}"
    assert walked(client, path, "urls", limit, "url") == by_total("football")
    path = f"/v1/communities/{community_of(client, 'football')}"
    whole = [u["url"] for u in get(client, path)["urls"]]
    assert walked(client, path, "urls", limit, "url") == whole


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "1.0", "", "٣", "999999"])
@pytest.mark.parametrize(
    "path",
    ["/v1/campaigns", "/v1/categories", "/v1/categories/c1", "/v1/communities/g1"],
)
def test_a_limit_that_is_none(client: FlaskClient, path: str, limit: str) -> None:
    """A listing gives from 1 to 1,000."""
    assert wrong_fields(client.get(path, query_string={"limit": limit})) == {"limit"}


@pytest.mark.parametrize(
    "path", ["/v1/categories", "/v1/communities", "/v1/categories/c1", "/v1/communities/g1"]
)
@pytest.mark.parametrize("cursor", ["nonsense", "-1", "9" * 30, "٣"])
def test_a_cursor_that_is_none(client: FlaskClient, path: str, cursor: str) -> None:
    """A cursor that no listing gave is refused."""
    assert wrong_fields(client.get(path, query_string={"cursor": cursor})) == {"cursor"}


def test_a_label(client: FlaskClient, engine: Engine) -> None:
    """A name given by a person shows everywhere at once and survives the next batch."""
    category = category_of(client, "cooking")
    response = client.put(f"/v1/categories/{category}/label", json={"label": " Food & drink "})
    assert response.status_code == 200
    assert response.get_json()["label"] == "Food & drink"
    assert response.get_json()["label_source"] == "manual"
    for _ in range(2):
        found = get(client, f"/v1/categories/{category}")
        assert (found["label"], found["label_source"]) == ("Food & drink", "manual")
        shown = {"id": category, "label": "Food & drink"}
        assert get(client, "/v1/pages", url=page("cooking", 0))["category"] == shown
        answer = ask(client, url=page("cooking", 0), track=False)
        assert answer["items"][0]["category"] == shown
        assert get(client, "/v1/users", user="dilan")["cats"][0]["label"] == "Food & drink"
        batch(engine)


@pytest.mark.parametrize("label", ["", "  ", "x" * 201, 5, None, ["x"]])
def test_what_no_label_may_be(client: FlaskClient, label: object) -> None:
    """A label is a text of 1 to 200 characters."""
    response = client.put("/v1/categories/c1/label", json={"label": label})
    assert wrong_fields(response) == {"label"}


def test_unknown_ids(client: FlaskClient) -> None:
    """What the active model does not have is 404, whatever its id looks like."""
    for unknown in ("c999", "g1", "%00", "ä", "a%2Fb", "..", "x" * 5_000):
        problem_of(client.get(f"/v1/categories/{unknown}"), 404)
        problem_of(client.put(f"/v1/categories/{unknown}/label", json={"label": "x"}), 404)
        problem_of(client.get(f"/v1/campaigns/{unknown}"), 404)
        problem_of(client.delete(f"/v1/campaigns/{unknown}"), 404)
        problem_of(client.post(f"/v1/models/{unknown}/activate"), 404)
    problem_of(client.get("/v1/communities/c1"), 404)


# --- communities ---------------------------------------------------------------------------------


def test_the_communities(client: FlaskClient) -> None:
    """The three readerships are the communities, four readers each."""
    listing = get(client, "/v1/communities")
    assert listing.keys() == {"communities", "next"}
    assert [c["size"] for c in listing["communities"]] == [4, 4, 4]
    assert all(c.keys() == {"id", "size"} for c in listing["communities"])


def test_one_community(client: FlaskClient) -> None:
    """A community shows what its members read, best first, and their categories."""
    found = get(client, f"/v1/communities/{community_of(client, 'cooking')}")
    assert found.keys() == {"id", "size", "urls", "cats", "next"}
    assert [u["url"] for u in found["urls"]] == [
        page("cooking", n) for n in (1, 0, 2, 3, 4, 5, 6, 7, 8, 9)
    ] + [world.TEXTLESS_PAGE]
    first = {"url": page("cooking", 1), "visits": 3, "accepts": 1, "rank_score": 6}
    assert found["urls"][0] == first
    assert found["urls"][1]["rank_score"] == 3
    (cat,) = found["cats"]
    assert cat.keys() == {"id", "label", "visits", "accepts"}
    assert (cat["id"], cat["visits"], cat["accepts"]) == (category_of(client, "cooking"), 30, 1)


# --- users ---------------------------------------------------------------------------------------


def test_a_user(client: FlaskClient) -> None:
    """A profile has the visitor's community, pages and categories, most visited first."""
    client.post("/v1/events", json={"type": "visit", "url": page("cooking", 6), "user": "dilan"})
    found = get(client, "/v1/users", user="dilan")
    assert found.keys() == {"community", "community_source", "urls", "cats"}
    assert found["community_source"] == "batch"
    assert found["community"] == get(client, "/v1/users", user="edith")["community"]
    assert found["urls"][0] == {"url": page("cooking", 6), "visits": 2, "accepts": 0}
    assert found["urls"][1] == {"url": page("cooking", 1), "visits": 1, "accepts": 1}
    (cat,) = found["cats"]
    assert (cat["id"], cat["visits"], cat["accepts"]) == (category_of(client, "cooking"), 8, 1)


def test_users_and_addresses_are_separate_name_spaces(client: FlaskClient) -> None:
    """A login id that looks like an address is not that address; an address has one spelling."""
    assert get(client, "/v1/users", ip="192.0.2.4")["community"] is not None
    problem_of(client.get("/v1/users?user=192.0.2.4"), 404)
    problem_of(client.get("/v1/users?user=i:192.0.2.4"), 404)
    short, long = "2001:db8::c", "2001:0DB8:0:0:0:0:0:C"
    assert get(client, "/v1/users", ip=short) == get(client, "/v1/users", ip=long)
    assert get(client, "/v1/users", user="anna", ip="192.0.2.8") == get(
        client, "/v1/users", user="anna"
    )


def test_whom_to_name(client: FlaskClient) -> None:
    """A visitor is named by a user or an address that can be one."""
    assert wrong_fields(client.get("/v1/users")) == {"user"}
    assert wrong_fields(client.get("/v1/users?user=")) == {"user"}
    assert wrong_fields(client.get("/v1/users", query_string={"user": "x" * 257})) == {"user"}
    assert wrong_fields(client.get("/v1/users?ip=1.2.3")) == {"ip"}
    assert wrong_fields(client.get("/v1/users?user=&ip=1.2.3")) == {"user", "ip"}
    assert wrong_fields(client.delete("/v1/users")) == {"user"}
    problem_of(client.get("/v1/users", query_string={"user": "x" * 256}), 404)


def test_the_newcomer_has_no_community(client: FlaskClient) -> None:
    """Two visits make a profile without a community."""
    assert get(client, "/v1/users", user="nora")["community"] is None


def test_forgetting_is_at_once_and_for_good(client: FlaskClient, engine: Engine) -> None:
    """A forgotten visitor is a stranger at once, for recommendations too, and after a batch."""
    request = {"url": world.STRANGER_PAGE, "user": "anna", "track": False}
    client.post("/v1/events", json={"type": "visit", "url": page("football", 1), "user": "anna"})
    assert ask(client, **request)["algorithm"] == "WebR.Rel.Col"
    response = client.delete("/v1/users?user=anna")
    assert (response.status_code, response.data) == (204, b"")
    problem_of(client.get("/v1/users?user=anna"), 404)
    assert ask(client, **request)["algorithm"] == "WebR.Rel.Default"
    batch(engine)
    problem_of(client.get("/v1/users?user=anna"), 404)
    affinity = get(client, "/v1/pages", url=page("astronomy", 1))["affinity"]
    assert affinity == 6 - 1 * 3 - 1


def test_a_forgotten_visitor_may_come_back(client: FlaskClient) -> None:
    """What happens after forgetting counts again, and only that."""
    client.delete("/v1/users?user=anna")
    ask(client, url=page("football", 1), user="anna")
    assert visits(client, user="anna") == {page("football", 1): 1}


def test_forgetting_a_stranger(client: FlaskClient) -> None:
    """Nobody need be known to be forgotten."""
    assert client.delete("/v1/users?ip=203.0.113.9").status_code == 204


# --- models --------------------------------------------------------------------------------------


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
