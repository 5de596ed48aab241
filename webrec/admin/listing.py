"""[6] Listings in parts: a limit and a cursor in, the items of one part and the next cursor out.

Where items have ids, a cursor is the id of the last one shown; elsewhere it is how many were shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from webrec.errors import FieldError, InvalidDocument

_CURSOR_DIGITS = 18
"""As many as fit a signed integer of 64 bits: no list of a generation is longer."""

Document = dict[str, Any]


class Listing(NamedTuple):
    """One part of a listing.

    Attributes:
        next: the cursor of the next part; None at the end.
    """

    items: list[Document]
    next: str | None


def start_after(ids: Sequence[str], cursor: str, what: str) -> int:
    """The index behind the id that a cursor names; 0 for the empty cursor.

    Args:
        what: the kind of thing that is listed, for the message.

    Raises:
        InvalidDocument: nothing listed has this id.
    """
    if not cursor:
        return 0
    try:
        return ids.index(cursor) + 1
    except ValueError:
        raise _bad_cursor(f"no {what} is there") from None


def next_id(ids: Sequence[str], start: int, limit: int) -> str | None:
    """The cursor behind ``limit`` ids from ``start``; None at the end."""
    return ids[start + limit - 1] if start + limit < len(ids) else None


def offset(cursor: str) -> int:
    """How many items a cursor says were shown; 0 for the empty cursor.

    Raises:
        InvalidDocument: it is not a cursor that `next_offset` makes.
    """
    if not cursor:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > _CURSOR_DIGITS:
        raise _bad_cursor("not one that a listing gave")
    return int(cursor)


def next_offset(start: int, limit: int, size: int) -> str | None:
    """The cursor behind ``limit`` items from ``start``; None at the end of ``size`` items."""
    return str(start + limit) if start + limit < size else None


def _bad_cursor(why: str) -> InvalidDocument:
    fix = "leave it out to begin at the start, or pass on `next` of the part before"
    return InvalidDocument([FieldError("cursor", f"{why}: {fix}")])
