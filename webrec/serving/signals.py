"""[4] The signals of one request: a visitor and a page in, what an algorithm may ask for out.

Each read is made at most once, and only when it is asked for. A request works on one `Snapshot`
from its first read to its last, so it never mixes two generations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, Protocol, TypeAlias

from algorithms import UNCATEGORISED, Candidates, SimilarityScores
from hbase_schema.cells import RecentCell
from webrec.domain.sorted_numbers import position_of
from webrec.domain.types import Page
from webrec.features.page_classifier import PageClassifier
from webrec.model.model import Model
from webrec.serving.ads import AdBoard, AdIndex
from webrec.serving.membership import NOWHERE, Membership, affinities, membership, pairs
from webrec.tables.generations import Generation
from webrec.tables.rows import ProfileRow
from webrec.tables.visitors import Recent

CategorySource: TypeAlias = Literal["batch", "online"]

_NOTHING = Recent({}, 0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a worker holds in memory at one moment.

    Attributes:
        categories: id and label to show, by category number.
        manual: the names people gave, by category id, of whatever generation.
        space: places pages without a category; None where they stay without.
    """

    model: Model
    ads: AdBoard
    categories: list[dict[str, str]]
    manual: Mapping[str, str]
    space: PageClassifier | None = None


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


class Reads(Protocol):
    """The row reads of a request; one that the store does not answer in time is left out."""

    def profile(self, generation_id: str, visitor: str) -> ProfileRow | None:
        """The visitor's profile in a generation."""
        ...

    def recent(self, visitor: str, covers: Callable[[str], bool]) -> Recent:
        """What the visitor did since the generation that covers those segments of the log."""
        ...

    def said(self, url: str) -> Page | None:
        """A page with the newest text that was sent of it since it is new."""
        ...

    def has_time(self) -> bool:
        """Whether there is time left for the request; what is left out then is noted."""
        ...


class Lookup:
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
        reads: Reads,
        accept_weight: float,
        *,
        online: bool,
    ) -> None:
        self._model = snapshot.model
        self._board = snapshot.ads
        self._query = query
        self._reads = reads
        self._accept_weight = accept_weight
        self._online = online
        self._space = snapshot.space

    def category(self) -> int | None:
        """The category of the request's URL, if it has one."""
        if self._page is not None:
            category = self._model.category(self._page)
            if category != UNCATEGORISED:
                return category
        return self._online_category

    def category_source(self) -> CategorySource | None:
        """Where the category of the request's URL is from; None where it has none."""
        if self.category() is None:
            return None
        return "batch" if self._model.has_category(self._query.url) else "online"

    def community(self) -> int | None:
        """The community of the user, if there is one."""
        return self.membership.community

    def affinities(self) -> Mapping[int, float]:
        """``aff(u, c)`` of the categories the user touched."""
        return self._affinities

    def similarity_scores(self) -> SimilarityScores:
        """The pages similar to the page being viewed and to those the visitor visited."""
        return self._similarity_scores

    def excluded(self) -> Excluded:
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
        """``adUrls``: of the campaigns that run now, and are named where some are."""
        index = self._board.at(self._query.now_ms)
        named = self._query.campaigns
        return index if named is None else index.only(named)

    @cached_property
    def membership(self) -> Membership:
        """The community of the user, and who found it."""
        if self._query.visitor is None:
            return NOWHERE
        return membership(self._model, self._profile, self._recent_pages, online=self._online)

    @cached_property
    def _page(self) -> int | None:
        return self._model.find(self._query.url)

    @cached_property
    def _online_category(self) -> int | None:
        """The category by the page's text: the request's, else sent before, else a campaign's."""
        if self._space is None:
            return None
        page = self._described
        if page is None:
            return self._board.category(self._query.url)
        if not self._reads.has_time():
            return None
        return self._space.category(page)

    @cached_property
    def _described(self) -> Page | None:
        """The page with the newest of each field that was sent of it, now or before."""
        sent = self._query.page
        if sent is not None and sent.is_described:
            return sent
        said = self._reads.said(self._query.url)
        return said if sent is None else sent if said is None else sent.filled(said)

    @cached_property
    def _recent(self) -> Recent:
        if self._query.visitor is None:
            return _NOTHING
        return self._reads.recent(self._query.visitor, self._model.generation.watermark.covers)

    @cached_property
    def _recent_pages(self) -> list[tuple[RecentCell, int | None]]:
        return [(cell, self._model.find(cell.url)) for cell in self._recent.cells.values()]

    @cached_property
    def _profile(self) -> ProfileRow | None:
        if self._query.visitor is None:
            return None
        return profile_of(
            self._model.generation, self._query.visitor, self._recent, self._reads.profile
        )

    @cached_property
    def _similarity_scores(self) -> SimilarityScores:
        return self._model.co_visit_scorer.scores(self.seen)

    @cached_property
    def seen(self) -> list[int]:
        """The pages that similar ones are sought for, the last one seen first.

        The page being viewed, then what the visitor visited: since the generation, the page that
        was new to the visitor last coming first, and before, by the last visit.
        """
        since: dict[int, tuple[int, int]] = {}
        for cell, page in self._recent_pages:
            if page is not None and cell.visits:
                first = (cell.first_us, cell.order)
                since[page] = min(since.get(page, first), first)
        recent = sorted(since, key=lambda page: (since[page], page), reverse=True)
        before = self._profile.last.tolist() if self._profile else []
        viewed = [] if self._page is None else [self._page]
        return list(dict.fromkeys([*viewed, *recent, *before]))

    @cached_property
    def _affinities(self) -> Mapping[int, float]:
        weights = self._weights()
        most = max(weights.values(), default=0.0)
        return {c: w / most for c, w in weights.items()} if most > 0 else {}

    def _weights(self) -> dict[int, float]:
        """``w(u, c)``: visits + accept_weight * accepts, over profile and recent together."""
        profile = self._profile
        visits = {} if profile is None else dict(pairs(profile.cats))
        accepts = {} if profile is None else dict(pairs(profile.accepted_cats))
        for cell, page in self._recent_pages:
            if page is not None:
                category = self._model.category(page)
                visits[category] = visits.get(category, 0) + cell.visits
                accepts[category] = accepts.get(category, 0) + cell.accepts
        visits.pop(UNCATEGORISED, None)
        accepts.pop(UNCATEGORISED, None)
        return affinities(visits, accepts, self._accept_weight)

    @cached_property
    def _excluded(self) -> Excluded:
        find = self._board.find
        found = map(find, (self._query.url, *self._query.exclude))
        pages = {page for page in found if page is not None}
        if self._query.repeat:
            return Excluded(pages, ())
        for cell, known in self._recent_pages:
            page = find(cell.url) if known is None else known
            if cell.visits and page is not None:
                pages.add(page)
        return Excluded(pages, self._profile.urls.numbers.data if self._profile else ())


def profile_of(
    generation: Generation,
    visitor: str,
    recent: Recent,
    read: Callable[[str, str], ProfileRow | None],
) -> ProfileRow | None:
    """The visitor's profile in a generation, unless the visitor was forgotten since.

    Args:
        read: reads a profile by generation and visitor.
    """
    if not generation.id or recent.forgotten_us > generation.cut_us:
        return None
    return read(generation.id, visitor)


class Excluded:
    """The set X of a request.

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
