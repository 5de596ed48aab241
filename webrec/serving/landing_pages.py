"""[4] Categories of landing pages that the generation has none for: campaigns in, categories out.

What a campaign says of such a page places it, as it will place it in the next batch. Each page is
placed once a generation, some at a time: a large upload must not hold up what else is followed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from webrec.domain.types import Campaign, Page
from webrec.features.page_classifier import PageClassifier

_AT_ONCE = 256
_WORTH = 1.5


class LandingPages:
    """What is known of landing pages under one generation.

    Args:
        has_category: whether the generation has a category for a URL.
        space: places pages; None places none.
    """

    def __init__(self, has_category: Callable[[str], bool], space: PageClassifier | None) -> None:
        self._has_category = has_category
        self._space = space
        self._known: dict[Page, int | None] = {}
        self._waiting: list[Page] = []
        self._told = 0

    @property
    def are_placed(self) -> bool:
        """Whether all that were asked for were placed, as far as they can be."""
        return not self._waiting

    @property
    def are_worth_telling(self) -> bool:
        """Whether enough were placed since `categories` was asked for to make a new board of."""
        return self.are_placed or len(self._known) >= _WORTH * self._told

    def follow(self, campaigns: Iterable[Campaign]) -> None:
        """From now on these campaigns count, and no others.

        As in the batch the first by id to say something of a page is believed, active or not.
        """
        if self._space is None:
            return
        texts: dict[str, Page] = {}
        shown: set[str] = set()
        for campaign in sorted(campaigns, key=lambda c: c.id):
            for ad in campaign.ads:
                if ad.page.has_text:
                    texts.setdefault(ad.page.url, ad.page)
                if campaign.active:
                    shown.add(ad.page.url)
        pages = [p for url, p in texts.items() if url in shown and not self._has_category(url)]
        self._known = {page: self._known[page] for page in pages if page in self._known}
        self._waiting = [page for page in pages if page not in self._known]

    def place(self, within_s: float) -> None:
        """Place those that wait, until the time is over."""
        until = time.monotonic() + within_s
        while self._space is not None and self._waiting and time.monotonic() < until:
            pages = self._waiting[-_AT_ONCE:]
            self._known.update(zip(pages, self._space.categories(pages), strict=True))
            del self._waiting[-_AT_ONCE:]

    def categories(self) -> dict[str, int]:
        """The category of each page that was placed, by URL."""
        self._told = len(self._known)
        return {page.url: c for page, c in self._known.items() if c is not None}
