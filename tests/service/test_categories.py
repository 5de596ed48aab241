"""/v1/categories, and their labels."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.service.asking import ask, category_of, get
from tests.service.problems import wrong_fields
from tests.support.running import batch
from tests.support.world import by_total, landing, page
from webrec.serving.engine import Engine


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
