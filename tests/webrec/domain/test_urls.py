"""The canonical form of URLs and IP addresses."""

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webrec.domain.urls import TRACKING_PARAMETERS, canonical, canonical_ip
from webrec.errors import UrlError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://EXAMPLE.org/A", "https://example.org/A"),
        ("https://example.org", "https://example.org/"),
        ("http://example.org:80/", "http://example.org/"),
        ("https://example.org:443/", "https://example.org/"),
        ("https://example.org:8443/", "https://example.org:8443/"),
        ("http://example.org:443/", "http://example.org:443/"),
        ("https://example.org/a#part", "https://example.org/a"),
        ("https://example.org/#?a=1", "https://example.org/"),
        ("https://me:secret@example.org/a", "https://example.org/a"),
        ("https://me@you@example.org/a", "https://example.org/a"),
        ("https://example.org/@me?to=a@b", "https://example.org/@me?to=a@b"),
        ("https://me@example.org/@me", "https://example.org/@me"),
        ("https://example.org/a/./b/../c", "https://example.org/a/c"),
        ("https://example.org/a/%2E%2e/c", "https://example.org/c"),
        ("https://example.org/a/.%2", "https://example.org/a/.%252"),
        ("https://example.org/a/", "https://example.org/a/"),
        ("https://example.org/a//b", "https://example.org/a//b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
        ("https://%65xample.org/", "https://example.org/"),
        ("https://[2001:DB8:0:0::1]:443/", "https://[2001:db8::1]/"),
        ("https://127.1/", "https://127.0.0.1/"),
        ("https://example.org/é", "https://example.org/%C3%A9"),
        ("https://example.org/%c3%a9", "https://example.org/%C3%A9"),
        ("https://example.org/%41%2d%7e%5f", "https://example.org/A-~_"),
        ("https://example.org/%2f%3F", "https://example.org/%2F%3F"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/%zz", "https://example.org/%25zz"),
        ("https://example.org/%%34%31", "https://example.org/%2541"),
        ("https://example.org/%2%65", "https://example.org/%252e"),
        ("https://example.org/?q=%41%2b+", "https://example.org/?q=A%2B+"),
        ("https://example.org/a;b=1?c;d", "https://example.org/a;b=1?c;d"),
        ("https:\\\\example.org\\a", "https://example.org/a"),
        (" \thttps://exa\nmple.org/a\t \n", "https://example.org/a"),
    ],
)
def test_forms(url: str, expected: str) -> None:
    """Spellings that browsers take for the same page have one canonical form."""
    assert canonical(url) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?", ""),
        ("?b=2&a=1&b=2", "?b=2&a=1&b=2"),
        ("?a=1&utm_source=x", "?a=1"),
        ("?utm_source=x&a=1", "?a=1"),
        ("?utm_source=x", ""),
        ("?utm_source", ""),
        ("?UTM_Source=x&GclId=1&a", "?a"),
        ("?utm%5fsource=x&%67clid=1&a", "?a"),
        ("?utm=1&autm_source=2&gclid2=3", "?utm=1&autm_source=2&gclid2=3"),
        ("?a=utm_source&b=gclid=1", "?a=utm_source&b=gclid=1"),
        ("?a=1?utm_source=x", "?a=1?utm_source=x"),
        ("?a&&b&", "?a&&b&"),
        ("?utm_a&", ""),
        ("?utm_a#&b", ""),
    ],
)
def test_query(query: str, expected: str) -> None:
    """Tracking parameters go, by their decoded names; the rest stays in its order."""
    assert canonical(f"https://example.org/{query}") == f"https://example.org/{expected}"


@pytest.mark.parametrize("name", sorted(TRACKING_PARAMETERS))
def test_tracking_names_are_found_in_any_case(name: str) -> None:
    """Each tracking parameter is dropped in lower and upper case: the list is in lower case."""
    assert canonical(f"https://example.org/?{name}=1&{name.upper()}=2") == "https://example.org/"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "not valid"),
        ("example.org/a", "not valid"),
        ("/a", "not valid"),
        ("https://", "not valid"),
        ("https://exa mple.org/", "not valid"),
        ("https://example.org:65536/", "not valid"),
        ("https://[::1/", "not valid"),
        ("https://example.org/\ud800", "not valid"),
        ("ftp://example.org/", "must start with http"),
        ("javascript:alert(1)", "must start with http"),
        ("mailto:a@example.org", "must start with http"),
    ],
)
def test_refused(url: str, message: str) -> None:
    """What is no http(s) URL is refused with what is wrong, and is not repeated."""
    with pytest.raises(UrlError, match=message) as raised:
        canonical(url)
    assert len(str(raised.value)) < 100


@pytest.mark.parametrize("letter", ["a", "é", "🦊"])
def test_long_urls(letter: str) -> None:
    """Length is no matter of form: a long URL has a canonical form, however long once encoded."""
    once = canonical("https://example.org/" + letter * 20_000)
    assert once.isascii()
    assert canonical(once) == once


_PIECES = (
    "% %25 %2 %2e %41 %zz %00 %F0%9F . .. / // \\ ? # & = ; @ : + | ' \" ^ {} [::1] :80 0x7f.1 "
    "xn-- http:// utm_source=1 gclid é ß 。"
)
_nasty = st.sampled_from([*_PIECES.split(), "\u00ad", "\t", "\n", " ", "\0", "\ud800"])
_part = st.lists(_nasty | st.text(max_size=3), max_size=12).map("".join)
_host = st.sampled_from(["example.org", "[::1]", "u:p@h", "bücher.example"]) | _part
_urls = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTP:", " https:/"]),
    _host,
    st.sampled_from(["", "/", "/a/", "?", "#"]),
    _part,
    st.sampled_from(["", "/", "?", "?a&", "&b"]),
)


@given(_urls)
@example("https://a/%%34%31")
@example("https://a/%%32e%%32e/")
@example("https://a/?&utm_a&")
def test_canonical_form_is_its_own(url: str) -> None:
    """The canonical form of a canonical form is itself, is ASCII, and has no fragment."""
    try:
        once = canonical(url)
    except UrlError:
        return
    assert canonical(once) == once
    assert once.isascii()
    assert "#" not in once
    assert once.startswith(("http://", "https://"))


@given(st.text())
def test_any_text_is_a_url_or_refused(text: str) -> None:
    """No text makes anything but a canonical form or a UrlError."""
    with contextlib.suppress(UrlError):
        assert canonical(text)


@given(_part)
def test_long_urls_are_treated_as_short_ones(part: str) -> None:
    """A URL too long for the cache has the same canonical form as a short one, but longer."""
    path = "/" + "a" * 600
    short, long = f"https://example.org/?q={part}", f"https://example.org{path}?q={part}"
    try:
        expected = canonical(short).replace("org/", f"org{path}", 1)
    except UrlError:
        with pytest.raises(UrlError):
            canonical(long)
    else:
        assert canonical(long) == expected


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
    ],
)
def test_ip(ip: str, expected: str) -> None:
    """One address has one spelling, and IPv4 inside IPv6 is IPv4."""
    assert canonical_ip(ip) == expected


@pytest.mark.parametrize("ip", ["", "192.0.2", "192.0.2.01", "1.2.3.4/32", " ::1", "fe80::1%eth0"])
def test_ip_refused(ip: str) -> None:
    """What is no address by itself is refused."""
    with pytest.raises(ValueError, match="must be an IP"):
        canonical_ip(ip)
