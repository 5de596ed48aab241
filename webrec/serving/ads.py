"""[4] The ads of the campaigns that run now, as sets an algorithm can intersect.

An ad that is neither in a category nor in a community's list can be in no list. One that the
generation does not know, or has no category for, may have one by the text its campaign gives; it
has a number between its neighbours', and a total affinity of 0. The sets are made once per change
of campaigns or generation, so that a request reads the ones it needs and nothing of the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np

from algorithms import UNCATEGORISED, Candidate, Candidates
from webrec.domain.types import Campaign
from webrec.model.model import Model
from webrec.serving.ad_sets import AdSet

_NAMED_SETS = 32
"""Indexes of named campaigns that are kept: requests name the same ones again and again."""

_FOREVER_MS = 1 << 62
"""After every date that a campaign can have."""


class Ad(NamedTuple):
    """An ad as a list shows it: the campaign that won its page, and that campaign's spelling."""

    campaign: str
    shown: str


class AdIndex:
    """``adUrls`` at one moment, against one model.

    Args:
        model: the generation.
        categories: of pages that the generation has none for, by page number.
        campaigns: those that run, each with its ads' page numbers and spellings.
        weigh_ads: False where the weight of campaign priority is 0, so that rank decides.
    """

    def __init__(
        self,
        model: Model,
        categories: Mapping[float, int],
        campaigns: Iterable[_Resolved],
        *,
        weigh_ads: bool,
    ) -> None:
        self._model = model
        self._categories = categories
        self._weigh_ads = weigh_ads
        self._campaigns = sorted(campaigns, key=lambda r: (-r.campaign.priority, r.campaign.id))
        self._by_id = {resolved.campaign.id: resolved for resolved in self._campaigns}
        self.ads: dict[float, Ad] = {}
        self._priority: dict[float, float] = {}
        for campaign, landing in self._campaigns:
            for page, shown in landing:
                if page not in self.ads:
                    self.ads[page] = Ad(campaign.id, shown)
                    self._priority[page] = campaign.priority
        candidates = (
            Candidate(-self._total(page), page, self._category(page), priority)
            for page, priority in self._priority.items()
        )
        self._all = self._set("ads ∩ recL", [c for c in candidates if c.category != UNCATEGORISED])
        self.only = lru_cache(_NAMED_SETS)(self._only)
        self.in_col = lru_cache(None)(self._in_col)
        self.in_rec_of = lru_cache(None)(self._in_rec_of)

    def in_rec(self, category: int) -> Candidates:
        """``adUrls ∩ recL[c]``."""
        name = self._model.generation.category_ids[category]
        return self._all.part(category, f"ads ∩ recL[{name}]")

    def in_rec_all(self) -> Candidates:
        """``adUrls ∩ recL``."""
        return self._all

    def _only(self, campaign_ids: frozenset[str]) -> AdIndex:
        """The index of the named campaigns alone."""
        named = [self._by_id[each] for each in campaign_ids if each in self._by_id]
        return AdIndex(self._model, self._categories, named, weigh_ads=self._weigh_ads)

    def _in_col(self, community: int) -> Candidates:
        """``adUrls ∩ colL[g]``."""
        mine = np.array([page for page in self._priority if isinstance(page, int)], np.uint32)
        name = self._model.generation.community_ids[community]
        candidates = [
            Candidate(-rank, page, self._category(page), self._priority[page])
            for page, rank in self._model.col_ranks(community, mine)
        ]
        return self._set(f"ads ∩ colL[{name}]", candidates)

    def _in_rec_of(self, community: int) -> Candidates:
        """The ads with one of the categories of ``colL[g]``."""
        name = self._model.generation.community_ids[community]
        categories = self._model.categories_of(community)
        candidates = [
            candidate
            for category in categories.intersection(self._all.categories())
            for _, run in self._all.of(category)
            for candidate in run
        ]
        return self._set(f"ads with a category in categories(colL[{name}])", candidates)

    def _category(self, page: float) -> int:
        found = self._categories.get(page)
        if found is not None:
            return found
        return self._model.category(page) if isinstance(page, int) else UNCATEGORISED

    def _total(self, page: float) -> float:
        return self._model.total(page) if isinstance(page, int) else 0.0

    def _set(self, expression: str, candidates: list[Candidate]) -> AdSet:
        return AdSet(expression, candidates, weigh_ads=self._weigh_ads)


class AdBoard:
    """The campaigns of one state of the tables, indexed for whatever moment is asked.

    Args:
        model: the generation.
        campaigns: all of them, running or not.
        categories: by URL, of landing pages that the generation has no category for.
        weigh_ads: see `AdIndex`.
    """

    def __init__(
        self,
        model: Model,
        campaigns: Sequence[Campaign],
        categories: Mapping[str, int],
        *,
        weigh_ads: bool,
    ) -> None:
        self._model = model
        self._weigh_ads = weigh_ads
        self._by_url = categories
        known = {url: model.find(url) for url in categories}
        self._new = _numbers_between(model, (url for url, page in known.items() if page is None))
        numbers: dict[str, float] = {u: page for u, page in known.items() if page is not None}
        numbers |= self._new
        self._categories = {numbers[url]: category for url, category in categories.items()}
        self._campaigns = [_resolve(self.find, c) for c in campaigns if c.active]
        self._lock = threading.Lock()
        self._current: tuple[int, int, AdIndex] | None = None

    def find(self, url: str) -> float | None:
        """The number of a page of the model, or of a categorised landing page outside it."""
        page = self._model.find(url)
        return self._new.get(url) if page is None else page

    def category(self, url: str) -> int | None:
        """The category of a landing page by its campaign's text; None for all other pages."""
        return self._by_url.get(url)

    def at(self, now_ms: int) -> AdIndex:
        """The ads of the campaigns that run at ``now_ms``."""
        current = self._current
        if current is None or not current[0] <= now_ms < current[1]:
            with self._lock:
                current = self._current
                if current is None or not current[0] <= now_ms < current[1]:
                    current = self._current = self._index(now_ms)
        return current[2]

    def _index(self, now_ms: int) -> tuple[int, int, AdIndex]:
        """From when (inclusive) to when (exclusive) an index holds, and the index."""
        changes = {0, _FOREVER_MS}
        for campaign, _ in self._campaigns:
            changes.update(x for x in (campaign.starts_ms, campaign.ends_ms) if x is not None)
        starts = max((change for change in changes if change <= now_ms), default=now_ms)
        ends = min(change for change in changes if change > now_ms)
        running = [r for r in self._campaigns if r.campaign.runs_at(now_ms)]
        index = AdIndex(self._model, self._categories, running, weigh_ads=self._weigh_ads)
        return starts, ends, index


class _Resolved(NamedTuple):
    """A campaign and its ads that can be in a list: page number and spelling."""

    campaign: Campaign
    landing: list[tuple[float, str]]


def _numbers_between(model: Model, urls: Iterable[str]) -> dict[str, float]:
    """Numbers for URLs that the model does not know, which sort among its own as the URLs do."""
    gaps = groupby(sorted(urls), model.sort_position)
    return {
        url: position - 1 + number / (len(gap) + 1)
        for position, gap in ((position, list(urls_there)) for position, urls_there in gaps)
        for number, url in enumerate(gap, 1)
    }


def _resolve(find: Callable[[str], float | None], campaign: Campaign) -> _Resolved:
    found = ((find(ad.page.url), ad.shown) for ad in campaign.ads)
    return _Resolved(campaign, [(page, shown) for page, shown in found if page is not None])
