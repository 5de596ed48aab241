"""[2] → [3] A batch's result in, a published generation out: all of it, or nothing.

Everything is written and verified before one pointer is switched by compare-and-set.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustering.users.features import by_category
from hbase_schema.cells import PageCell
from webrec.batch.history import Pairs, Replayed
from webrec.domain.progress import Progress
from webrec.domain.types import Arrays
from webrec.errors import ResultRefused, WebrecError
from webrec.model.co_visit_scorer import MOST_SEEN
from webrec.tables.generations import Generation
from webrec.tables.rows import CategoryRow, Counts, ProfileRow
from webrec.tables.tables import Tables

SMALLEST_SHARE = 0.5
"""A result with less than this share of the last one's pages, profiles or visits is refused."""

_GUARDED = ("pages", "categorised", "profiles", "visits")
_SAMPLE = 997
_REPORT_EVERY = 1_000

_T = TypeVar("_T")


@dataclass(slots=True)
class Result:
    """What the batch found (U visitors, P pages).

    Attributes:
        category: int32 (P,), category numbers, -1 for none.
        community: int32 (U,), community numbers, -1 for none.
        keywords: by category number.
        profile_urls: URLs a profile keeps.
        spaces: what pages and users were measured by, see `hbase_schema.names`.
    """

    replayed: Replayed
    category: NDArray[np.int32]
    community: NDArray[np.int32]
    keywords: list[list[str]]
    profile_urls: int
    spaces: Mapping[str, Arrays] = field(default_factory=dict)


def check(counts: dict[str, int], last: Generation | None) -> None:
    """Let a result pass only if it can be meant.

    Raises:
        ResultRefused: it is empty, or far smaller than the last one.
    """
    if counts["pages"] == 0:
        raise ResultRefused(
            "the log holds no page and no visit: `webrec ingest FILE` loads some (--force "
            "publishes the empty result)"
        )
    for what in _GUARDED if last is not None else ():
        before = last.counts[what] if last is not None else 0
        if counts[what] < SMALLEST_SHARE * before:
            raise ResultRefused(
                f"the new result has {counts[what]:,} {what}, the last one had {before:,}: the "
                "last one stays; --force publishes the new one all the same"
            )


class Written(NamedTuple):
    """What one batch brought into the store.

    Attributes:
        seconds: for the writing alone.
    """

    pages: int
    profiles: int
    cells: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.pages:,} pages and {self.profiles:,} profiles, {self.cells:,} cells, in "
            f"{self.seconds:.1f} s ({self.cells / self.seconds:,.0f} cells/s)"
        )


def write(tables: Tables, generation: Generation, result: Result, progress: Progress) -> Written:
    """Write the tables of a generation, and verify them.

    Raises:
        WebrecError: the store does not hold what was written.
    """
    tables.generations.create(generation.id)
    cells_before, began = tables.cells_written, time.monotonic()
    pages = _pages(result)
    tables.pages.put(generation.id, _counted(pages, "writing pages", len(pages), progress))
    tables.categories.put(generation.id, _categories(generation, result))
    kept_visits, kept_accepts = _strongest(generation, result)
    cats = _by_category(result)
    tables.communities.put(
        generation.id, _communities(generation, result, kept_visits, kept_accepts, cats)
    )
    n = len(result.replayed.visitors)
    profiles = _profiles(result, kept_visits, kept_accepts, cats)
    tables.profiles.put(generation.id, _counted(profiles, "writing profiles", n, progress))
    tables.arrays.put(generation.id, result.spaces)
    seconds = time.monotonic() - began
    _verify(tables, generation, pages, result, progress)
    return Written(len(pages), n, tables.cells_written - cells_before, seconds)


def _pages(result: Result) -> list[PageCell]:
    replayed = result.replayed
    return [
        PageCell(page.url, number, category, visits, accepts)
        for number, (page, category, visits, accepts) in enumerate(
            zip(
                replayed.pages,
                result.category.tolist(),
                replayed.page_visits.tolist(),
                replayed.page_accepts.tolist(),
                strict=True,
            )
        )
    ]


def _categories(generation: Generation, result: Result) -> Iterator[tuple[str, CategoryRow]]:
    replayed = result.replayed
    totals = replayed.page_visits + generation.accept_weight * replayed.page_accepts
    for number, category_id in enumerate(generation.category_ids):
        pages = np.flatnonzero(result.category == number)
        pages = pages[np.lexsort((pages, -totals[pages]))]
        yield (
            category_id,
            CategoryRow(
                pages.astype(np.uint32),
                result.keywords[number],
                float(totals[pages].sum()),
            ),
        )


def _strongest(generation: Generation, result: Result) -> tuple[Pairs, Pairs]:
    """Visits and accepts with every user cut to the strongest URLs; ties by URL."""
    visits, accepts = result.replayed.visits, result.replayed.accepts
    # its zeros are none, so that a page only accepted is there whatever an accept weighs
    touched = sparse.csr_array(visits + accepts)
    weight = sparse.csr_array(visits + accepts.astype(np.float64) * generation.accept_weight)
    kept_visits, kept_accepts = visits.copy(), accepts.copy()
    for user in np.flatnonzero(np.diff(touched.indptr) > result.profile_urls):
        urls = touched.indices[touched.indptr[user] : touched.indptr[user + 1]]
        weights = weight[[user]].toarray().ravel()[urls]
        dropped = urls[np.lexsort((urls, -weights))[result.profile_urls :]]
        for matrix in (kept_visits, kept_accepts):
            row = slice(matrix.indptr[user], matrix.indptr[user + 1])
            matrix.data[row][np.isin(matrix.indices[row], dropped)] = 0
    kept_visits.eliminate_zeros()
    kept_accepts.eliminate_zeros()
    return kept_visits, kept_accepts


def _by_category(result: Result) -> tuple[Pairs, Pairs]:
    """Visits and accepts of every user by category, of all URLs, kept or not."""
    replayed = result.replayed
    return (
        by_category(replayed.visits, result.category),
        by_category(replayed.accepts, result.category),
    )


def _communities(
    generation: Generation, result: Result, visits: Pairs, accepts: Pairs, cats: tuple[Pairs, Pairs]
) -> Iterator[tuple[str, ProfileRow, int]]:
    for number, community_id in enumerate(generation.community_ids):
        members = np.flatnonzero(result.community == number)
        sums: list[NDArray[np.int64]] = [
            np.asarray(m[members].sum(axis=0)).ravel() for m in (visits, accepts, *cats)
        ]
        affinity = sums[0] + generation.accept_weight * sums[1]
        pages = np.flatnonzero(sums[0])
        pages = pages[np.lexsort((pages, -affinity[pages]))]
        row = ProfileRow(
            Counts(pages.astype(np.uint32), sums[0][pages].astype(np.uint32)),
            _nonzero(sums[2]),
            _nonzero(sums[1]),
            _nonzero(sums[3]),
            number,
        )
        yield community_id, row, len(members)


def _profiles(
    result: Result, visits: Pairs, accepts: Pairs, cats: tuple[Pairs, Pairs]
) -> Iterator[tuple[str, ProfileRow]]:
    for matrix in (visits, accepts, *cats):
        matrix.sort_indices()
        matrix.eliminate_zeros()
    for user, visitor in enumerate(result.replayed.visitors):
        community = int(result.community[user])
        row = ProfileRow(
            _row(visits, user),
            _row(cats[0], user),
            _row(accepts, user),
            _row(cats[1], user),
            community if community >= 0 else None,
            _last(result.replayed.last_visits, user),
        )
        yield visitor, row


def _last(last_visits: Pairs, user: int) -> NDArray[np.uint32]:
    """The pages a user visited last, the last one first; of one moment by number."""
    row = _row(last_visits, user)
    part = slice(last_visits.indptr[user], last_visits.indptr[user + 1])
    order = np.lexsort((row.numbers, -last_visits.data[part]))
    return row.numbers[order[:MOST_SEEN]]


def _row(matrix: Pairs, index: int) -> Counts:
    part = slice(matrix.indptr[index], matrix.indptr[index + 1])
    return Counts(matrix.indices[part].astype(np.uint32), matrix.data[part].astype(np.uint32))


def _nonzero(sums: NDArray[np.int64]) -> Counts:
    numbers = np.flatnonzero(sums)
    return Counts(numbers.astype(np.uint32), sums[numbers].astype(np.uint32))


def _verify(
    tables: Tables,
    generation: Generation,
    pages: list[PageCell],
    result: Result,
    progress: Progress,
) -> None:
    """Count what the store holds, and compare a sample."""
    progress("verifying", 0, 0)
    found = 0
    for page in tables.pages.all(generation.id):
        found += 1
        if page.number % _SAMPLE == 0 and page != pages[page.number]:
            raise WebrecError(f"the store gives {page} for {pages[page.number]}")
    _same("pages", found, len(pages))
    profiles = sum(1 for _ in tables.profiles.communities(generation.id))
    _same("profiles", profiles, len(result.replayed.visitors))
    _verify_spaces(tables, generation, result)
    for category_id in generation.category_ids:
        _same(
            f"category {category_id}",
            tables.categories.get(generation.id, category_id) is not None,
            1,
        )
    for community_id in generation.community_ids:
        there = tables.communities.get(generation.id, community_id) is not None
        _same(f"community {community_id}", there, 1)


def _verify_spaces(tables: Tables, generation: Generation, result: Result) -> None:
    try:
        found = tables.arrays.all(generation.id)
    except ValueError:  # an array that lacks a part
        found = {}
    for name, arrays in result.spaces.items():
        there = found.get(name, {})
        whole = there.keys() == arrays.keys() and all(
            np.array_equal(there[array], arrays[array]) for array in arrays
        )
        _same(f"space {name}", whole, 1)


def _same(what: str, found: int, written: int) -> None:
    if found != written:
        raise WebrecError(f"{written} {what} were written, the store holds {found}")


def _counted(items: Iterable[_T], doing: str, total: int, progress: Progress) -> Iterator[_T]:
    for done, item in enumerate(items):
        if done % _REPORT_EVERY == 0:
            progress(doing, done, total)
        yield item
    progress(doing, total, total)
