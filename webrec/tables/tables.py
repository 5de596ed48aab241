"""[3][4] The tables, typed: what the batch writes and the look-up reads, over any store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, reduce
from itertools import accumulate, groupby
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from hbase_schema import cells
from hbase_schema import names as t
from hbase_schema import row_keys as keys
from hbase_schema.cells import Numbers, PageCell, RecentCell
from hbase_schema.families import definition_of
from webrec.domain.ids import new_id
from webrec.domain.types import Campaign, Event, Page
from webrec.errors import Conflict, LeaseLost, NotFound
from webrec.features.text import LONGEST_TEXT
from webrec.formats.documents import campaign_document, parse_campaign
from webrec.rawlog.local import Record, Watermark
from webrec.storage import Store, Swap
from webrec.storage.base import Cells


@dataclass(frozen=True, slots=True)
class Generation:
    """What a generation is, without its tables.

    Attributes:
        id: orders generations by age.
        cut_us: when its log was cut; visitors forgotten until then are not in it.
        accept_weight: the one its totals and communities were computed with.
        category_ids, community_ids: the id of each category or community number.
        suggested_labels: by category number.
        counts, quality: figures of the batch's report.
    """

    id: str
    created_ms: int
    cut_us: int
    watermark: Watermark
    accept_weight: float
    category_ids: tuple[str, ...]
    community_ids: tuple[str, ...]
    suggested_labels: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)
    quality: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """As the generations' table holds it."""
        document = {name: getattr(self, name) for name in self.__slots__}
        return orjson.dumps(document | {"watermark": self.watermark.document()})

    @classmethod
    def from_json(cls, cell: bytes) -> Generation:
        """The inverse of `to_json`."""
        document = orjson.loads(cell)
        document["watermark"] = Watermark.of(document["watermark"])
        document["category_ids"] = tuple(document["category_ids"])
        document["community_ids"] = tuple(document["community_ids"])
        document["suggested_labels"] = tuple(document["suggested_labels"])
        return cls(**document)


class Counts(NamedTuple):
    """Affinities of somebody for some numbered things, as parallel uint32 arrays of shape (n,)."""

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
        keywords: the most telling first.
        value: total affinity.
    """

    urls: Numbers
    keywords: list[str]
    value: float


class Recent(NamedTuple):
    """What happened to a visitor since a generation.

    Attributes:
        cells: by column.
        forgotten_us: when the visitor was forgotten last (µs); 0 for never.
    """

    cells: dict[bytes, RecentCell]
    forgotten_us: int


class Said(NamedTuple):
    """What was said of a page: the newest of each field, with the moment (ms) it was said.

    Of the same moment the greater counts, so that the order in which it came says nothing. The
    batch and the service both go by it.
    """

    title: tuple[int, str] = (0, "")
    keywords: tuple[int, tuple[str, ...]] = (0, ())
    description: tuple[int, str] = (0, "")

    @classmethod
    def of(cls, event: Event) -> Said:
        """What an event says, as far as it counts."""
        return cls().newer(
            cls(
                (event.at_ms if event.title else 0, event.title[:LONGEST_TEXT]),
                (event.at_ms if event.keywords else 0, _cut(event.keywords)),
                (event.at_ms if event.description else 0, event.description[:LONGEST_TEXT]),
            )
        )

    def newer(self, other: Said) -> Said:
        """The newer of both, field by field."""
        return Said(
            max(self.title, other.title),
            max(self.keywords, other.keywords),
            max(self.description, other.description),
        )

    def page(self, url: str) -> Page:
        """The page with this text."""
        return Page(url, self.title[1], self.keywords[1], self.description[1])


class Versions(NamedTuple):
    """What to compare to see that something was written."""

    active: bytes | None
    campaigns: bytes | None
    labels: bytes | None


Space = Mapping[str, NDArray[Any]]
"""What pages or users are measured by: arrays by name."""

_PARTS = (t.URLS, t.CATS, t.ACCEPTED_URLS, t.ACCEPTED_CATS)


class Tables:
    """Typed reads and writes over a store.

    Args:
        store: any `webrec.storage.Store`.

    Attributes:
        cells_written: of generations, by this object.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cells_written = 0

    def create(self) -> None:
        """Create the tables that are not part of a generation, where they are missing."""
        present = set(self.store.tables())
        for table in t.FIXED:
            if table not in present:
                self._create(table)

    # --- campaigns and labels -------------------------------------------------------------

    def campaign(self, campaign_id: str) -> Campaign | None:
        """One campaign."""
        cell = _campaign_cell(self.store.get(t.CAMPAIGNS, campaign_id.encode()))
        return None if cell is None else campaign_of(cell)

    def campaigns(self, after: str = "") -> Iterator[Campaign]:
        """The campaigns with an id greater than ``after``, in the order of their ids."""
        return (campaign_of(cell) for _, cell in self.campaign_cells(after))

    def campaign_cells(self, after: str = "") -> Iterator[tuple[str, bytes]]:
        """The campaigns as they are stored, for a reader that decodes only what has changed."""
        start = after.encode() + b"\x00" if after else b""
        for row, found in self.store.scan(t.CAMPAIGNS, start):
            cell = _campaign_cell(found)
            if cell is not None:
                yield row.decode(), cell

    def put_campaigns(self, campaigns: Sequence[Campaign]) -> None:
        """Write campaigns; those with the same id are replaced."""
        left = {c.id.encode(): orjson.dumps(campaign_document(c)) for c in campaigns}
        while left:
            # new parts each time: whoever was quicker may have deleted the last ones
            packed = {
                row: cells.pack_document(document, new_id().encode())
                for row, document in left.items()
            }
            self.store.put_many(
                t.CAMPAIGNS, [(row, parts) for row, (_, parts) in packed.items() if parts]
            )
            documents = {row: document for row, (document, _) in packed.items()}
            replaced = self._try_to_set(t.CAMPAIGNS, t.DOCUMENT, documents)
            left = {row: document for row, document in left.items() if row not in replaced}
            self._drop_parts(replaced)
            self._drop_parts({row: documents[row] for row in left})
        # also for none: who repeats an upload that failed between the two sees it through
        self._bump(t.CAMPAIGNS_VERSION)

    def delete_campaign(self, campaign_id: str) -> None:
        """Take a campaign away."""
        row = campaign_id.encode()
        if self.store.get(t.CAMPAIGNS, row, (t.DOCUMENT,)):
            self._drop_parts(self._set(t.CAMPAIGNS, t.DOCUMENT, {row: cells.NO_DOCUMENT}))
        self._bump(t.CAMPAIGNS_VERSION)

    def labels(self) -> dict[str, str]:
        """The names people gave, by category id."""
        return {row.decode(): c[t.LABEL].decode() for row, c in self.store.scan(t.LABELS)}

    def put_label(self, category_id: str, label: str) -> None:
        """Name a category."""
        self._set(t.LABELS, t.LABEL, {category_id.encode(): label.encode()})
        self._bump(t.LABELS_VERSION)

    def versions(self) -> Versions:
        """The present versions."""
        rows = (t.ACTIVE, t.CAMPAIGNS_VERSION, t.LABELS_VERSION)
        return Versions(*(c.get(t.VALUE) for c in self.store.get_many(t.META, rows)))

    # --- recent ---------------------------------------------------------------------------

    def put_recent(self, found: Iterable[tuple[str, bytes, RecentCell]]) -> None:
        """Write cells of visitors' recent rows, by visitor and column."""
        rows: dict[bytes, dict[bytes, bytes]] = {}
        for visitor, column, cell in found:
            rows.setdefault(keys.visitor_key(visitor), {})[column] = cells.pack_recent(cell)
        self.store.put_many(t.RECENT, rows.items())

    def recent(
        self, visitor: str, covers: Callable[[str], bool], within_s: float | None = None
    ) -> Recent:
        """What happened since a generation.

        Args:
            covers: whether the generation has absorbed a segment.
            within_s: seconds after which the answer is of no use any more.
        """
        row = self.store.get(t.RECENT, keys.visitor_key(visitor), within_s=within_s)
        if not row:
            return Recent({}, 0)
        forgotten_us = _forgotten_us(row)
        memo = cache(covers)
        found = {
            column: cells.unpack_recent(cell)
            for column, cell in row.items()
            if column.startswith(t.EVENT) and not memo(keys.segment_of(column))
        }
        valid = {column: cell for column, cell in found.items() if cell.first_us > forgotten_us}
        return Recent(valid, forgotten_us)

    def forgotten_us(self, visitors: Sequence[str]) -> list[int]:
        """The moment (µs) until which nothing counts, for each visitor; 0 for never forgotten."""
        rows = self.store.get_many(
            t.RECENT, [keys.visitor_key(v) for v in visitors], (t.FORGOTTEN_AT,)
        )
        return [_forgotten_us(row) for row in rows]

    def forget(self, visitor: str, now_us: int) -> None:
        """From now on, nothing received until ``now_us`` counts for this visitor."""
        row = keys.visitor_key(visitor)
        at = cells.pack_int(now_us)
        self.store.put_many(t.FORGOTTEN, [(row, {t.AT: at})])
        self.store.put_many(t.RECENT, [(row, {t.FORGOTTEN_AT: at})])
        before = [
            column
            for column, cell in self.store.get(t.RECENT, row).items()
            if column != t.FORGOTTEN_AT and cells.unpack_recent(cell).first_us <= now_us
        ]
        self.store.delete_many(t.RECENT, [(row, before)])

    def forgotten(self) -> dict[str, int]:
        """The visitors to take out of the log, with the moment (µs) until which."""
        return {
            keys.visitor_of(row): cells.unpack_int(found[t.AT])
            for row, found in self.store.scan(t.FORGOTTEN)
        }

    def forgotten_done(self, visitors: dict[str, int]) -> None:
        """Their events are out of the log; those forgotten again since then stay listed."""
        now = self.forgotten()
        rows = [keys.visitor_key(v) for v, at_us in visitors.items() if now.get(v) == at_us]
        self.store.delete_many(t.FORGOTTEN, [(row, None) for row in rows])

    def clean_recent(self, oldest: Generation) -> int:
        """Delete what every kept generation has absorbed.

        Args:
            oldest: the oldest generation kept.

        Returns:
            How many cells were deleted.
        """
        deleted = 0

        def absorbed() -> Iterator[tuple[bytes, Sequence[bytes]]]:
            nonlocal deleted
            for row, found in self.store.scan(t.RECENT):
                columns = [c for c, cell in found.items() if _absorbed(oldest, c, cell)]
                if columns:
                    deleted += len(columns)
                    yield row, columns

        self.store.delete_many(t.RECENT, absorbed())
        return deleted

    def claim(self, records: Iterable[Record]) -> set[bytes]:
        """Claim the event ids of records for the positions they stand at.

        Each id belongs to the first position that claims it; claiming again is as once.

        Returns:
            The positions (see `hbase_schema.row_keys.position`) whose event is a repeat.
        """
        wanted: dict[bytes, bytes] = {}
        repeats: set[bytes] = set()
        for record in records:
            if record.event.event_id is not None:
                position = keys.position(record.segment, record.number)
                if wanted.setdefault(keys.event_key(record.event.event_id), position) != position:
                    repeats.add(position)
        if not wanted:
            return repeats
        claims = {row: Swap(None, position) for row, position in wanted.items()}
        fresh = self.store.check_and_put(t.EVENTS, t.AT, claims)
        taken = [row for row, is_fresh in zip(wanted, fresh, strict=True) if not is_fresh]
        for row, found in zip(taken, self.store.get_many(t.EVENTS, taken), strict=True):
            if found.get(t.AT) != wanted[row]:
                repeats.add(wanted[row])
        return repeats

    # --- pages that are new ---------------------------------------------------------------

    def put_said(self, found: Iterable[tuple[str, str, Said]]) -> None:
        """Write what segments have of pages: segment, URL, and the newest text there."""
        rows = (
            (keys.page_key(u), {keys.said_column(s): _said_cell(u, said)}) for s, u, said in found
        )
        self.store.put_many(t.NEW_PAGES, rows)

    def said(self, url: str, within_s: float | None = None) -> Page | None:
        """A page with the newest text that was kept of it; None where none was.

        Args:
            within_s: seconds after which the answer is of no use any more.
        """
        return _newest(url, self.store.get(t.NEW_PAGES, keys.page_key(url), within_s=within_s))

    def said_of(self, urls: Sequence[str]) -> list[Page | None]:
        """The same of many pages, in order."""
        rows = self.store.get_many(t.NEW_PAGES, [keys.page_key(url) for url in urls])
        return [_newest(url, row) for url, row in zip(urls, rows, strict=True)]

    def clean_said(self, oldest: Generation) -> None:
        """Delete the texts that every kept generation has read in the log.

        Args:
            oldest: the oldest generation kept.
        """
        covers = cache(oldest.watermark.covers)
        found = (
            (row, [column for column in texts if covers(keys.said_in(column))])
            for row, texts in self.store.scan(t.NEW_PAGES)
        )
        self.store.delete_many(t.NEW_PAGES, ((row, gone) for row, gone in found if gone))

    # --- generations ----------------------------------------------------------------------

    def next_number(self, counter: bytes) -> int:
        """The next number of one of the counters in the meta table, from 1."""
        while True:
            old = self.store.get(t.META, counter).get(t.VALUE)
            number = 1 if old is None else cells.unpack_number(old) + 1
            if self._swap_meta(counter, old, cells.pack_number(number, new_id().encode())):
                return number

    def active(self) -> Generation | None:
        """The active generation."""
        cell = self.store.get(t.META, t.ACTIVE).get(t.VALUE)
        return None if cell is None else self.generation(cell.decode())

    def generation(self, generation_id: str) -> Generation | None:
        """One published generation."""
        cell = self.store.get(t.GENERATIONS, generation_id.encode()).get(t.INFO)
        return None if cell is None else Generation.from_json(cell)

    def generations(self) -> list[Generation]:
        """The published generations, oldest first."""
        return [Generation.from_json(found[t.INFO]) for _, found in self.store.scan(t.GENERATIONS)]

    def put_generation(self, generation: Generation) -> None:
        """List a generation as published; its tables are complete."""
        row = generation.id.encode()
        self.store.put_many(t.GENERATIONS, [(row, {t.INFO: generation.to_json()})])

    def activate(
        self, generation_id: str, expected: str | None, within_s: float | None = None
    ) -> None:
        """Switch the pointer.

        Args:
            expected: the generation that is active now; None for none.
            within_s: seconds after which it must not be tried any more.

        Raises:
            NotFound: there is no such generation.
            Conflict: another generation is active.
        """
        if self.generation(generation_id) is None:
            raise NotFound(f"there is no model {generation_id}: `webrec models list` shows them")
        old = None if expected is None else expected.encode()
        if not self._swap_meta(t.ACTIVE, old, generation_id.encode(), within_s):
            raise Conflict("another model was activated at the same time: look and try again")

    def create_generation(self, generation_id: str) -> None:
        """Create the tables of a generation."""
        for kind in t.KINDS:
            self._create(t.generation_table(generation_id, kind))

    def drop_generation(self, generation_id: str) -> None:
        """Drop a generation; it is taken off the list first."""
        self.store.delete_many(t.GENERATIONS, [(generation_id.encode(), None)])
        for kind in t.KINDS:
            self.store.drop_table(t.generation_table(generation_id, kind))

    def generations_with_tables(self) -> set[str]:
        """The generations that have tables, listed or not."""
        found = (t.generation_of(table) for table in self.store.tables())
        return {generation for generation in found if generation is not None}

    def put_pages(self, generation_id: str, pages: Iterable[PageCell]) -> None:
        """Write pages of a generation."""
        rows = ((keys.page_key(p.url), {t.PAGE: cells.pack_page(p)}) for p in pages)
        self._load(t.generation_table(generation_id, "pages"), rows)

    def pages(self, generation_id: str) -> Iterator[PageCell]:
        """All pages of a generation, in no order that means anything."""
        for _, found in self.store.scan(t.generation_table(generation_id, "pages")):
            yield cells.unpack_page(found[t.PAGE])

    def pages_by_url(self, generation_id: str, urls: Sequence[str]) -> list[PageCell | None]:
        """Some pages of a generation, in the order asked; None for an unknown one."""
        table = t.generation_table(generation_id, "pages")
        rows = self.store.get_many(table, [keys.page_key(url) for url in urls])
        return [cells.unpack_page(row[t.PAGE]) if row else None for row in rows]

    def put_categories(
        self, generation_id: str, categories: Iterable[tuple[str, CategoryRow]]
    ) -> None:
        """Write categories of a generation by id."""
        table = t.generation_table(generation_id, "categories")
        self._load(table, ((i.encode(), _category_cells(c)) for i, c in categories))

    def category(self, generation_id: str, category_id: str) -> CategoryRow | None:
        """One category of a generation."""
        table = t.generation_table(generation_id, "categories")
        found = self.store.get(table, category_id.encode())
        return _category(found) if found else None

    def put_communities(
        self, generation_id: str, communities: Iterable[tuple[str, ProfileRow, int]]
    ) -> None:
        """Write communities of a generation: id, the four parts, size in members."""
        table = t.generation_table(generation_id, "communities")
        rows = (
            (i.encode(), {**_profile_cells(row), t.INFO: cells.pack_int(size)})
            for i, row, size in communities
        )
        self._load(table, rows)

    def community(self, generation_id: str, community_id: str) -> tuple[ProfileRow, int] | None:
        """One community of a generation and its size in members."""
        table = t.generation_table(generation_id, "communities")
        found = self.store.get(table, community_id.encode())
        return (_profile(found), cells.unpack_int(found[t.INFO])) if found else None

    def put_profiles(self, generation_id: str, rows: Iterable[tuple[str, ProfileRow]]) -> None:
        """Write profiles of a generation by visitor key."""
        table = t.generation_table(generation_id, "profiles")
        self._load(table, ((keys.visitor_key(v), _profile_cells(row)) for v, row in rows))

    def profile(
        self, generation_id: str, visitor: str, within_s: float | None = None
    ) -> ProfileRow | None:
        """One profile of a generation.

        Args:
            within_s: seconds after which the answer is of no use any more.
        """
        table = t.generation_table(generation_id, "profiles")
        found = self.store.get(table, keys.visitor_key(visitor), within_s=within_s)
        return _profile(found) if found else None

    def put_spaces(self, generation_id: str, spaces: Mapping[str, Space]) -> None:
        """Write the spaces of a generation by name."""
        rows = (
            (keys.array_part_key(space, name, number), {t.ARRAY_PART: part})
            for space, arrays in spaces.items()
            for name, array in arrays.items()
            for number, part in enumerate(cells.pack_array(array))
        )
        self._load(t.generation_table(generation_id, "spaces"), rows)

    def spaces(self, generation_id: str) -> dict[str, Space]:
        """The spaces of a generation by name; none of one that was written before there were."""
        table = t.generation_table(generation_id, "spaces")
        if table not in self.store.tables():
            return {}
        found: dict[str, dict[str, NDArray[Any]]] = {}
        parts = groupby(self.store.scan(table), key=lambda row: keys.array_of(row[0]))
        for (space, name), rows in parts:
            array = cells.unpack_array([cell[t.ARRAY_PART] for _, cell in rows])
            found.setdefault(space, {})[name] = array
        return dict(found)

    def visitors(self, generation_id: str) -> Iterator[tuple[str, int | None]]:
        """The visitors with a profile and the number of their community."""
        table = t.generation_table(generation_id, "profiles")
        for row, found in self.store.scan(table, columns=(t.COMMUNITY,)):
            yield keys.visitor_of(row), _community(found)

    # --- lease ----------------------------------------------------------------------------

    def lease(self) -> bytes | None:
        """The lease as it is written: JSON of the holder and the end of its term."""
        return self.store.get(t.META, t.LEASE).get(t.VALUE)

    def swap_lease(self, old: bytes | None, new: bytes) -> None:
        """Replace the lease.

        Raises:
            LeaseLost: it is not ``old`` any more.
        """
        if not self._swap_meta(t.LEASE, old, new):
            raise LeaseLost("another batch took the lease: only one runs at a time")

    # --- how -------------------------------------------------------------------------------

    def _create(self, table: str) -> None:
        self.store.create_table(table, definition_of(table).families)

    def _load(self, table: str, rows: Iterable[tuple[bytes, Cells]]) -> None:
        """Write many rows of a generation."""

        def counted() -> Iterator[tuple[bytes, Cells]]:
            for row, found in rows:
                self.cells_written += len(found)
                yield row, found

        self.store.put_many(table, counted())

    def _bump(self, counter: bytes) -> None:
        self.next_number(counter)

    def _swap_meta(
        self, row: bytes, old: bytes | None, new: bytes, within_s: float | None = None
    ) -> bool:
        (done,) = self.store.check_and_put(t.META, t.VALUE, {row: Swap(old, new)}, within_s)
        return done

    def _set(
        self, table: str, column: bytes, values: Mapping[bytes, bytes]
    ) -> dict[bytes, bytes | None]:
        """Write cells that several people may write: whoever comes last wins.

        By compare-and-set, so that a write that got stuck on its way never hides a later one.

        Returns:
            What was replaced, by row; None where there was nothing.
        """
        replaced: dict[bytes, bytes | None] = {}
        while left := {row: value for row, value in values.items() if row not in replaced}:
            replaced.update(self._try_to_set(table, column, left))
        return replaced

    def _try_to_set(
        self, table: str, column: bytes, values: Mapping[bytes, bytes]
    ) -> dict[bytes, bytes | None]:
        """The same, once.

        Returns:
            What was replaced, by row; of those only where nobody else was quicker.
        """
        there = self.store.get_many(table, list(values), (column,))
        swaps = {
            row: Swap(cell.get(column), values[row])
            for row, cell in zip(values, there, strict=True)
        }
        done = self.store.check_and_put(table, column, swaps)
        return {
            row: swap.expected
            for (row, swap), is_done in zip(swaps.items(), done, strict=True)
            if is_done
        }

    def _drop_parts(self, replaced: Mapping[bytes, bytes | None]) -> None:
        """Delete the parts of campaigns' documents that were replaced."""
        long = {row: cell for row, cell in replaced.items() if cell and cells.is_in_parts(cell)}
        rows = zip(long.items(), self.store.get_many(t.CAMPAIGNS, list(long)), strict=True)
        stale = [(row, cells.parts_of(cell, found)) for (row, cell), found in rows]
        self.store.delete_many(t.CAMPAIGNS, stale)


def _forgotten_us(row: dict[bytes, bytes]) -> int:
    marker = row.get(t.FORGOTTEN_AT)
    return 0 if marker is None else cells.unpack_int(marker)


def _absorbed(oldest: Generation, column: bytes, cell: bytes) -> bool:
    if column == t.FORGOTTEN_AT:
        # a segment still open at the cut may hold what came before, for a replay to find
        return oldest.watermark.is_complete and cells.unpack_int(cell) <= oldest.cut_us
    return oldest.watermark.covers(keys.segment_of(column))


def _cut(keywords: tuple[str, ...]) -> tuple[str, ...]:
    """The first keywords, as far as they count."""
    starts = accumulate(map(len, keywords), initial=0)
    return tuple(
        word[: LONGEST_TEXT - start]
        for word, start in zip(keywords, starts, strict=False)
        if start < LONGEST_TEXT
    )


def _said_cell(url: str, said: Said) -> bytes:
    return orjson.dumps({"url": url} | said._asdict())


def _newest(url: str, row: Mapping[bytes, bytes]) -> Page | None:
    if not row:
        return None
    return reduce(Said.newer, map(_said, row.values())).page(url)


def _said(cell: bytes) -> Said:
    found = orjson.loads(cell)
    at_ms, keywords = found["keywords"]
    return Said(tuple(found["title"]), (at_ms, tuple(keywords)), tuple(found["description"]))


def campaign_of(cell: bytes) -> Campaign:
    """The campaign a cell holds."""
    return parse_campaign(orjson.loads(cell))


def _campaign_cell(found: dict[bytes, bytes]) -> bytes | None:
    cell = found.get(t.DOCUMENT)
    return None if cell is None else cells.unpack_document(cell, found)


def _category_cells(row: CategoryRow) -> dict[bytes, bytes]:
    info = {"keywords": row.keywords, "value": row.value}
    return {**dict(cells.pack_columns(t.URLS, [row.urls])), t.INFO: orjson.dumps(info)}


def _category(found: dict[bytes, bytes]) -> CategoryRow:
    info: dict[str, Any] = orjson.loads(found[t.INFO])
    (urls,) = cells.unpack_columns(t.URLS, found, 1)
    return CategoryRow(urls, info["keywords"], info["value"])


def _profile_cells(row: ProfileRow) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for part, counts in zip(_PARTS, row[:4], strict=True):
        if len(counts.numbers):
            found.update(cells.pack_columns(part, counts))
    if len(row.last):
        found.update(cells.pack_columns(t.LAST, [row.last]))
    # written for everybody, so that a profile of a user without community has a row too
    found[t.COMMUNITY] = b"" if row.community is None else cells.pack_int(row.community)
    return found


def _profile(found: dict[bytes, bytes]) -> ProfileRow:
    urls, cats, accepted_urls, accepted_cats = (
        Counts(*cells.unpack_columns(part, found, 2)) for part in _PARTS
    )
    (last,) = cells.unpack_columns(t.LAST, found, 1)
    return ProfileRow(urls, cats, accepted_urls, accepted_cats, _community(found), last)


def _community(found: dict[bytes, bytes]) -> int | None:
    cell = found.get(t.COMMUNITY)
    return cells.unpack_int(cell) if cell else None
