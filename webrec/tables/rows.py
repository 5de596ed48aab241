"""[3] Rows of a generation: what a category, a profile or a community is, and its cells."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import orjson

from hbase_schema import cells, names
from hbase_schema.cells import Numbers


class Counts(NamedTuple):
    """Counts of some numbered things, as parallel uint32 arrays of shape (n,)."""

    numbers: Numbers
    counts: Numbers


NO_NUMBERS: Numbers = np.empty(0, np.uint32)


class ProfileRow(NamedTuple):
    """A user of a generation, or a community: the four parts, and the community's number.

    Attributes:
        urls: visits by page number; of a user in the order of the numbers, of a community in the
            order of `colL`.
        cats: visits by category number.
        accepted_urls, accepted_cats: the same for accepts.
        community: the user's, None without one; of a community, its own.
        last: the numbers of the pages that the user visited last, the last one first; of a
            community none.
    """

    urls: Counts
    cats: Counts
    accepted_urls: Counts
    accepted_cats: Counts
    community: int | None
    last: Numbers = NO_NUMBERS


class CategoryRow(NamedTuple):
    """A category of a generation.

    Attributes:
        urls: page numbers in the order of `recL`.
        keywords: the most informative first.
        value: total affinity.
    """

    urls: Numbers
    keywords: list[str]
    value: float


_PARTS = (names.URLS, names.CATS, names.ACCEPTED_URLS, names.ACCEPTED_CATS)


def category_cells(row: CategoryRow) -> dict[bytes, bytes]:
    """The cells of a category."""
    info = {"keywords": row.keywords, "value": row.value}
    return {**dict(cells.pack_columns(names.URLS, [row.urls])), names.INFO: orjson.dumps(info)}


def category_of(found: dict[bytes, bytes]) -> CategoryRow:
    """The inverse of `category_cells`."""
    info: dict[str, Any] = orjson.loads(found[names.INFO])
    (urls,) = cells.unpack_columns(names.URLS, found, 1)
    return CategoryRow(urls, info["keywords"], info["value"])


def profile_cells(row: ProfileRow) -> dict[bytes, bytes]:
    """The cells of a profile."""
    found: dict[bytes, bytes] = {}
    for part, counts in zip(_PARTS, row[:4], strict=True):
        if len(counts.numbers):
            found.update(cells.pack_columns(part, counts))
    if len(row.last):
        found.update(cells.pack_columns(names.LAST, [row.last]))
    # written for every user, so that a profile of a user without community has a row too
    found[names.COMMUNITY] = b"" if row.community is None else cells.pack_int(row.community)
    return found


def profile_of(found: dict[bytes, bytes]) -> ProfileRow:
    """The inverse of `profile_cells`."""
    urls, cats, accepted_urls, accepted_cats = (
        Counts(*cells.unpack_columns(part, found, 2)) for part in _PARTS
    )
    (last,) = cells.unpack_columns(names.LAST, found, 1)
    return ProfileRow(urls, cats, accepted_urls, accepted_cats, community_of(found), last)


def community_of(found: dict[bytes, bytes]) -> int | None:
    """The number of a profile's community, out of its cells; None where it has none."""
    cell = found.get(names.COMMUNITY)
    return cells.unpack_int(cell) if cell else None
