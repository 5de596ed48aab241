"""[6] Query parameters and the small bodies, validated: every wrong field at once."""

from __future__ import annotations

from typing import Any

from flask import request

from webrec.domain.urls import canonical, canonical_ip
from webrec.errors import FieldError, InvalidDocument, UrlError

MAX_LIMIT = 1_000
DEFAULT_LIMIT = 100
"""Items in one part of a listing, so that a request is over soon."""

MAX_URLS = 1_000
"""URLs in one look-up, so that a request is over soon."""

MAX_NAME_CHARS = 256
"""The longest login id."""

MAX_DOCUMENTS = 50
"""Recommendation requests in one body: a thread answers one after the other."""


def page_of_listing() -> tuple[int, str]:
    """``limit`` and ``cursor`` of a listing."""
    given = request.args.get("limit")
    if given is None:
        limit = DEFAULT_LIMIT
    elif given.isascii() and given.isdigit() and len(given) < 6 and 1 <= int(given) <= MAX_LIMIT:
        limit = int(given)
    else:
        raise _wrong("limit", f"must be a whole number from 1 to {MAX_LIMIT:,}")
    return limit, request.args.get("cursor", "")


def flag(name: str) -> bool:
    """A query parameter that is ``true`` or ``false``."""
    given = request.args.get(name, "false")
    if given not in ("true", "false"):
        raise _wrong(name, "must be true or false")
    return given == "true"


def url() -> str:
    """The query parameter ``url``, canonical."""
    given = request.args.get("url")
    if given is None:
        raise _wrong("url", "is missing: name the page, percent-encoded")
    try:
        return canonical(given)
    except UrlError as error:
        raise _wrong("url", str(error)) from error


def visitor() -> str:
    """The visitor key that ``user`` or ``ip`` names; with both, the user counts."""
    user, ip = request.args.get("user"), request.args.get("ip")
    errors: list[FieldError] = []
    if user is not None and not 1 <= len(user) <= MAX_NAME_CHARS:
        errors.append(FieldError("user", f"must have 1 to {MAX_NAME_CHARS} characters"))
    try:
        address = None if ip is None else canonical_ip(ip)
    except ValueError as error:
        errors.append(FieldError("ip", str(error)))
    if user is None and ip is None:
        errors.append(FieldError("user", "is missing: name the visitor by user or by ip"))
    if errors:
        raise InvalidDocument(errors)
    return f"u:{user}" if user is not None else f"i:{address}"


def urls(document: object) -> list[str]:
    """The URLs in the body of a look-up, canonical."""
    given = _field(document, "urls")
    if not isinstance(given, list) or len(given) > MAX_URLS:
        raise _wrong("urls", f"must be a list of at most {MAX_URLS:,} URLs")
    found: list[str] = []
    errors: list[FieldError] = []
    for index, each in enumerate(given):
        try:
            found.append(canonical(each) if isinstance(each, str) else _no_text())
        except UrlError as error:
            errors.append(FieldError(f"urls.{index}", str(error)))
    if errors:
        raise InvalidDocument(errors)
    return found


def _no_text() -> str:
    raise UrlError("must be a text")


def _field(document: object, name: str) -> Any:
    if not isinstance(document, dict):
        raise _wrong("", "must be an object")
    return document.get(name)


def _wrong(field: str, message: str) -> InvalidDocument:
    return InvalidDocument([FieldError(field, message)])
