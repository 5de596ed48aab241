"""[4] What requests keep of the rows they read: profiles, and the texts of new pages.

The profiles of a generation never change, so the last ones stay in memory; the text of a page may,
so it stays for a moment. Both are bounded by bytes.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict

from webrec.domain.types import Page
from webrec.tables.rows import ProfileRow

_PROFILE_OVERHEAD_BYTES = 2_200  # measured: what a profile takes besides its numbers
_TEXT_OVERHEAD_BYTES = 220  # measured: what a text takes besides its words


class ProfileCache:
    """The profiles that were asked for last; safe to use from several threads.

    Args:
        most_bytes: about how much memory they may take.
    """

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._profiles: OrderedDict[tuple[str, str], ProfileRow | None] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many profiles there are."""
        return len(self._profiles)

    def get(self, key: tuple[str, str]) -> ProfileRow | None:
        """The profile of a generation and a visitor; None is that there is none.

        Raises:
            KeyError: it is not known here.
        """
        with self._lock:
            found = self._profiles[key]
            self._profiles.move_to_end(key)
            return found

    def put(self, key: tuple[str, str], profile: ProfileRow | None) -> None:
        """Keep a profile, and let go of those that were not asked for the longest."""
        with self._lock:
            if key not in self._profiles:
                self._profiles[key] = profile
                self._left -= _bytes_of(profile)
            while self._left < 0:
                _, oldest = self._profiles.popitem(last=False)
                self._left += _bytes_of(oldest)


def _bytes_of(profile: ProfileRow | None) -> int:
    if profile is None:
        return _PROFILE_OVERHEAD_BYTES
    counted = sum(part.numbers.nbytes + part.counts.nbytes for part in profile[:4])
    return _PROFILE_OVERHEAD_BYTES + counted + profile.last.nbytes


class PageTextCache:
    """The texts of the pages that were asked for last; safe to use from several threads.

    Args:
        most_bytes: about how much memory they may take.
        for_s: seconds for which a text is good: what is sent meanwhile is seen after it.
    """

    def __init__(self, most_bytes: int, for_s: float) -> None:
        self._left = most_bytes
        self._for_s = for_s
        self._pages: OrderedDict[str, tuple[float, Page | None]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, url: str) -> Page | None:
        """The page with its text; None is that no text was sent of it.

        Raises:
            KeyError: it is not known here.
        """
        expires, page = self._pages[url]
        if expires < time.monotonic():
            raise KeyError(url)
        return page

    def put(self, url: str, page: Page | None) -> None:
        """Keep a text, and let go of the oldest."""
        with self._lock:
            if (known := self._pages.pop(url, None)) is not None:
                self._left += _bytes_of_text(url, known[1])
            self._pages[url] = time.monotonic() + self._for_s, page
            self._left -= _bytes_of_text(url, page)
            while self._left < 0 and self._pages:
                oldest, (_, text) = self._pages.popitem(last=False)
                self._left += _bytes_of_text(oldest, text)


def _bytes_of_text(url: str, page: Page | None) -> int:
    words = () if page is None else (page.title, page.description, page.keywords, *page.keywords)
    return _TEXT_OVERHEAD_BYTES + sys.getsizeof(url) + sum(map(sys.getsizeof, words))
