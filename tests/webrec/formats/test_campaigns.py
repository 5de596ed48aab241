"""The campaign document."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrec.formats.samples import NOW, URL, ids, page_objects, times, urls
from webrec.domain.types import AdPage, Campaign, Page
from webrec.errors import FieldError, InvalidDocument
from webrec.formats.campaigns import campaign_document, parse_campaign
from webrec.formats.json import read_json
from webrec.formats.times import DAY_MS, MAX_TIME_MS


def campaign_errors(document: object, named: str | None = None) -> list[FieldError]:
    """What is wrong with the campaign."""
    with pytest.raises(InvalidDocument) as raised:
        parse_campaign(document, named)
    return list(raised.value.errors)


def test_everything() -> None:
    """Each field arrives where it belongs; a URL is shown as it was given."""
    document = {
        "id": "summer",
        "urls": [
            "https://shop.example/?utm_source=us",
            {"url": "https://shop.example/#top", "title": "Shop", "keywords": "sea, sand"},
            {"url": "https://shop.example/b", "description": None},
        ],
        "priority": 1,
        "name": "Summer",
        "starts": "2026-06-01",
        "ends": "2099-09-01T00:00:00+02:00",
        "active": False,
    }
    assert parse_campaign(document) == Campaign(
        id="summer",
        ads=(
            AdPage("https://shop.example/?utm_source=us", Page("https://shop.example/")),
            AdPage(
                "https://shop.example/#top",
                Page("https://shop.example/", "Shop", ("sea", "sand")),
            ),
            AdPage("https://shop.example/b", Page("https://shop.example/b")),
        ),
        priority=1.0,
        name="Summer",
        starts_ms=1_780_272_000_000,
        ends_ms=4_091_896_800_000,
        active=False,
    )


def test_least() -> None:
    """Id, URLs and priority are enough: it then runs without end."""
    document = {"id": "a", "urls": [URL], "priority": 0.5, "active": None, "ends": None}
    assert parse_campaign(document) == Campaign("a", (AdPage(URL, Page(URL)),), 0.5)


def test_id_of_the_path() -> None:
    """The id of the path does for one in the document, and another one is refused."""
    document = {"urls": [URL], "priority": 0}
    expected = parse_campaign({**document, "id": "a"})
    assert parse_campaign(document, "a") == expected
    assert parse_campaign({**document, "id": None}, "a") == expected
    assert parse_campaign({**document, "id": "a"}, "a") == expected
    assert campaign_errors({**document, "id": "b", "priority": 2}, "a") == [
        FieldError("id", "must be the id in the path, or left out"),
        FieldError("priority", "must be at most 1"),
    ]
    assert [e.field for e in campaign_errors(document, "a b")] == ["id"]
    assert campaign_errors(document) == [FieldError("id", "is required")]
    assert campaign_errors([], "a") == [FieldError("", "must be an object")]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("id", "", "must not be empty"),
        ("id", "x" * 129, "must have at most 128 characters"),
        ("id", "a/b", "must have letters, digits, '.', '_' and '-' only"),
        ("id", "a\n", "must have letters, digits, '.', '_' and '-' only"),
        ("id", "é", "must have letters, digits, '.', '_' and '-' only"),
        ("urls", [], "must not be empty"),
        ("urls", [URL] * 10_001, "must have at most 10,000 entries"),
        ("urls", URL, "must be a list"),
        ("priority", -0.1, "must be at least 0"),
        ("priority", 1.1, "must be at most 1"),
        ("priority", True, "must be a number"),
        ("priority", "1", "must be a number"),
        ("priority", math.nan, "must be a finite number"),
        ("priority", None, "is required"),
        ("name", 5, "must be a string"),
        ("active", "yes", "must be true or false"),
        ("starts", "soon", "must be ISO 8601, like 2026-01-31T12:00:00Z, from 1970 on"),
    ],
)
def test_wrong_field(field: str, value: object, message: str) -> None:
    """A wrong field is named, with what to do about it."""
    document = {"id": "a", "urls": [URL], "priority": 0.5, field: value}
    assert campaign_errors(document) == [FieldError(field, message)]


def test_wrong_pages() -> None:
    """A wrong landing page is named by its position and its own field."""
    urls = [URL, "x", {"url": URL, "title": 5, "keywords": [1]}, {"title": "x"}, 5, True]
    assert campaign_errors({"id": "a", "urls": urls, "priority": 0}) == [
        FieldError("urls.1", "the URL must start with http:// or https://"),
        FieldError("urls.2.keywords.0", "must be a string"),
        FieldError("urls.2.title", "must be a string"),
        FieldError("urls.3.url", "is required"),
        FieldError("urls.4", "must be a URL, or an object with one in url"),
        FieldError("urls.5", "must be a URL, or an object with one in url"),
    ]


@pytest.mark.parametrize("ends", [NOW, NOW - 1, "2026-01-01"])
def test_ends_after_starts(ends: object) -> None:
    """A campaign that would never run is refused, along with what else is wrong."""
    document = {"id": "a", "urls": [], "priority": 0, "starts": NOW, "ends": ends}
    assert campaign_errors(document) == [
        FieldError("urls", "must not be empty"),
        FieldError("ends", "must be after starts"),
    ]
    later = {**document, "urls": [URL], "ends": NOW + 1}
    assert parse_campaign(later).ends_ms == NOW + 1


def test_document() -> None:
    """The document leaves out what is absent, and writes times in UTC with milliseconds."""
    campaign = Campaign(
        "a",
        (AdPage(URL, Page(URL)), AdPage("http://B", Page("http://b/", keywords=("x", "y")))),
        0.5,
        starts_ms=NOW,
    )
    assert campaign_document(campaign) == {
        "id": "a",
        "urls": [URL, {"url": "http://B", "keywords": ["x", "y"]}],
        "priority": 0.5,
        "starts": "2026-01-01T00:00:00.000Z",
        "active": True,
    }


_campaigns = st.fixed_dictionaries(
    {"id": ids, "urls": st.lists(urls | page_objects, min_size=1), "priority": st.floats(0, 1)},
    optional={
        "name": st.text(),
        "starts": times,
        "ends": st.integers(NOW + DAY_MS + 1, MAX_TIME_MS),
        "active": st.booleans() | st.none(),
    },
)


@pytest.mark.parametrize("keywords", ["x" * 10_000, "x," * 5_000])
def test_long_keywords_come_back(keywords: str) -> None:
    """Keywords given as the longest text are still right when written as a list."""
    page = {"url": URL, "keywords": keywords}
    campaign = parse_campaign({"id": "a", "urls": [page], "priority": 1})
    assert parse_campaign(campaign_document(campaign)) == campaign


@given(_campaigns)
def test_campaign_comes_back(document: dict[str, Any]) -> None:
    """The document of a campaign, through JSON, makes the same campaign."""
    campaign = parse_campaign(document)
    written = json.dumps(campaign_document(campaign)).encode()
    assert parse_campaign(read_json(written)) == campaign
