"""[2] → [3] What a batch learned in, a published generation out: all of it, or nothing.

Everything is written and verified before one pointer is switched by compare-and-set.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

from hbase_schema import names
from webrec.batch.cluster_ids import category_ids, community_ids
from webrec.batch.contents import Contents, UserRows, category_rows, page_cells
from webrec.batch.history import SiteHistory
from webrec.batch.lease import Lease
from webrec.batch.steps import Findings
from webrec.batch.verify import verify
from webrec.domain.progress import Progress
from webrec.errors import Conflict, ResultRefused, StoreUnavailable
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables

SMALLEST_SHARE = 0.5
"""A result with less than this share of the last one's pages, profiles or visits is refused."""

_GUARDED = ("pages", "categorised", "profiles", "visits")

_PROGRESS_EVERY = 1_000
"""Rows: some dozen calls a second while they are written."""

_SWITCH_S, _SWITCH_ATTEMPTS = 5.0, 5
"""Seconds of an attempt, and attempts, to switch the pointer: together less than half of a lease's
term, which is renewed before each."""

_T = TypeVar("_T")


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


def counts_of(history: SiteHistory, found: Findings) -> dict[str, int]:
    """What a generation says of its size."""
    category, community = found.categories.of_page, found.communities.of_visitor
    return {
        **history.counts,
        "pages": len(history.pages),
        "categorised": int((category >= 0).sum()),
        "categories": len(found.categories.keywords),
        "communities": int(community.max(initial=-1)) + 1,
        "profiles": len(history.visitors),
        "users_in_communities": int((community >= 0).sum()),
        **found.counts,
    }


def check(counts: Mapping[str, int], last: Generation | None) -> None:
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


def describe(
    tables: Tables,
    history: SiteHistory,
    found: Findings,
    last: Generation | None,
    accept_weight: float,
) -> Generation:
    """A new generation: with a number of its own, and ids for its clusters.

    Args:
        last: whose ids are taken over by the clusters that overlap its own.
        accept_weight: what an accept is worth in visits.
    """
    number = tables.meta.next_number(names.NEXT_GENERATION)
    categories = tuple(category_ids(tables, last, history, found.categories))
    communities = tuple(community_ids(tables, last, history, found.communities))
    return Generation(
        id=f"{number:06d}",
        created_ms=history.cut.at_us // 1000,
        cut_us=history.cut.at_us,
        watermark=history.cut.watermark,
        accept_weight=accept_weight,
        category_ids=categories,
        community_ids=communities,
        # without a learner that names them they are called by their ids
        suggested_labels=tuple(found.suggested_labels) or categories,
        counts=counts_of(history, found),
        quality=dict(found.quality),
    )


def write(tables: Tables, contents: Contents, progress: Progress) -> Written:
    """Write the tables of a generation, and verify them.

    Raises:
        WebrecError: the store does not hold what was written.
    """
    generation = contents.generation.id
    tables.generations.create(generation)
    cells_before, started = tables.cells_written, time.monotonic()
    pages = page_cells(contents)
    tables.pages.put(generation, _counted(pages, "writing pages", len(pages), progress))
    tables.categories.put(generation, category_rows(contents))
    users = UserRows(contents)
    tables.communities.put(generation, users.communities())
    n = len(contents.history.visitors)
    tables.profiles.put(generation, _counted(users.profiles(), "writing profiles", n, progress))
    tables.arrays.put(generation, contents.found.arrays)
    seconds = time.monotonic() - started
    verify(tables, contents, pages, progress)
    return Written(len(pages), n, tables.cells_written - cells_before, seconds)


def _counted(items: Iterable[_T], doing: str, total: int, progress: Progress) -> Iterator[_T]:
    for done, item in enumerate(items):
        if done % _PROGRESS_EVERY == 0:
            progress(doing, done, total)
        yield item
    progress(doing, total, total)


def switch(tables: Tables, lease: Lease, generation: Generation, expected: str | None) -> None:
    """List the generation and point to it, or take it away again.

    Args:
        expected: the id of the generation that is active now; None for none.

    Raises:
        Conflict: another generation was activated meanwhile.
        LeaseLost: another batch took over.
    """
    tables.generations.put(generation)
    try:
        # each attempt is over long before the lease is: the batch that takes it after us finds
        # either our generation active, or no batch about to switch
        for _ in range(_SWITCH_ATTEMPTS - 1):
            lease.renew()
            with suppress(StoreUnavailable):
                return _activate(tables, generation, expected)
        lease.renew()
        _activate(tables, generation, expected)
    except Conflict:
        tables.generations.drop(generation.id)
        raise


def _activate(tables: Tables, generation: Generation, expected: str | None) -> None:
    if (
        tables.meta.versions().active != generation.id.encode()
    ):  # else an earlier attempt came through
        tables.generations.activate(generation.id, expected, _SWITCH_S)
