"""The canonical forms of URLs and IP addresses: one page, one spelling.

Parsing follows the WHATWG URL standard, as browsers do. On top of it fragment, user info and
tracking parameters are dropped and percent-encoding is brought into one form. The order of the
query and a trailing slash tell pages apart and stay.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from itertools import product
from string import ascii_letters, digits, hexdigits

from ada_url import normalize_url

from webrec.errors import UrlError

TRACKING_PREFIXES = ("utm_", "mtm_")
"""What the names of others like `TRACKING_PARAMETERS` begin with."""

_TRACKING_NAMES = (
    # Google
    "gclid gclsrc dclid gbraid wbraid gad_source gad_campaignid srsltid _ga _gac _gl",
    # Meta, Microsoft, Yandex, X, TikTok, LinkedIn, Pinterest, Reddit, Snapchat
    "fbclid igshid igsh msclkid yclid ysclid _openstat twclid ttclid li_fat_id epik rdt_cid sccid",
    # mailings: Mailchimp, HubSpot, Marketo, MailerLite, Vero, Omeda
    "mc_cid mc_eid _hsenc _hsmi __hstc __hssc __hsfp hsctatracking mkt_tok",
    "ml_subscriber ml_subscriber_hash vero_id vero_conv oly_anon_id oly_enc_id",
    # affiliate networks and Matomo
    "irclickid cjevent zanpid wickedid pk_campaign pk_kwd pk_keyword pk_source pk_medium",
    "pk_content pk_cid",
)
TRACKING_PARAMETERS = frozenset(name for names in _TRACKING_NAMES for name in names.split())
"""Query parameters that say where a visitor came from, and nothing of the page."""

_UNRESERVED = frozenset(ascii_letters + digits + "-._~")
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})?")

_CACHED_LENGTH = 512
"""Characters of a URL that is cached; long ones are rare, and could fill the memory."""

_CACHED_URLS = 16_384
"""URLs whose canonical form is kept, since the same ones come again; some 20 MB at worst."""


def _escape_forms() -> dict[str | None, str]:
    """What each pair of hexadecimal digits after a ``%`` becomes; None: no pair follows."""
    forms: dict[str | None, str] = {None: "%25"}
    for pair in map("".join, product(hexdigits, repeat=2)):
        char = chr(int(pair, 16))
        forms[pair] = char if char in _UNRESERVED else f"%{pair.upper()}"
    return forms


_ESCAPE_FORMS = _escape_forms()


def canonical(url: str) -> str:
    """Brings ``url`` into canonical form.

    Args:
        url: as a page, a log or a person wrote it.

    Returns:
        The canonical form: ASCII, and its own canonical form.

    Raises:
        UrlError: ``url`` is no http(s) URL.
    """
    if len(url) <= _CACHED_LENGTH:
        return _cached_canonical(url)
    return _canonical(url)


def canonical_ip(ip: str) -> str:
    """The canonical spelling; an IPv4 address mapped into IPv6 is the IPv4 address.

    Raises:
        ValueError: ``ip`` is no address, or one with a zone, which means nothing elsewhere.
    """
    try:
        address = ip_address(ip)
    except ValueError:
        raise ValueError("must be an IPv4 or IPv6 address") from None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise ValueError("must be an IPv6 address without a zone")
        address = address.ipv4_mapped or address
    return str(address)


def _canonical(url: str) -> str:
    """``canonical`` without the cache."""
    # A serialised URL has its first "#" before the fragment and no "%" in its host.
    href = _parsed(url).partition("#")[0]
    if "@" in href:
        href = _without_user_info(href)
    if "%" in href:
        href = _ESCAPE.sub(_escape_form, href)
    if "?" in href:
        href = _without_tracking(href)
    return href


_cached_canonical = lru_cache(maxsize=_CACHED_URLS)(_canonical)


def _parsed(url: str) -> str:
    """``url`` parsed and serialised by the WHATWG standard.

    Raises:
        UrlError: it cannot be parsed, or is not of http or https.
    """
    try:
        href: str = normalize_url(url)
    except ValueError:
        raise UrlError("the URL is not valid: write it like https://example.org/page") from None
    if not href.startswith(("https://", "http://")):
        raise UrlError("the URL must start with http:// or https://")
    return href


def _without_user_info(href: str) -> str:
    """Drops what stands before the ``@`` of the host, if the ``@`` is one of the host."""
    scheme, _, rest = href.partition("://")
    authority, _, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}/{path}"


def _escape_form(match: re.Match[str]) -> str:
    return _ESCAPE_FORMS[match[1]]


def _without_tracking(href: str) -> str:
    """Drops tracking parameters, and the ``?`` where nothing is left behind it.

    The names need no decoding: they consist of unreserved characters only, which are not
    percent-encoded any more.
    """
    base, _, query = href.partition("?")
    kept = "&".join(part for part in query.split("&") if not _is_tracking(part))
    return f"{base}?{kept}" if kept else base


def _is_tracking(parameter: str) -> bool:
    name = parameter.partition("=")[0].lower()
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)
