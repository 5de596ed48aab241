"""[6] What a request may do: API keys with scopes; without any key, loopback only."""

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
from service.context import current_context
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
_KEY_VARIABLE = "HTTP_X_API_KEY"
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP")


def needs(scopes: tuple[str, ...]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a request in if its key has one of the scopes."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            _authorize_current(scopes)
            return view(*args, **kwargs)

        return guarded

    return guard


def _authorize_current(scopes: tuple[str, ...]) -> None:
    """`authorize` for the request that Flask answers."""
    try:
        authorize(request.environ, scopes, current_context().key_file)
    except UsageError as error:
        _log.error("%s", error)  # where the file is concerns the operator only
        raise Unavailable("the API keys cannot be read: nobody is let in") from error


def authorize(environ: WSGIEnvironment, scopes: tuple[str, ...], key_file: KeyFile) -> None:
    """Return if a request may come in.

    Args:
        environ: the request.
        scopes: the key that it sends needs one of them.

    Raises:
        Unauthorized: there are API keys, and it sends none of them.
        Forbidden: its key has none of the scopes; or there are no API keys, and it may come from
            another machine.
        UsageError: the key file cannot be read.
    """
    if not key_file.any_keys():
        # a proxy on this machine speaks for others: what it forwards does not come from here
        forwarded = any(name in environ for name in _FORWARDED)
        if forwarded or not _is_loopback(environ.get("REMOTE_ADDR")):
            raise Forbidden("no API key is set up, so only this machine is answered: webrec keys")
        return
    key = environ.get(_KEY_VARIABLE)
    granted = None if key is None else key_file.scopes_of(key)
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
