"""[4] Categories of landing pages that the generation has none for: campaigns in, categories out.

The text that a campaign gives of such a page categorises it, as it will in the next batch. Each
page is categorised once a generation, some at a time: a large upload must not hold up what else is
followed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from webrec.domain.types import Campaign, Page
from webrec.features.page_classifier import PageClassifier

_AT_ONCE = 256
"""Pages between two looks at the clock: enough that the classifier is not called for each."""

_WORTH = 1.5
"""A new board is worth its making when it knows so many times the pages of the last one: a board of
many ads takes longer to make than a few more pages are worth."""


class LandingPages:
    """What is known of landing pages under one generation.

    Args:
        has_category: whether the generation has a category for a URL.
        classifier: categorises pages by their text; None categorises none.
    """

    def __init__(
        self, has_category: Callable[[str], bool], classifier: PageClassifier | None
    ) -> None:
        self._has_category = has_category
        self._classifier = classifier
        self._known: dict[Page, int | None] = {}
        self._waiting: list[Page] = []
        self._given = 0

    @property
    def are_categorised(self) -> bool:
        """Whether all that are followed were categorised, as far as they can be."""
        return not self._waiting

    @property
    def are_worth_a_board(self) -> bool:
        """Whether enough were categorised since `categories` was asked for to make a new board."""
        return self.are_categorised or len(self._known) >= _WORTH * self._given

    def follow(self, campaigns: Iterable[Campaign]) -> None:
        """From now on these campaigns count, and no others.

        As in the batch the text of the first campaign by id counts, active or not.
        """
        if self._classifier is None:
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

    def categorise(self, within_s: float) -> None:
        """Categorise pages that wait, until none does or the time is over."""
        deadline = time.monotonic() + within_s
        while self._classifier is not None and self._waiting and time.monotonic() < deadline:
            pages = self._waiting[-_AT_ONCE:]
            self._known.update(zip(pages, self._classifier.categories(pages), strict=True))
            del self._waiting[-_AT_ONCE:]

    def categories(self) -> dict[str, int]:
        """The category, by URL, of each page that has one by its text."""
        self._given = len(self._known)
        return {page.url: c for page, c in self._known.items() if c is not None}
