"""[4] The row reads of requests: made within the time there is, or left out.

A request makes at most three, of its visitor's profile and recent row, and of what was said of its
page where the generation has no category for it. The profiles of a generation never change, so the
last ones stay in memory; so does what was said, for a second.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from webrec.domain.types import Page
from webrec.errors import NotFound, StoreUnavailable, WebrecError
from webrec.recording.recorder import Recorder
from webrec.tables.rows import ProfileRow
from webrec.tables.tables import Tables
from webrec.tables.visitors import Recent

_PROFILE_BYTES = 64 << 20
_PROFILE_OVERHEAD = 2_200  # measured: what a profile takes besides its numbers
_FAILURES = 3
_SAID_S = 1.0
_SAID_BYTES = 8 << 20
_SAID_OVERHEAD = 220  # measured: what an answer takes besides its words

T = TypeVar("T")

Covers = Callable[[str], bool]


class Reads:
    """What the requests of a process share.

    After some failures in a row no request asks the store any more (a circuit breaker); whoever
    follows the store in the background finds out when it answers again.

    Args:
        tables: where profiles are.
        recorder: knows what happened since.
        usual_s: the time that reads of most requests have. What fails in less than half of it
            says nothing of the store: some requests are in a hurry.
    """

    def __init__(self, tables: Tables, recorder: Recorder, usual_s: float) -> None:
        self._usual_s = usual_s
        self.tables = tables
        self.recorder = recorder
        self.profiles = ProfileCache(_PROFILE_BYTES)
        self.said = SaidCache(_SAID_BYTES, _SAID_S)
        self._failures = 0
        self._failed: Callable[[float], object] | None = None

    @property
    def are_off(self) -> bool:
        """Whether requests leave their reads out at present."""
        return self._failures >= _FAILURES

    def try_again(self) -> None:
        """Make the read that failed last once more: when it succeeds, requests read again.

        Raises:
            StoreUnavailable: the store still does not answer.
        """
        if self.are_off and self._failed is not None:
            with suppress(NotFound):  # the store answers: the generation is gone meanwhile
                self._failed(self._usual_s)
            self._failures = 0

    def attempt(self, read: Callable[[float], T], within_s: float) -> T:
        """Make a read.

        Args:
            read: called with the seconds it may take.

        Raises:
            StoreUnavailable: it failed, or there is no use in trying.
        """
        if self.are_off:
            raise StoreUnavailable("the store has not answered lately")
        if within_s <= 0:
            raise StoreUnavailable("the time for this request is over")
        try:
            found = read(within_s)
        except NotFound:
            raise  # that is an answer, too
        except WebrecError:
            if within_s >= self._usual_s / 2:
                self._failed = read
                self._failures += 1
            raise
        self._failures = 0
        return found


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
        """Keep a profile, and let go of those that nobody asked for the longest."""
        with self._lock:
            if key not in self._profiles:
                self._profiles[key] = profile
                self._left -= _bytes_of(profile)
            while self._left < 0:
                _, oldest = self._profiles.popitem(last=False)
                self._left += _bytes_of(oldest)


def _bytes_of(profile: ProfileRow | None) -> int:
    if profile is None:
        return _PROFILE_OVERHEAD
    counted = sum(part.numbers.nbytes + part.counts.nbytes for part in profile[:4])
    return _PROFILE_OVERHEAD + counted + profile.last.nbytes


class SaidCache:
    """What was said of the pages that were asked for last; safe to use from several threads.

    Args:
        most_bytes: about how much memory they may take.
        for_s: seconds for which an answer is good: what is said meanwhile is seen after it.
    """

    def __init__(self, most_bytes: int, for_s: float) -> None:
        self._left = most_bytes
        self._for_s = for_s
        self._pages: OrderedDict[str, tuple[float, Page | None]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, url: str) -> Page | None:
        """The page with its text; None is that nothing was said of it.

        Raises:
            KeyError: it is not known here.
        """
        until, page = self._pages[url]
        if until < time.monotonic():
            raise KeyError(url)
        return page

    def put(self, url: str, page: Page | None) -> None:
        """Keep an answer, and let go of the oldest."""
        with self._lock:
            if (known := self._pages.pop(url, None)) is not None:
                self._left += _bytes_of_said(url, known[1])
            self._pages[url] = time.monotonic() + self._for_s, page
            self._left -= _bytes_of_said(url, page)
            while self._left < 0 and self._pages:
                oldest, (_, said) = self._pages.popitem(last=False)
                self._left += _bytes_of_said(oldest, said)


def _bytes_of_said(url: str, page: Page | None) -> int:
    words = () if page is None else (page.title, page.description, page.keywords, *page.keywords)
    return _SAID_OVERHEAD + sys.getsizeof(url) + sum(map(sys.getsizeof, words))


class RequestReads:
    """The reads of one request: a `webrec.serving.signals.Reads`.

    Args:
        shared: those of the process.
        until: when they must be made, by `time.perf_counter`.

    Attributes:
        left_out: why a read that was wanted was not made; None where all were.
    """

    def __init__(self, shared: Reads, until: float) -> None:
        self._shared = shared
        self._until = until
        self.left_out: WebrecError | None = None

    def profile(self, generation_id: str, visitor: str) -> ProfileRow | None:
        """The visitor's profile in a generation; None also where it could not be read.

        Nor where the recent row could not be: it says whether the visitor was forgotten.
        """
        shared, key = self._shared, (generation_id, visitor)
        if self.left_out is not None:
            return None
        try:
            return shared.profiles.get(key)
        except KeyError:
            pass
        try:
            found = self._attempt(lambda s: shared.tables.profiles.get(generation_id, visitor, s))
        except NotFound:
            raise  # the generation is gone: another one answers
        except WebrecError as error:
            self.left_out = error
            return None
        shared.profiles.put(key, found)
        return found

    def recent(self, visitor: str, covers: Covers) -> Recent:
        """What the visitor did since a generation; of it what this process knows, at least."""
        recorder = self._shared.recorder
        try:
            return self._attempt(lambda s: recorder.recent(visitor, covers, s))
        except WebrecError as error:
            self.left_out = error
            return recorder.recent_here(visitor, covers)

    def said(self, url: str) -> Page | None:
        """A page with its newest text; None also where that could not be read."""
        shared = self._shared
        with suppress(KeyError):
            return shared.said.get(url)
        try:
            found = self._attempt(lambda s: shared.tables.page_texts.get(url, s))
        except WebrecError as error:
            self.left_out = error
            return None
        shared.said.put(url, found)
        return found

    def has_time(self) -> bool:
        """Whether there is time left; what needs some is left out where there is none."""
        if time.perf_counter() < self._until:
            return True
        self.left_out = StoreUnavailable("the time for this request is over")
        return False

    def _attempt(self, read: Callable[[float], T]) -> T:
        return self._shared.attempt(read, self._until - time.perf_counter())
