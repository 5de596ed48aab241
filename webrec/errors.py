"""The exceptions webrec raises, each with the HTTP status it becomes.

WebrecError                     500
├── InputError                  422  what was sent is wrong; says what and why
│   ├── NotJson                 400  the bytes are no JSON
│   ├── UrlError                422  a URL has no canonical form
│   └── InvalidDocument         422  fields of a document are wrong; names all of them
├── UsageError                  422  a setting or a command line makes no sense
├── NotFound                    404  there is nothing under this id
├── Conflict                    409  another process is at work on it, or changed it meanwhile
│   ├── LeaseLost               409  another batch holds the lease
│   └── ResultRefused           409  the result of a batch failed a check
└── Unavailable                 503  a part is away for now: try again later
    ├── StoreUnavailable        503  the store did not answer
    └── LogUnavailable          503  the raw log cannot be written
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class WebrecError(Exception):
    """The root of all errors that webrec itself raises.

    Attributes:
        status: the HTTP status that the error becomes.
        title: the title of the problem document.
    """

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
    """A URL that has no canonical form; a ValueError too, for pydantic to name the field."""


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
    """A setting or a command line that makes no sense; the message says what to give instead."""


class NotFound(WebrecError):
    """There is nothing under the id or name that was given."""

    status = 404
    title = "Not found"


class Conflict(WebrecError):
    """Another process is at work on the same thing, or has changed it meanwhile."""

    status = 409
    title = "Conflict"


class LeaseLost(Conflict):
    """Another batch holds the lease, or took it over."""


class ResultRefused(Conflict):
    """The result of a batch failed a check; the active generation stays."""


class Unavailable(WebrecError):
    """A part of webrec, or of what it needs, is away for now.

    Attributes:
        retry_after_s: seconds after which trying again makes sense.
        public_message: what the sender of the request reads; the error's own message, which may
            name hosts and paths, is for the operator.
    """

    status = 503
    title = "Unavailable"
    retry_after_s = 1
    public_message = "a part of the service is away: try again"


class StoreUnavailable(Unavailable):
    """The store did not answer in time, or not at all."""

    public_message = "the store does not answer: try again"


class LogUnavailable(Unavailable):
    """The raw log cannot be written."""

    public_message = "the log cannot be written, and nothing was accepted: try again"
