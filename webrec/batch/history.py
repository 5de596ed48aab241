"""[1] → [2] The raw log in, what everybody visited and what every page says out.

Memory grows with the distinct pages, visitors and pairs of them, not with the log: event ids that
were seen are kept in a scratch store on disk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hbase_schema import row_keys as keys
from webrec.domain.event_kinds import COUNTERS, COUNTS_AS, KNOWN_KINDS
from webrec.domain.progress import StepProgress
from webrec.domain.types import Campaign, Event, Page
from webrec.rawlog import Log, Record, Watermark
from webrec.storage import Store, Swap, open_scratch
from webrec.tables.page_texts import PageText

_CHUNK = 5_000
_PAIRS_IN_MEMORY = 2_000_000
_SEEN, _COLUMN = "seen", b"m:seen"

Pairs = sparse.csr_array[np.int64]


@dataclass(slots=True)
class Replayed:
    """What the log says (U visitors, P pages).

    Attributes:
        pages: in the order of their URLs; the index is the page's number.
        visitors: visitor keys in order.
        visits, accepts: int64 CSR of shape (U, P): how often whom where.
        last_visits: int64 CSR of shape (U, P): the moment (ms) of each visitor's last visit.
        page_visits, page_accepts: int64 (P,), anonymous visitors included.
        counts: events read, left out and why.
        forgotten_in: segments that hold events of forgotten visitors.
    """

    pages: list[Page]
    visitors: list[str]
    visits: Pairs
    accepts: Pairs
    last_visits: Pairs
    page_visits: NDArray[np.int64]
    page_accepts: NDArray[np.int64]
    counts: dict[str, int]
    forgotten_in: list[str]


class _Tally:
    """Numbers by pairs of visitor and page number, in bounded memory.

    Args:
        combine: what is done with several numbers of one pair.
    """

    def __init__(self, combine: np.ufunc) -> None:
        self._combine = combine
        self._rows: list[int] = []
        self._cols: list[int] = []
        self._numbers: list[int] = []
        self._sums: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []

    def add(self, row: int, col: int, number: int) -> None:
        self._rows.append(row)
        self._cols.append(col)
        self._numbers.append(number)
        if len(self._rows) >= _PAIRS_IN_MEMORY:
            self._fold()

    def matrix(self, row_order: NDArray[np.int64], col_order: NDArray[np.int64]) -> Pairs:
        """The numbers, with row ``i`` at ``row_order[i]`` and column ``j`` at ``col_order[j]``."""
        self._fold()
        pairs, counts = self._sums[0]
        rows, cols = row_order[pairs >> 32], col_order[pairs & 0xFFFF_FFFF]
        shape = (len(row_order), len(col_order))
        matrix: Pairs = sparse.csr_array((counts, (rows, cols)), shape=shape, dtype=np.int64)
        matrix.sort_indices()
        return matrix

    def _fold(self) -> None:
        new = (np.array(self._rows, np.int64) << 32) | np.array(self._cols, np.int64)
        parts = [*self._sums, (new, np.array(self._numbers, np.int64))]
        pairs, where = np.unique(np.concatenate([p for p, _ in parts]), return_inverse=True)
        sums = np.zeros(len(pairs), np.int64)
        self._combine.at(sums, where, np.concatenate([n for _, n in parts]))
        self._sums = [(pairs, sums)]
        self._rows, self._cols, self._numbers = [], [], []


@dataclass(slots=True)
class _Replay:
    """The state of one replay."""

    counts: dict[str, int]
    texts: dict[str, PageText] = field(default_factory=dict)
    page_numbers: dict[str, int] = field(default_factory=dict)
    visitor_numbers: dict[str, int] = field(default_factory=dict)
    visits: _Tally = field(default_factory=lambda: _Tally(np.add))
    accepts: _Tally = field(default_factory=lambda: _Tally(np.add))
    last_visits: _Tally = field(default_factory=lambda: _Tally(np.maximum))
    anonymous_visits: dict[int, int] = field(default_factory=dict)
    anonymous_accepts: dict[int, int] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Count one event that counts."""
        page = self.page_numbers.setdefault(event.url, len(self.page_numbers))
        if event.title or event.keywords or event.description:
            said = self.texts.get(event.url, PageText())
            self.texts[event.url] = said.newer(PageText.of(event))
        counter = COUNTS_AS[event.kind]
        if counter is None:
            return
        accept = counter == "accepts"
        self.counts[counter] += 1
        if event.visitor is None:
            anonymous = self.anonymous_accepts if accept else self.anonymous_visits
            anonymous[page] = anonymous.get(page, 0) + 1
        else:
            known = self.visitor_numbers
            visitor = known.setdefault(event.visitor, len(known))
            (self.accepts if accept else self.visits).add(visitor, page, 1)
            if not accept:
                self.last_visits.add(visitor, page, event.at_ms)

    def read_campaign(self, campaign: Campaign) -> None:
        """Take the words a campaign gives for landing pages that say nothing themselves."""
        for ad in campaign.ads:
            if ad.page.has_text and ad.page.url not in self.texts:
                self.page_numbers.setdefault(ad.page.url, len(self.page_numbers))
                self.texts[ad.page.url] = PageText(
                    (0, ad.page.title), (0, ad.page.keywords), (0, ad.page.description)
                )

    def result(self, forgotten_in: list[str]) -> Replayed:
        """Everything in its final order."""
        urls, page_order = _sorted(self.page_numbers)
        visitors, visitor_order = _sorted(self.visitor_numbers)
        visits = self.visits.matrix(visitor_order, page_order)
        accepts = self.accepts.matrix(visitor_order, page_order)
        return Replayed(
            [self._page(url) for url in urls],
            visitors,
            visits,
            accepts,
            self.last_visits.matrix(visitor_order, page_order),
            _totals(visits, self.anonymous_visits, page_order),
            _totals(accepts, self.anonymous_accepts, page_order),
            self.counts,
            forgotten_in,
        )

    def _page(self, url: str) -> Page:
        return self.texts.get(url, PageText()).page(url)


@dataclass(slots=True)
class Left:
    """What was read, and what was left out.

    Attributes:
        counts: events read, left out and why, counted by kind.
        forgotten_in: segments that hold events of forgotten visitors, in order.
    """

    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("events", *COUNTERS, "bots", "duplicates", "broken", "forgotten"), 0
        )
    )
    forgotten_in: dict[str, None] = field(default_factory=dict)


def counting(
    log: Log,
    watermark: Watermark,
    forgotten: Mapping[str, int],
    left: Left,
    progress: StepProgress,
) -> Iterator[Event]:
    """The events of a log that count: no robots, no repeats, nobody who is forgotten.

    Args:
        watermark: up to where to read.
        forgotten: visitors whose events received until a moment (µs) are left out.
        left: told what was left out.
        progress: called after each segment.
    """
    counts = left.counts
    segments = log.covered_by(watermark)

    def broken() -> None:
        counts["broken"] += 1

    def of_people() -> Iterator[Record]:
        for done, segment in enumerate(segments):
            progress(done, len(segments))
            for record in log.read(segment, broken):
                is_forgotten = record.received_us <= forgotten.get(record.event.visitor or "", -1)
                if is_forgotten:
                    left.forgotten_in[segment] = None
                if record.event.kind not in KNOWN_KINDS:
                    broken()
                    continue
                counts["events"] += 1
                if is_forgotten:
                    counts["forgotten"] += 1
                elif record.event.bot:
                    counts["bots"] += 1
                else:
                    yield record
        progress(len(segments), len(segments))

    with _scratch() as scratch:
        records = of_people()
        while chunk := list(islice(records, _CHUNK)):
            fresh = _without_repeats(scratch, chunk)
            counts["duplicates"] += len(chunk) - len(fresh)
            yield from (record.event for record in fresh)


def replay(
    log: Log,
    watermark: Watermark,
    forgotten: Mapping[str, int],
    campaigns: Iterable[Campaign],
    progress: StepProgress,
    keep: Callable[[Event], bool] = lambda _: True,
) -> Replayed:
    """Read the log up to a watermark.

    Args:
        forgotten: visitors whose events received until a moment (µs) are left out.
        campaigns: their landing pages are pages too, where they bring words.
        progress: called after each segment.
        keep: whether an event that counts is part of what is wanted.
    """
    left = Left()
    state = _Replay(counts=left.counts)
    for event in counting(log, watermark, forgotten, left, progress):
        if keep(event):
            state.take(event)
    for campaign in campaigns:
        state.read_campaign(campaign)
    return state.result(list(left.forgotten_in))


class _scratch(ExitStack):  # noqa: N801 - reads as the function it stands for
    """A store on disk for the time of one replay."""

    def __enter__(self) -> Store:  # type: ignore[override]  # gives what it holds, not itself
        super().__enter__()
        folder = self.enter_context(tempfile.TemporaryDirectory(prefix="webrec-"))
        store = open_scratch(Path(folder))
        self.callback(store.close)
        store.create_table(_SEEN, ())
        return store


def _without_repeats(scratch: Store, records: list[Record]) -> list[Record]:
    """The records whose event id was not seen before, in order."""
    firsts: dict[bytes, bytes] = {}
    fresh = []
    for record in records:
        event_id = record.event.event_id
        if event_id is None:
            fresh.append(record)
            continue
        position = keys.position(record.segment, record.number)
        if firsts.setdefault(keys.event_key(event_id), position) == position:
            fresh.append(record)
    if firsts:
        claims = {row: Swap(None, position) for row, position in firsts.items()}
        new = scratch.check_and_put(_SEEN, _COLUMN, claims)
        repeated = {p for p, is_new in zip(firsts.values(), new, strict=True) if not is_new}
        fresh = [r for r in fresh if keys.position(r.segment, r.number) not in repeated]
    return fresh


def _sorted(numbers: dict[str, int]) -> tuple[list[str], NDArray[np.int64]]:
    """The names in order, and for each old number its new one."""
    names = sorted(numbers)
    order = np.empty(len(names), np.int64)
    order[[numbers[name] for name in names]] = np.arange(len(names))
    return names, order


def _totals(
    pairs: Pairs, anonymous: dict[int, int], page_order: NDArray[np.int64]
) -> NDArray[np.int64]:
    totals = np.asarray(pairs.sum(axis=0), np.int64).ravel()
    for page, count in anonymous.items():
        totals[page_order[page]] += count
    return totals
