"""The documents that users send."""

import json
import math
import time
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrec.domain.types import AdPage, Campaign, Event, Page
from webrec.errors import FieldError, InvalidDocument, NotJson
from webrec.formats.documents import (
    CAMPAIGN_SCHEMA,
    DAY_MS,
    EVENT_SCHEMA,
    MAX_TIME_MS,
    NAMED_CAMPAIGN_SCHEMA,
    REQUEST_SCHEMA,
    campaign_document,
    iter_ndjson,
    parse_campaign,
    parse_event,
    parse_request,
    read_json,
)

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
URL = "https://example.org/a"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def request(**fields: Any) -> Any:
    """The parsed request with these fields and a URL."""
    return parse_request({"url": URL, **fields}, NOW)


def request_errors(**fields: Any) -> list[FieldError]:
    """What is wrong with the request."""
    with pytest.raises(InvalidDocument) as raised:
        request(**fields)
    return list(raised.value.errors)


def campaign_errors(document: object, named: str | None = None) -> list[FieldError]:
    """What is wrong with the campaign."""
    with pytest.raises(InvalidDocument) as raised:
        parse_campaign(document, named)
    return list(raised.value.errors)


class TestBytes:
    """JSON and NDJSON."""

    def test_reads(self) -> None:
        """A document is read, with a byte order mark or without."""
        assert read_json(b'{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}
        assert read_json(b"\xef\xbb\xbf[]") == []

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"", "line 1 column 1"),
            (b'{"a": 1,\n "b": x}', "line 2 column 7"),
            (b"[NaN]", "line 1 column 2"),
            (b'{"a": "\\ud800"}', "line 1 column"),
            (b'["caf\xe9"]', "byte 6 is not UTF-8"),
            (b"[" * 100_000, "line 1 column"),
            (b"x" * 100_000, "line 1 column 1"),
        ],
    )
    def test_broken(self, body: bytes, message: str) -> None:
        """What is no JSON is refused with the place, and is not repeated."""
        with pytest.raises(NotJson, match=message) as raised:
            read_json(body)
        assert len(str(raised.value)) < 120

    def test_ndjson(self) -> None:
        """Each line has its document or its error; blank lines are not counted."""
        body = b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"a": \n"x"\n\xff\nnull'
        found = [(i, d if not isinstance(d, NotJson) else str(d)) for i, d in iter_ndjson(body)]
        assert [i for i, _ in found] == [0, 1, 2, 3, 4]
        assert [d for i, d in found if i in (0, 2, 4)] == [{"a": 1}, "x", None]
        assert "column" in str(found[1][1])
        assert found[3][1] == "byte 1 is not UTF-8"

    def test_ndjson_of_nothing(self) -> None:
        """No lines are no documents."""
        assert list(iter_ndjson(b"")) == list(iter_ndjson(b"\n \n")) == []


class TestRequest:
    """The recommendation request."""

    def test_defaults(self) -> None:
        """Only the URL is required; the rest has its defaults."""
        parsed = request()
        assert (parsed.url, parsed.visitor, parsed.at_ms) == (URL, None, NOW)
        assert (parsed.mode, parsed.filter, parsed.limit) == ("related", None, 10)
        assert (parsed.exclude, parsed.campaigns, parsed.repeat) == ((), None, None)
        assert (parsed.track, parsed.explain) == (True, False)
        assert (parsed.title, parsed.keywords, parsed.description) == ("", (), "")
        assert (parsed.environment, parsed.user_agent) == ({}, None)

    def test_null_is_absent(self) -> None:
        """Null for an optional field is as if the field were not there; the URL must be there."""
        fields = REQUEST_SCHEMA["properties"].keys() - {"url"}
        assert request(**dict.fromkeys(fields)) == request()
        assert request_errors(url=None) == [FieldError("url", "is required")]

    def test_unknown_fields_are_ignored(self) -> None:
        """Fields that nobody reads may hold anything."""
        assert request(imp=[{"id": 1}], now_ms=3, URL=0) == request()

    def test_everything(self) -> None:
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

    def test_visitor(self) -> None:
        """The login id counts before the address; one address is one visitor."""
        assert request(user="i:1", ip="192.0.2.1").visitor == "u:i:1"
        assert request(ip="::ffff:192.0.2.1").visitor == "i:192.0.2.1"
        assert request(ip="2001:DB8::0:1").visitor == "i:2001:db8::1"

    def test_keywords_as_text(self) -> None:
        """Keywords may be one string with commas between."""
        assert request(keywords=" travel, sea ,, south coast,").keywords == (
            "travel",
            "sea",
            "south coast",
        )
        assert request(keywords="").keywords == ()

    def test_no_campaign_is_not_every_campaign(self) -> None:
        """An empty list of campaigns stays apart from a missing one."""
        assert request(campaigns=[]).campaigns == ()

    def test_whole_number(self) -> None:
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
    def test_wrong_field(self, field: str, value: object, message: str) -> None:
        """A wrong field is named, with what to do about it."""
        assert request_errors(**{field: value}) == [FieldError(field, message)]

    def test_every_wrong_field_at_once(self) -> None:
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

    def test_long_input_is_not_repeated(self) -> None:
        """Messages stay short whatever was sent."""
        long = "x" * 100_000
        fields = dict.fromkeys(REQUEST_SCHEMA["properties"], long) | {"environment": {long: long}}
        errors = request_errors(**fields)
        assert len(errors) >= 12
        assert max(len(e.field) + len(e.message) for e in errors) < 200

    @pytest.mark.parametrize("document", [None, [], "x", 5, True, [("url", URL)]])
    def test_no_object(self, document: object) -> None:
        """What is no object is refused as a whole."""
        with pytest.raises(InvalidDocument) as raised:
            parse_request(document, NOW)
        assert raised.value.errors == (FieldError("", "must be an object"),)

    def test_event(self) -> None:
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


class TestTime:
    """Timestamps."""

    @pytest.mark.parametrize(
        ("timestamp", "at_ms"),
        [
            ("2026-01-01T00:00:00Z", NOW),
            ("2026-01-01T00:00:00", NOW),
            ("2026-01-01t00:00:00z", NOW),
            ("2026-01-01 00:00", NOW),
            ("2026-01-01", NOW),
            ("2026-01-01T02:00:00+02:00", NOW),
            ("2025-12-31T18:30:00-0530", NOW),
            ("2026-01-01T01+01", None),
            ("2026-01-01T00:00:00.123456789Z", NOW + 123),
            ("2026-01-01T00:00:00,5Z", NOW + 500),
            ("1970-01-01", 0),
            (NOW, NOW),
            (NOW // 1000, NOW),
            (NOW / 1000 + 0.123, NOW + 123),
            (float(NOW), NOW),
            (0, 0),
            (99_999_999, 99_999_999_000),
            (100_000_000_000, 100_000_000_000),
            (NOW + DAY_MS, NOW + DAY_MS),
        ],
    )
    def test_read(self, timestamp: object, at_ms: int | None) -> None:
        """ISO 8601, epoch seconds and milliseconds are read; no zone means UTC."""
        if at_ms is None:
            assert request_errors(timestamp=timestamp)
        else:
            found = request(timestamp=timestamp).at_ms
            assert (found, type(found)) == (at_ms, int)

    @pytest.mark.parametrize(
        ("timestamp", "message"),
        [
            (NOW + DAY_MS + 1, "more than a day ahead"),
            ("2026-01-02T00:00:01Z", "more than a day ahead"),
            (99_999_999_999, "more than a day ahead"),
            (MAX_TIME_MS, "more than a day ahead"),
            (MAX_TIME_MS + 1, "must be at most"),
            (10**400, "must be a number"),
            (1e300, "must be at most"),
            (-1, "must be at least 0"),
            (-1e300, "must be at least 0"),
            (math.nan, "must be a finite number"),
            (math.inf, "must be a finite number"),
            ("1970-01-01T00:00:00+01:00", "between 1970 and 9999"),
            ("9999-12-31T23:59:59-01:00", "between 1970 and 9999"),
            ("1969-12-31", "must be ISO 8601"),
            ("0000-01-01", "must be ISO 8601"),
            ("2026-02-30", "must be a date that exists"),
            ("2026-13-01", "must be ISO 8601"),
            ("2026-01-01T24:00", "must be ISO 8601"),
            ("2026-01-01T00:00:00Z\n", "must be ISO 8601"),
            ("٢٠٢٦-01-01", "must be ISO 8601"),
            ("1767225600", "must be ISO 8601"),
            ("", "must be ISO 8601"),
            (True, "must be ISO 8601"),
            ([], "must be ISO 8601, or seconds"),
        ],
    )
    def test_refused(self, timestamp: object, message: str) -> None:
        """A time that cannot be meant is refused with the reason."""
        (error,) = request_errors(timestamp=timestamp)
        assert error.field == "timestamp"
        assert message in error.message

    def test_no_zone_means_utc_everywhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A time without a zone does not depend on where the service runs."""
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        try:
            assert request(timestamp="2026-01-01T00:00:00").at_ms == NOW
        finally:
            monkeypatch.undo()
            time.tzset()

    @given(st.text() | st.floats() | st.integers() | st.from_regex(r"[0-9T:+.Z-]{8,30}"))
    def test_anything(self, timestamp: object) -> None:
        """Any value is a time in bounds or refused."""
        try:
            at_ms = request(timestamp=timestamp).at_ms
        except InvalidDocument:
            return
        assert 0 <= at_ms <= NOW + DAY_MS


class TestEvent:
    """The event document."""

    def test_everything(self) -> None:
        """Each field arrives where it belongs."""
        document = {
            "type": "accept",
            "url": URL + "#x",
            "ip": "192.0.2.1",
            "timestamp": NOW,
            "environment": {"referrer": "r", "user_agent": GOOGLEBOT},
            "keywords": "a,b",
            "description": "D",
            "title": "T",
            "event_id": "e1",
            "answer": "r1",
        }
        assert parse_event(document, NOW + 5) == Event(
            kind="accept",
            url=URL,
            visitor="i:192.0.2.1",
            at_ms=NOW,
            event_id="e1",
            title="T",
            keywords=("a", "b"),
            description="D",
            bot=True,
            answer="r1",
            environment={"referrer": "r", "user_agent": GOOGLEBOT},
        )

    @pytest.mark.parametrize("kind", ["visit", "accept", "page"])
    def test_least(self, kind: str) -> None:
        """Type and URL are enough, and an empty answer is none."""
        document = {"type": kind, "url": URL, "answer": "", "event_id": None}
        assert parse_event(document, NOW) == Event(kind, URL, None, NOW)  # type: ignore[arg-type]

    def test_wrong_fields(self) -> None:
        """Type and URL are required, and all wrong fields are reported."""
        document = {"event_id": "", "answer": "x" * 257, "timestamp": NOW + DAY_MS + 1}
        with pytest.raises(InvalidDocument) as raised:
            parse_event(document, NOW)
        assert [e.field for e in raised.value.errors] == [
            "url",
            "timestamp",
            "type",
            "event_id",
            "answer",
        ]


class TestCampaign:
    """The campaign document."""

    def test_everything(self) -> None:
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

    def test_least(self) -> None:
        """Id, URLs and priority are enough: it then runs without end."""
        document = {"id": "a", "urls": [URL], "priority": 0.5, "active": None, "ends": None}
        assert parse_campaign(document) == Campaign("a", (AdPage(URL, Page(URL)),), 0.5)

    def test_id_of_the_path(self) -> None:
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
    def test_wrong_field(self, field: str, value: object, message: str) -> None:
        """A wrong field is named, with what to do about it."""
        document = {"id": "a", "urls": [URL], "priority": 0.5, field: value}
        assert campaign_errors(document) == [FieldError(field, message)]

    def test_wrong_pages(self) -> None:
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
    def test_ends_after_starts(self, ends: object) -> None:
        """A campaign that would never run is refused, along with what else is wrong."""
        document = {"id": "a", "urls": [], "priority": 0, "starts": NOW, "ends": ends}
        assert campaign_errors(document) == [
            FieldError("urls", "must not be empty"),
            FieldError("ends", "must be after starts"),
        ]
        later = {**document, "urls": [URL], "ends": NOW + 1}
        assert parse_campaign(later).ends_ms == NOW + 1

    def test_document(self) -> None:
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


# --- documents that are nearly right -------------------------------------------------------------


def _mostly(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One bad value in ten, so that whole documents have a chance to be right."""
    return st.integers(0, 9).flatmap(lambda n: good if n else bad)


_junk = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 200) | st.floats(-1e9, 1e9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
_url = st.sampled_from([URL, "http://b", "HTTP://C/?utm_x=1", " https://d/é#x"])
_bad_url = st.sampled_from(["", "b", "ftp://a/", "//a/", "http//a"])
_words = st.text(max_size=8)
_keywords = st.lists(_words, max_size=4) | _words
_iso = st.sampled_from(["2025-01-01", "2025-01-01T10:00:00Z", "2025-06-01 10:00+02:00"])
_time = _iso | st.integers(10**11, NOW + DAY_MS) | st.floats(0, NOW / 1000)
_odd_time = st.sampled_from(
    ["", "1969-01-01", "2025-01-01T", "x2025-01-01", "2025-01-01\n", -1, 1e18]
)
_id = st.sampled_from(["a", "a.b_c-1", "x" * 128, "..", "0"])
_bad_id = st.sampled_from(["", "a b", "é", "x" * 129, "a\n"])
_page_object = st.fixed_dictionaries(
    {"url": _url},
    optional={"title": _words | st.none(), "keywords": _keywords, "description": _words},
)

_sent = {
    "url": _mostly(_url, _bad_url),
    "user": st.text(max_size=3),
    "ip": st.ip_addresses().map(str),
    "timestamp": _mostly(_time, _odd_time),
    "environment": st.dictionaries(_words, _words, max_size=3),
    "keywords": _keywords,
    "description": _words,
    "title": _words,
}
_FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "request": {
        **_sent,
        "mode": _mostly(st.sampled_from(["related", "sponsored"]), st.just("x")),
        "filter": _mostly(st.sampled_from(["content", "collaborative"]), st.just("")),
        "limit": _mostly(st.sampled_from([1, 100, 10.0]), st.sampled_from([0, 101, 1.5])),
        "exclude": st.lists(_mostly(_url, _bad_url), max_size=3),
        "campaigns": st.lists(_mostly(_id, _bad_id), max_size=2),
        "repeat": st.booleans(),
        "track": st.booleans(),
        "explain": st.booleans(),
    },
    "event": {
        **_sent,
        "type": _mostly(st.sampled_from(["visit", "accept", "page"]), st.just("click")),
        "event_id": st.text(max_size=3),
        "answer": st.text(max_size=3),
    },
    "campaign": {
        "id": _mostly(_id, _bad_id),
        "urls": st.lists(_mostly(_url | _page_object, _bad_url), max_size=3),
        "priority": _mostly(st.sampled_from([0, 0.5, 1]), st.sampled_from([-1, 1.01])),
        "name": _words,
        "starts": _mostly(_iso, _odd_time),
        "ends": _mostly(st.just("2030-01-01"), st.sampled_from([1e18, "never", True, []])),
        "active": st.booleans(),
    },
}
_SCHEMAS = {"request": REQUEST_SCHEMA, "event": EVENT_SCHEMA, "campaign": CAMPAIGN_SCHEMA}
_VALIDATORS = {
    kind: jsonschema_rs.Draft202012Validator(
        schema,
        # The URL standard allows more than "uri" does, which is there to tell readers.
        formats={"uri": lambda _: True},
        validate_formats=True,
    )
    for kind, schema in _SCHEMAS.items()
}


@st.composite
def _nearly_right(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A document whose fields are mostly right; some are missing, null, or anything at all."""
    fields = _FIELDS[kind]
    required = _SCHEMAS[kind]["required"]
    document = {
        name: draw(strategy)
        for name, strategy in fields.items()
        if draw(st.integers(0, 20)) < (20 if name in required else 7)
    }
    if draw(st.booleans()):
        # No schema can say that "ends" is after "starts", so it is never just any number.
        document[draw(st.sampled_from(sorted(fields.keys() - {"ends"})))] = draw(_junk)
    return document


def _is_accepted(kind: str, document: object) -> bool:
    try:
        if kind == "campaign":
            parse_campaign(document)
        elif kind == "event":
            parse_event(document, NOW)
        else:
            parse_request(document, NOW)
    except InvalidDocument:
        return False
    return True


class TestSchemas:
    """The JSON Schemas."""

    @pytest.mark.parametrize("kind", _SCHEMAS)
    @given(data=st.data())
    def test_schema_describes_what_is_accepted(self, kind: str, data: st.DataObject) -> None:
        """A document is accepted if, and only if, it matches the schema."""
        document = data.draw(_nearly_right(kind) | _junk)
        assert _is_accepted(kind, document) == _VALIDATORS[kind].is_valid(document)

    @pytest.mark.parametrize("schema", [*_SCHEMAS.values(), NAMED_CAMPAIGN_SCHEMA])
    def test_schema_stands_alone(self, schema: dict[str, Any]) -> None:
        """Each schema is valid, plain JSON, and refers to nothing outside itself."""
        jsonschema_rs.meta.validate(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        )
        text = json.dumps(schema)
        assert "$ref" not in text
        assert "$defs" not in text

    def test_optional_id(self) -> None:
        """Where the path names the campaign its schema does without the id."""
        validator = jsonschema_rs.Draft202012Validator(NAMED_CAMPAIGN_SCHEMA)
        document = {"urls": [URL], "priority": 0}
        assert validator.is_valid(document)
        assert validator.is_valid({**document, "id": None})
        assert not validator.is_valid({**document, "id": "a b"})
        assert not jsonschema_rs.is_valid(CAMPAIGN_SCHEMA, document)

    def test_defaults_are_told(self) -> None:
        """Readers of the schema see the defaults."""
        properties = REQUEST_SCHEMA["properties"]
        assert (properties["limit"]["default"], properties["mode"]["default"]) == (10, "related")


_campaigns = st.fixed_dictionaries(
    {"id": _id, "urls": st.lists(_url | _page_object, min_size=1), "priority": st.floats(0, 1)},
    optional={
        "name": st.text(),
        "starts": _time,
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
