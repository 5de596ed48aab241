"""[1] → [2] The raw log in, the history of its site out: what users visited, what every page says.

Memory grows with the distinct pages, visitors and pairs of them, not with the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from webrec.batch.log_cut import LeftOut, LogCut, RawSegment, countable_events
from webrec.batch.matrices import Pairs, PairTally, VisitMatrices
from webrec.domain.event_kinds import COUNTS_AS
from webrec.domain.progress import StepProgress
from webrec.domain.types import Campaign, Event, Page
from webrec.tables.page_texts import PageText


@dataclass(frozen=True, slots=True)
class SiteHistory:
    """What the log says of a site (U visitors, P pages): the source that learners learn from.

    Attributes:
        pages: in the order of their URLs; the index is the page's number.
        visitors: visitor keys in order; the index is the visitor's number.
        matrices: what each visitor visited.
        page_visits, page_accepts: int64 (P,), anonymous visitors included.
        cut: the part of the log that was read.
        counts: events read, left out and why.
        forgotten_in: segments that hold events of forgotten visitors.
    """

    pages: list[Page]
    visitors: list[str]
    matrices: VisitMatrices
    page_visits: NDArray[np.int64]
    page_accepts: NDArray[np.int64]
    cut: LogCut
    counts: dict[str, int] = field(default_factory=dict)
    forgotten_in: list[str] = field(default_factory=list)

    def visits(self) -> Pairs:
        """How often each visitor opened each page: int64 CSR (U, P)."""
        return self.matrices.visits

    def accepts(self) -> Pairs:
        """How often each visitor followed a recommendation of each page: int64 CSR (U, P)."""
        return self.matrices.accepts

    def last_visits(self) -> Pairs:
        """The moment (ms) of each visitor's last visit of each page: int64 CSR (U, P)."""
        return self.matrices.last_visits

    def segments(self) -> list[RawSegment]:
        """The log itself, by its segments: for a learner that reads it by an engine of its own."""
        return self.cut.segments()


def replay(cut: LogCut, campaigns: Iterable[Campaign], progress: StepProgress) -> SiteHistory:
    """Read a log up to where it was cut.

    Args:
        campaigns: their landing pages are pages too, where they bring words.
        progress: called after each segment.
    """
    left_out = LeftOut()
    state = _Replay(counts=left_out.counts)
    for event in countable_events(cut, left_out, progress):
        state.take(event)
    for campaign in campaigns:
        state.read_campaign(campaign)
    return state.result(list(left_out.forgotten_in), cut)


@dataclass(slots=True)
class _Replay:
    """The state of one replay."""

    counts: dict[str, int]
    texts: dict[str, PageText] = field(default_factory=dict)
    page_numbers: dict[str, int] = field(default_factory=dict)
    visitor_numbers: dict[str, int] = field(default_factory=dict)
    visits: PairTally = field(default_factory=lambda: PairTally(np.add))
    accepts: PairTally = field(default_factory=lambda: PairTally(np.add))
    last_visits: PairTally = field(default_factory=lambda: PairTally(np.maximum))
    anonymous_visits: dict[int, int] = field(default_factory=dict)
    anonymous_accepts: dict[int, int] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Count one event that counts."""
        page = self.page_numbers.setdefault(event.url, len(self.page_numbers))
        if event.title or event.keywords or event.description:
            text = self.texts.get(event.url, PageText())
            self.texts[event.url] = text.newer(PageText.of(event))
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

    def result(self, forgotten_in: list[str], cut: LogCut) -> SiteHistory:
        """Everything in its final order."""
        urls, page_order = _sorted(self.page_numbers)
        visitors, visitor_order = _sorted(self.visitor_numbers)
        visits = self.visits.matrix(visitor_order, page_order)
        accepts = self.accepts.matrix(visitor_order, page_order)
        last_visits = self.last_visits.matrix(visitor_order, page_order)
        return SiteHistory(
            [self._page(url) for url in urls],
            visitors,
            VisitMatrices(visits, accepts, last_visits),
            _totals(visits, self.anonymous_visits, page_order),
            _totals(accepts, self.anonymous_accepts, page_order),
            cut,
            self.counts,
            forgotten_in,
        )

    def _page(self, url: str) -> Page:
        return self.texts.get(url, PageText()).page(url)


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
