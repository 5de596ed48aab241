"""Access logs as events."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrec.domain.types import Event
from webrec.errors import UrlError
from webrec.formats.access_log import BrokenLine, Skipped, read_combined

_SITE = "https://example.org"
_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"
_GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def _line(
    request: str = "GET /a HTTP/1.1",
    status: str = "200",
    *,
    client: str = "192.0.2.1",
    user: str = "-",
    time: str = "17/May/2015:10:05:03 +0000",
    referrer: str = "-",
    user_agent: str = _FIREFOX,
) -> str:
    return f'{client} - {user} [{time}] "{request}" {status} 17 "{referrer}" "{user_agent}"'


def _read(*lines: str, site: str = _SITE) -> list[Event | Skipped | BrokenLine]:
    return list(read_combined([f"{line}\n".encode() for line in lines], site))


def _event(line: str, site: str = _SITE) -> Event:
    (event,) = _read(line, site=site)
    assert isinstance(event, Event)
    return event


def test_page_view() -> None:
    """A page view is a visit of the page, by the client's address, at the line's time."""
    assert _event(_line(referrer="https://search.example/")) == Event(
        kind="visit",
        url="https://example.org/a",
        visitor="i:192.0.2.1",
        at_ms=1_431_857_103_000,
        environment={"user_agent": _FIREFOX, "referrer": "https://search.example/"},
    )


@pytest.mark.parametrize(
    ("request_line", "url"),
    [
        ("GET / HTTP/1.1", "https://example.org/"),
        ("GET /a?b=1&utm_source=x HTTP/2.0", "https://example.org/a?b=1"),
        ("GET /", "https://example.org/"),
        ("GET /a b HTTP/1.1", "https://example.org/a%20b"),
        ("GET //evil.example/a HTTP/1.1", "https://example.org//evil.example/a"),
        ("GET https://example.org/a HTTP/1.1", "https://example.org/a"),
        ("GET http://EXAMPLE.org:80/a HTTP/1.1", "https://example.org/a"),
        (r"GET /a\"b HTTP/1.1", "https://example.org/a%22b"),
        (r"GET /\xc3\xa9 HTTP/1.1", "https://example.org/%C3%A9"),
        ("GET /report.pdf HTTP/1.1", "https://example.org/report.pdf"),
        ("GET /v1.2/ HTTP/1.1", "https://example.org/v1.2/"),
        ("GET /a?img=x.png HTTP/1.1", "https://example.org/a?img=x.png"),
        ("GET /png HTTP/1.1", "https://example.org/png"),
    ],
)
def test_url(request_line: str, url: str) -> None:
    """The page is the request's target on the site, in canonical form."""
    assert _event(_line(request_line)).url == url


@pytest.mark.parametrize("site", ["https://EXAMPLE.org", "https://example.org/blog/?x#y"])
def test_site(site: str) -> None:
    """Of the site only scheme, host and port count."""
    assert _event(_line(), site=site).url == "https://example.org/a"


@pytest.mark.parametrize("site", ["example.org", "ftp://example.org", ""])
def test_wrong_site(site: str) -> None:
    """A site that is no URL is refused before any line is read."""
    with pytest.raises(UrlError):
        read_combined([], site)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (_line("POST /a HTTP/1.1"), "method"),
        (_line("HEAD /a HTTP/1.1"), "method"),
        (_line("-", "408"), "method"),
        (_line(r"\x16\x03\x01", "400"), "method"),
        (_line(status="404"), "status"),
        (_line(status="500"), "status"),
        (_line(status="101"), "status"),
        (_line("GET /logo.png HTTP/1.1"), "asset"),
        (_line("GET /LOGO.PNG?v=2 HTTP/1.1"), "asset"),
        (_line("GET /a/style.css HTTP/1.1"), "asset"),
        (_line("GET /app.js HTTP/1.1"), "asset"),
        (_line("GET /favicon.ico HTTP/1.1"), "asset"),
        (_line("GET /font.woff2 HTTP/1.1"), "asset"),
        (_line("GET /feed.rss HTTP/1.1"), "asset"),
        (_line("GET /robots.txt HTTP/1.1"), "asset"),
        (_line("GET http://other.example/ HTTP/1.1"), "other_site"),
        (_line("GET http://example.org.evil.example/ HTTP/1.1"), "other_site"),
        (_line(user_agent=_GOOGLEBOT), "bot"),
        (_line("GET /logo.png HTTP/1.1", user_agent=_GOOGLEBOT), "asset"),
    ],
)
def test_skipped(line: str, reason: str) -> None:
    """What is no page view of a person is left out, for a reason that can be counted."""
    assert _read(line) == [Skipped(1, reason)]  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["200", "206", "301", "304"])
def test_status(status: str) -> None:
    """Answers of the classes 2xx and 3xx are page views."""
    assert _event(_line(status=status))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "not in the combined format"),
        (_line()[:-1], "not in the combined format"),
        (_line() + "x", "not in the combined format"),
        (_line().replace(" 200 ", " 20 "), "not in the combined format"),
        (_line(time="2015-05-17T10:05:03Z"), "not in the combined format"),
        (_line(time="31/Feb/2015:10:05:03 +0000"), "the time does not exist"),
        (_line(time="17/Mai/2015:10:05:03 +0000"), "the time does not exist"),
        (_line(time="17/May/2015:24:05:03 +0000"), "the time does not exist"),
        (_line(time="17/May/2015:10:05:03 +2500"), "the time does not exist"),
        (_line(time="31/Dec/1969:10:05:03 +0000"), "the time is before 1970"),
        (_line(client="host.example"), "the client is no IP address"),
        (_line("GET a HTTP/1.1"), "the URL is not valid: write it like https://example.org/page"),
    ],
)
def test_broken(line: str, reason: str) -> None:
    """A line that cannot be understood is named with its number and the reason."""
    assert _read(_line(), line, _line())[1] == BrokenLine(2, reason)


def test_line_numbers_count_blank_lines() -> None:
    """Blank lines are passed over, but the numbers are those of the file."""
    assert _read("", "x", "  ", _line(status="404"), "\r") == [
        BrokenLine(2, "not in the combined format"),
        Skipped(4, "status"),
    ]


@pytest.mark.parametrize(
    ("time", "at_ms"),
    [
        ("17/May/2015:10:05:03 +0200", 1_431_849_903_000),
        ("17/May/2015:10:05:03 -0530", 1_431_876_903_000),
        ("01/Jan/1970:00:00:00 +0000", 0),
        ("29/Feb/2024:23:59:59 +0000", 1_709_251_199_000),
        ("31/Dec/2016:23:59:60 +0000", 1_483_228_800_000),
    ],
)
def test_time(time: str, at_ms: int) -> None:
    """The time is read with its zone, on leap days and in leap seconds too."""
    assert _event(_line(time=time)).at_ms == at_ms


@pytest.mark.parametrize(
    ("client", "visitor"),
    [("2001:DB8::0:1", "i:2001:db8::1"), ("::ffff:192.0.2.1", "i:192.0.2.1")],
)
def test_ipv6(client: str, visitor: str) -> None:
    """An IPv6 client is known by its canonical address."""
    assert _event(_line(client=client)).visitor == visitor


@pytest.mark.parametrize(
    ("logged", "meant"),
    [
        (r"a \"quoted\" name", 'a "quoted" name'),
        (r"back\\slash", "back\\slash"),
        (r"back\\\"", 'back\\"'),
        (r"caf\xc3\xa9\x22", 'café"'),
        (r"tab\tend", "tab\tend"),
        (r"wrong \xff", "wrong �"),
        ("café", "café"),
    ],
)
def test_escapes(logged: str, meant: str) -> None:
    """User agent and referrer are what the client sent, not what the server escaped."""
    event = _event(_line(user_agent=logged, referrer=logged))
    assert event.environment == {"user_agent": meant, "referrer": meant}


def test_unknown_fields_are_absent() -> None:
    """A dash or nothing stands for a field that the server did not know."""
    assert _event(_line(user_agent="", referrer="-")).environment == {}


def test_tolerated_forms() -> None:
    """A remote user with spaces and fields after the user agent do no harm."""
    assert _event(_line(user="jane doe") + ' "203.0.113.9" 0.017').url == "https://example.org/a"


def test_bytes_that_are_no_utf8() -> None:
    """Bytes that are no UTF-8 are replaced, and the line is read."""
    (event,) = read_combined([_line(user_agent="caf?").encode().replace(b"?", b"\xe9")], _SITE)
    assert isinstance(event, Event)
    assert event.environment["user_agent"] == "caf�"


@pytest.mark.timeout(10)
@pytest.mark.parametrize("piece", ["\\", '\\"', "[", " - ", '" "', "a"])
def test_long_broken_line_is_read_fast(piece: str) -> None:
    """A megabyte of anything is found broken at once."""
    line = _line(user_agent=piece * (1_000_000 // len(piece)))[:-1]
    assert isinstance(_read(line)[0], BrokenLine | Event)


@given(st.lists(st.binary(max_size=40) | st.text(max_size=40).map(lambda t: _line(t).encode())))
def test_no_line_stops_the_reading(lines: list[bytes]) -> None:
    """Whatever the lines hold, each gives one result at most, and none an error."""
    assert len(list(read_combined(lines, _SITE))) <= len(lines)


def test_real_log() -> None:
    """A real log of 10,000 lines gives its page views, and says what it leaves out."""
    data = os.environ.get("WEBREC_TEST_DATA")
    if data is None:
        pytest.skip("WEBREC_TEST_DATA names no folder with a real access log")
    with (Path(data) / "accesslog" / "apache_logs").open("rb") as log:
        results = list(read_combined(log, "https://semicomplete.com"))
    assert len(results) == 10_000
    assert [r.line for r in results if isinstance(r, BrokenLine)] == [8_899]
    reasons = Counter(r.reason for r in results if isinstance(r, Skipped))
    assert reasons.keys() == {"asset", "bot", "method", "status"}
    assert reasons["method"] == 48
    assert sum(isinstance(r, Event) for r in results) > 2_000
