"""The exceptions webrec raises, each with the HTTP status it becomes.

WebrecError                     500
├── InputError                  422  what was sent is wrong; says which field and why
│   ├── NotJson                 400
│   ├── UrlError                422
│   └── InvalidDocument         422  every wrong field, at once
├── UsageError                  422  a setting or a command that cannot be meant
├── NotFound                    404
├── Conflict                    409  somebody else is at it, or it is no longer so
│   ├── LeaseLost               409  another batch took over
│   └── ResultRefused           409  a batch's result failed a gate
└── Unavailable                 503  try again later
    ├── StoreUnavailable        503
    └── LogUnavailable          503
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class WebrecError(Exception):
    """The root: anything webrec itself raises."""

    status = 500
    title = "Internal error"


class InputError(WebrecError):
    """What was sent is wrong."""

    status = 422
    title = "Unprocessable content"


class NotJson(InputError):
    """The bytes are no JSON."""

    status = 400
    title = "Not JSON"


class UrlError(InputError, ValueError):
    """A URL that cannot be brought into canonical form."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its path in the document (``exclude.3``) and what to do about it."""

    field: str
    message: str


class InvalidDocument(InputError):
    """A document with wrong fields.

    Args:
        errors: every wrong field, in the document's order.
    """

    title = "Invalid document"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{e.field}: {e.message}".removeprefix(": ") for e in errors))
        self.errors = tuple(errors)


class UsageError(InputError):
    """A setting or a command line that cannot be meant."""


class NotFound(WebrecError):
    """No such thing."""

    status = 404
    title = "Not found"


class Conflict(WebrecError):
    """Somebody else is at it, or the state it was meant for is gone."""

    status = 409
    title = "Conflict"


class LeaseLost(Conflict):
    """Another batch holds the lease."""


class ResultRefused(Conflict):
    """A batch's result failed a gate; the old generation stays."""


class Unavailable(WebrecError):
    """A part is away for now.

    Attributes:
        retry_after_s: seconds after which trying again makes sense.
        said: what whoever sent the request is told; the message is for the operator.
    """

    status = 503
    title = "Unavailable"
    retry_after_s = 1
    said = "a part of the service is away: try again"


class StoreUnavailable(Unavailable):
    """The store did not answer in time, or not at all."""

    said = "the store does not answer: try again"


class LogUnavailable(Unavailable):
    """The raw log cannot be written."""

    said = "the log cannot be written, and nothing was accepted: try again"
