"""[6] Who may do what: API keys with scopes; without any key, loopback only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache, wraps
from ipaddress import ip_address
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from service.api_keys import KeyFile
from service.context import state
from webrec.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

SERVE, INGEST, ADMIN = ("serve",), ("ingest",), ("admin",)
READ = ("admin", "serve")
"""The scopes that open an endpoint: a key needs one of them."""

HEADER = "X-API-Key"
_SENT_KEY = "HTTP_X_API_KEY"
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP")


def needs(scopes: tuple[str, ...]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a request in if its key has one of the scopes."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            _check(scopes)
            return view(*args, **kwargs)

        return guarded

    return guard


def _check(scopes: tuple[str, ...]) -> None:
    try:
        judge(request.environ, scopes, state().keys)
    except UsageError as error:
        _log.error("%s", error)  # where the file is concerns the operator only
        raise Unavailable("the API keys cannot be read: nobody is let in") from error


def judge(sent: WSGIEnvironment, scopes: tuple[str, ...], keys: KeyFile) -> None:
    """Return if a request may come in.

    Raises:
        Forbidden, Unauthorized: it may not.
        UsageError: the keys cannot be read.
    """
    if not keys.any_keys():
        # a proxy on this machine speaks for others: what it forwards does not come from here
        forwarded = any(name in sent for name in _FORWARDED)
        if forwarded or not _is_loopback(sent.get("REMOTE_ADDR")):
            raise Forbidden("no API key is set up, so only this machine is answered: webrec keys")
        return
    key = sent.get(_SENT_KEY)
    granted = None if key is None else keys.scopes_of(key)
    if granted is None:
        fault = "is missing" if key is None else "is not known"
        raise Unauthorized(
            f"the API key in the header {HEADER} {fault}",
            www_authenticate=WWWAuthenticate("ApiKey"),
        )
    if granted.isdisjoint(scopes):
        raise Forbidden(f"this API key lacks the scope {' or '.join(scopes)}")


@lru_cache(1_024)
def _is_loopback(address: str | None) -> bool:
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False
