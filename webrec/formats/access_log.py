r"""[1] Access logs of Apache and nginx: lines of the combined format in, visits out.

The format is ``%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"``; what a server appends to
it is ignored. Only page views become events: GET, answered with 2xx or 3xx, of something that
people read. What a robot asked for is left out. The visitor is the client's IP address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Literal

from webrec.domain.robots import is_bot
from webrec.domain.types import Event
from webrec.domain.urls import canonical, canonical_ip
from webrec.errors import UrlError

SkipReason = Literal["method", "status", "asset", "other_site", "bot"]

_ASSET_EXTENSIONS_BY_KIND = (
    # images
    "apng avif bmp cur gif heic ico jpeg jpg png svg svgz tif tiff webp",
    # scripts, styles, and what builds leave beside them
    "css js less map mjs scss wasm xsl xslt",
    # fonts
    "eot otf ttf woff woff2",
    # sound and film
    "aac avi flac m3u8 m4a m4v mov mp3 mp4 mpeg mpg ogg ogv opus swf wav webm",
    # feeds, site maps and data, which programs read
    "atom json rdf rss webmanifest xml",
)
ASSET_EXTENSIONS = frozenset(
    extension for kind in _ASSET_EXTENSIONS_BY_KIND for extension in kind.split()
)
"""Extensions of paths that are no pages; texts and downloads (``.txt``, ``.pdf``) are pages."""

ASSET_PATHS = frozenset(["/robots.txt", "/ads.txt", "/app-ads.txt"])
"""Paths that only programs ask for, whatever their extension."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A well-formed line that is no page view of a person; ``line`` counts from 1."""

    line: int
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that is not in the format, or whose fields make no sense; ``line`` counts from 1."""

    line: int
    reason: str


# Possessive quantifiers keep a long broken line from being tried in many ways.
_QUOTED = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_COMBINED = re.compile(
    r"(\S++) \S++ [^\[]*+"
    r"\[([0-9]{2}/[A-Za-z]{3}/[0-9]{4}:[0-9]{2}:[0-9]{2}):([0-5][0-9]|60) ([+-][0-9]{4})\] "
    rf"{_QUOTED} ([0-9]{{3}}) (?:[0-9]++|-) {_QUOTED} {_QUOTED}(?= |$)",
    re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_CONTROLS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}

_CACHED_CLIENTS = 8_192
"""Addresses whose visitor key is kept: a visitor's lines stand close together."""

_CACHED_MINUTES = 4_096
"""Minutes whose time is kept: almost three days, for logs of several servers in one file."""


class _BrokenError(Exception):
    """A field of the line makes no sense; the message says which and why."""


def read_combined(lines: Iterable[bytes], site: str) -> Iterator[Event | Skipped | BrokenLine]:
    """Reads an access log; blank lines are skipped, but counted.

    Args:
        lines: the log, line by line.
        site: the site whose log it is, like ``https://example.org``. The log holds paths only;
            what follows the host in ``site`` is ignored.

    Returns:
        An iterator with an event, a skipped line or a broken line for every line, in order.

    Raises:
        UrlError: ``site`` is no http(s) URL; raised at once.
    """
    origin = "/".join(canonical(site).split("/", 3)[:3])
    return (
        _read_line(number, line.decode(errors="replace").rstrip(), origin)
        for number, line in enumerate(lines, 1)
        if not line.isspace() and line
    )


def _read_line(number: int, line: str, origin: str) -> Event | Skipped | BrokenLine:
    match = _COMBINED.match(line)
    if match is None:
        return BrokenLine(number, "not in the combined format")
    try:
        outcome = _page_view(match, origin)
    except (_BrokenError, UrlError) as error:
        return BrokenLine(number, str(error))
    return outcome if isinstance(outcome, Event) else Skipped(number, outcome)


def _page_view(match: re.Match[str], origin: str) -> Event | SkipReason:
    """The visit of a line, or the first reason why the line is none.

    Raises:
        _BrokenError: a field makes no sense.
        UrlError: the request target makes no URL.
    """
    client, minute, second, zone, request, status, referrer, user_agent = match.groups()
    method, _, target = _unescaped(request).partition(" ")
    if method != "GET":
        return "method"
    if status[0] not in "23":
        return "status"
    url = _url(target.rpartition(" HTTP/")[0] or target, origin)
    if not url.startswith(f"{origin}/"):
        return "other_site"
    if _is_asset(url[len(origin) :]):
        return "asset"
    environment = _environment(user_agent=_unescaped(user_agent), referrer=_unescaped(referrer))
    if is_bot(environment.get("user_agent")):
        return "bot"
    at_ms = _minute_ms(minute, zone) + int(second) * 1000
    return Event("visit", url, _visitor(client), at_ms, environment=environment)


def _url(target: str, origin: str) -> str:
    """The URL that was requested; one of the site's host gets the site's scheme."""
    if target.startswith("/"):
        return canonical(origin + target)
    url = canonical(target)
    host, _, path = url.partition("://")[2].partition("/")
    return f"{origin}/{path}" if host == origin.partition("://")[2] else url


def _is_asset(path_and_query: str) -> bool:
    path = path_and_query.partition("?")[0]
    _, dot, extension = path.rpartition("/")[2].rpartition(".")
    return path in ASSET_PATHS or (bool(dot) and extension.lower() in ASSET_EXTENSIONS)


def _environment(**fields: str) -> dict[str, str]:
    """The fields that have a value; the log writes ``-`` for those that have none."""
    return {name: value for name, value in fields.items() if value not in ("", "-")}


@lru_cache(maxsize=_CACHED_CLIENTS)
def _visitor(client: str) -> str:
    """The visitor key of a client.

    Raises:
        _BrokenError: the log has host names instead of addresses.
    """
    try:
        return f"i:{canonical_ip(client)}"
    except ValueError:
        raise _BrokenError("the client is no IP address") from None


@lru_cache(maxsize=_CACHED_MINUTES)
def _minute_ms(minute: str, zone: str) -> int:
    """Milliseconds since the epoch of a minute like ``17/May/2015:10:05`` in a zone like ``+0200``.

    Month names are English whatever the locale, so ``strptime`` would not do.

    Raises:
        _BrokenError: no such minute, or one before 1970.
    """
    offset = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    try:
        start = datetime(
            year=int(minute[7:11]),
            month=_MONTHS[minute[3:6]],
            day=int(minute[:2]),
            hour=int(minute[12:14]),
            minute=int(minute[15:]),
            tzinfo=timezone(offset),
        )
    except (KeyError, ValueError):
        raise _BrokenError("the time does not exist") from None
    if start.timestamp() < 0:
        raise _BrokenError("the time is before 1970")
    return int(start.timestamp()) * 1000


def _unescaped(field: str) -> str:
    r"""Undoes what servers escape in a quoted field: ``\"``, ``\\``, ``\n`` and ``\xhh``."""
    if "\\" not in field:
        return field
    return _ESCAPE.sub(_unescaped_byte, field.encode()).decode(errors="replace")


def _unescaped_byte(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return bytes.fromhex(match[1].decode())
    return _CONTROLS.get(match[2], match[2])
