"""The recommendation request."""

import math

import pytest

from tests.webrec.formats.samples import GOOGLEBOT, NOW, URL, request, request_errors
from webrec.domain.types import Event
from webrec.errors import FieldError, InvalidDocument
from webrec.formats.requests import parse_request
from webrec.formats.schemas import REQUEST_SCHEMA


def test_defaults() -> None:
    """Only the URL is required; the rest has its defaults."""
    parsed = request()
    assert (parsed.url, parsed.visitor, parsed.at_ms) == (URL, None, NOW)
    assert (parsed.mode, parsed.filter, parsed.limit) == ("related", None, 10)
    assert (parsed.exclude, parsed.campaigns, parsed.repeat) == ((), None, None)
    assert (parsed.track, parsed.explain) == (True, False)
    assert (parsed.title, parsed.keywords, parsed.description) == ("", (), "")
    assert (parsed.environment, parsed.user_agent) == ({}, None)


def test_null_is_absent() -> None:
    """Null for an optional field is as if the field were not there; the URL must be there."""
    fields = REQUEST_SCHEMA["properties"].keys() - {"url"}
    assert request(**dict.fromkeys(fields)) == request()
    assert request_errors(url=None) == [FieldError("url", "is required")]


def test_unknown_fields_are_ignored() -> None:
    """Fields that a request does not have may hold anything."""
    assert request(imp=[{"id": 1}], now_ms=3, URL=0) == request()


def test_everything() -> None:
    """Each field arrives where it belongs."""
    parsed = request(
        url="HTTPS://Example.org/a?utm_source=x#top",
        user="anna",
        ip="192.0.2.1",
        timestamp="2025-12-31T23:00:00Z",
        environment={"user_agent": "Firefox", "language": "en"},
        keywords=[" travel ", "", "  ", "sea"],
        title=" A title ",
        description="About it",
        mode="sponsored",
        filter="collaborative",
        limit=100,
        exclude=["https://example.org/b#x", "https://example.org"],
        campaigns=["summer", "a.b_c-1"],
        repeat=False,
        track=False,
        explain=True,
    )
    assert (parsed.url, parsed.visitor) == (URL, "u:anna")
    assert parsed.at_ms == NOW - 3_600_000
    assert parsed.environment == {"user_agent": "Firefox", "language": "en"}
    assert parsed.user_agent == "Firefox"
    assert parsed.keywords == ("travel", "sea")
    assert (parsed.title, parsed.description) == ("A title", "About it")
    assert (parsed.mode, parsed.filter, parsed.limit) == ("sponsored", "collaborative", 100)
    assert parsed.exclude == ("https://example.org/b", "https://example.org/")
    assert parsed.campaigns == ("summer", "a.b_c-1")
    assert (parsed.repeat, parsed.track, parsed.explain) == (False, False, True)


def test_visitor() -> None:
    """The login id counts before the address; one address is one visitor."""
    assert request(user="i:1", ip="192.0.2.1").visitor == "u:i:1"
    assert request(ip="::ffff:192.0.2.1").visitor == "i:192.0.2.1"
    assert request(ip="2001:DB8::0:1").visitor == "i:2001:db8::1"


def test_keywords_as_text() -> None:
    """Keywords may be one string with commas between."""
    assert request(keywords=" travel, sea ,, south coast,").keywords == (
        "travel",
        "sea",
        "south coast",
    )
    assert request(keywords="").keywords == ()


def test_no_campaign_is_not_every_campaign() -> None:
    """An empty list of campaigns stays apart from a missing one."""
    assert request(campaigns=[]).campaigns == ()


def test_whole_number() -> None:
    """10.0 is a whole number, as JSON has no other way to tell."""
    limit = request(limit=10.0).limit
    assert (limit, type(limit)) == (10, int)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("url", 5, "must be a string"),
        ("url", "", "the URL must start with http:// or https://"),
        ("url", "ftp://a/", "the URL must start with http:// or https://"),
        ("url", "https://a b/", "the URL is not valid: write it like https://example.org/page"),
        ("url", "https://a/" + "b" * 8_192, "must have at most 8,192 characters"),
        ("url", "https://a/\ud800", "must be valid Unicode text"),
        ("user", "", "must not be empty"),
        ("user", "x" * 257, "must have at most 256 characters"),
        ("user", 7, "must be a string"),
        ("user", "\udfff", "must be valid Unicode text"),
        ("ip", "", "must be an IPv4 or IPv6 address"),
        ("ip", "1.2.3.256", "must be an IPv4 or IPv6 address"),
        ("ip", 16_909_060, "must be a string"),
        ("ip", "fe80::1%eth0", "must be an IPv6 address without a zone"),
        ("environment", [], "must be an object"),
        ("keywords", 5, "must be a list of strings, or one string with commas between"),
        ("keywords", {}, "must be a list of strings, or one string with commas between"),
        ("keywords", ["x"] * 10_001, "must have at most 10,000 entries"),
        ("keywords", "x" * 10_001, "must have at most 10,000 characters"),
        ("title", "x" * 10_001, "must have at most 10,000 characters"),
        ("description", ["x"], "must be a string"),
        ("mode", "both", "must be 'related' or 'sponsored'"),
        ("mode", 1, "must be 'related' or 'sponsored'"),
        ("filter", "", "must be 'content' or 'collaborative'"),
        ("limit", 0, "must be at least 1"),
        ("limit", 101, "must be at most 100"),
        ("limit", 10**30, "must be at most 100"),
        ("limit", "10", "must be a whole number"),
        ("limit", 1.5, "must be a whole number"),
        ("limit", True, "must be a whole number"),
        ("limit", math.inf, "must be a whole number"),
        ("exclude", "https://a/", "must be a list"),
        ("exclude", ["https://a/"] * 101, "must have at most 100 entries"),
        ("campaigns", "summer", "must be a list"),
        ("repeat", 1, "must be true or false"),
        ("track", "true", "must be true or false"),
        ("explain", 0, "must be true or false"),
    ],
)
def test_wrong_field(field: str, value: object, message: str) -> None:
    """A wrong field is named, with what to do about it."""
    assert request_errors(**{field: value}) == [FieldError(field, message)]


def test_every_wrong_field_at_once() -> None:
    """All wrong fields are reported, entries by their position, in the order of the fields."""
    fields = {
        "url": None,
        "timestamp": "tomorrow",
        "environment": {"a": 1, "k" * 300: "x", "\ud800": "x"},
        "keywords": ["a", 4, "x" * 10_001],
        "limit": 0,
        "exclude": ["https://a/", "b", 3],
        "campaigns": ["a b"],
        "repeat": "no",
    }
    assert [e.field for e in request_errors(**fields)] == [
        "url",
        "timestamp",
        "environment.a",
        "environment." + "k" * 64 + "…",
        "environment.���",
        "keywords.1",
        "keywords.2",
        "limit",
        "exclude.1",
        "exclude.2",
        "campaigns.0",
        "repeat",
    ]


def test_long_input_is_not_repeated() -> None:
    """Messages stay short whatever was sent."""
    long = "x" * 100_000
    fields = dict.fromkeys(REQUEST_SCHEMA["properties"], long) | {"environment": {long: long}}
    errors = request_errors(**fields)
    assert len(errors) >= 12
    assert max(len(e.field) + len(e.message) for e in errors) < 200


@pytest.mark.parametrize("document", [None, [], "x", 5, True, [("url", URL)]])
def test_no_object(document: object) -> None:
    """What is no object is refused as a whole."""
    with pytest.raises(InvalidDocument) as raised:
        parse_request(document, NOW)
    assert raised.value.errors == (FieldError("", "must be an object"),)


def test_event() -> None:
    """A request stands for a visit with the page's words, and with a bot's where it is one."""
    parsed = request(user="anna", timestamp=NOW - 5, title="T", keywords="a,b", description="D")
    assert parsed.event() == Event(
        kind="visit",
        url=URL,
        visitor="u:anna",
        at_ms=NOW - 5,
        title="T",
        keywords=("a", "b"),
        description="D",
    )
    assert request(environment={"user_agent": GOOGLEBOT}).event().bot
