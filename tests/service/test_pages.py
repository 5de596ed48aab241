"""/v1/pages."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.service.asking import get
from tests.service.problems import problem_of, wrong_fields
from tests.support import world
from tests.support.world import page


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
