"""[4] The signals of one request: a visitor and a page in, what an algorithm may ask for out.

Each row is read at most once, and only when it is asked for. A request works on one `Snapshot`
from its first read to its last, so it never mixes two generations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from algorithms import UNCATEGORISED, Candidates, PageScores
from webrec.domain.answers import Source
from webrec.domain.sorted_numbers import position_of
from webrec.domain.types import Page
from webrec.serving.ads import AdIndex
from webrec.serving.membership import Membership
from webrec.serving.reads import RowReads
from webrec.serving.snapshots import Snapshot
from webrec.serving.visitor_history import VisitorHistory


class Query(NamedTuple):
    """What the signals depend on.

    Attributes:
        url, exclude: canonical URLs.
        visitor: visitor key, None for an anonymous visitor.
        campaigns: only these, None for all.
        repeat: whether visited URLs may be recommended.
        now_ms: the moment for which campaigns run.
        page: the page with the text that the request brings; None where it brings none.
    """

    url: str
    visitor: str | None
    exclude: tuple[str, ...]
    campaigns: frozenset[str] | None
    repeat: bool
    now_ms: int
    page: Page | None = None


class RequestSignals:
    """`algorithms.Signals` of one request.

    Args:
        snapshot: the generation and the campaigns.
        query: the request.
        reads: the tables.
        accept_weight: how many visits an accept counts for.
        online: whether a visitor whom the generation gives no community gets the nearest.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        query: Query,
        reads: RowReads,
        accept_weight: float,
        *,
        online: bool,
    ) -> None:
        self._snapshot = snapshot
        self._model = snapshot.model
        self._query = query
        self._reads = reads
        self._accept_weight = accept_weight
        self._online = online
        self._visitor = VisitorHistory(query.visitor, snapshot.model, reads)

    def category(self) -> int | None:
        """The category of the request's URL, if it has one."""
        if self._page is not None:
            category = self._model.category(self._page)
            if category != UNCATEGORISED:
                return category
        return self._online_category

    def category_source(self) -> Source | None:
        """What found the category of the request's URL; None where it has none."""
        if self.category() is None:
            return None
        return "batch" if self._model.has_category(self._query.url) else "online"

    def community(self) -> int | None:
        """The community of the user, if there is one."""
        return self.membership.community

    def affinities(self) -> Mapping[int, float]:
        """``aff(u, c)`` of the categories the user touched."""
        return self._affinities

    def similarity_scores(self) -> PageScores:
        """The pages similar to the page being viewed and to those the visitor visited."""
        return self._similarity_scores

    def excluded(self) -> Excluded | set[float]:
        """The set X."""
        return self._excluded

    def rec(self, category: int) -> Candidates:
        """``recL[c]``."""
        return self._model.rec(category)

    def rec_all(self) -> Candidates:
        """``recL``."""
        return self._model.rec_all

    def col(self, community: int) -> Candidates:
        """``colL[g]``."""
        return self._model.col(community)

    def rec_of(self, community: int) -> Candidates:
        """The union of ``recL[c]`` over the categories of ``colL[g]``."""
        return self._model.rec_of(community)

    def ads_in_rec(self, category: int) -> Candidates:
        """``adUrls ∩ recL[c]``."""
        return self.ads.in_rec(category)

    def ads_in_rec_all(self) -> Candidates:
        """``adUrls ∩ recL``."""
        return self.ads.in_rec_all()

    def ads_in_col(self, community: int) -> Candidates:
        """``adUrls ∩ colL[g]``."""
        return self.ads.in_col(community)

    def ads_in_rec_of(self, community: int) -> Candidates:
        """The ads whose category is one of those of ``colL[g]``."""
        return self.ads.in_rec_of(community)

    @cached_property
    def ads(self) -> AdIndex:
        """``adUrls``."""
        index = self._snapshot.ads.at(self._query.now_ms)
        named = self._query.campaigns
        return index if named is None else index.only(named)

    @cached_property
    def membership(self) -> Membership:
        """The community of the user, and what found it."""
        return self._visitor.membership(online=self._online)

    @cached_property
    def seen(self) -> list[int]:
        """The pages that similar ones are sought for, the last one seen first.

        The page being viewed, then what the visitor visited.
        """
        return self._visitor.seen(self._page)

    @cached_property
    def _page(self) -> int | None:
        return self._model.find(self._query.url)

    @cached_property
    def _online_category(self) -> int | None:
        """The category by the page's text: the request's, else sent before, else a campaign's."""
        classifier = self._snapshot.page_classifier
        if classifier is None:
            return None
        page = self._described
        if page is None:
            return self._snapshot.ads.category(self._query.url)
        if not self._reads.has_time():
            return None
        return classifier.category(page)

    @cached_property
    def _described(self) -> Page | None:
        """The page with the newest of each field that was sent of it, now or before."""
        sent = self._query.page
        if sent is not None and sent.is_described:
            return sent
        before = self._reads.page_text(self._query.url)
        return before if sent is None else sent if before is None else sent.filled(before)

    @cached_property
    def _similarity_scores(self) -> PageScores:
        return self._model.co_visit_scorer.scores(self.seen)

    @cached_property
    def _affinities(self) -> Mapping[int, float]:
        weights = self._visitor.category_weights(self._accept_weight)
        most = max(weights.values(), default=0.0)
        return {c: w / most for c, w in weights.items()} if most > 0 else {}

    @cached_property
    def _excluded(self) -> Excluded | set[float]:
        find = self._snapshot.ads.find
        own: float | None = self._page
        if own is None:
            own = find(self._query.url)
        pages = {page for page in (own, *map(find, self._query.exclude)) if page is not None}
        if self._query.repeat:
            return pages
        visitor = self._visitor
        for cell, known in visitor.recent_pages:
            page = find(cell.url) if known is None else known
            if cell.visits and page is not None:
                pages.add(page)
        if visitor.profile is None:
            return pages
        return Excluded(pages, visitor.profile.urls.numbers.data)


class Excluded:
    """The set X of a request whose visitor has a profile.

    Args:
        pages: page numbers, those of landing pages outside the model included.
        visited: more of them, sorted: a profile's, left where it lies.
    """

    def __init__(self, pages: set[float], visited: memoryview | tuple[int, ...]) -> None:
        self._pages = pages
        self._visited = visited

    def __contains__(self, page: float, /) -> bool:
        return page in self._pages or position_of(self._visited, page) >= 0

    def __iter__(self) -> Iterator[float]:
        yield from self._pages
        yield from (page for page in self._visited if page not in self._pages)
