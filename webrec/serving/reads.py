"""[4] The row reads of requests: made within the time there is, or left out.

A request makes at most three, of its visitor's profile and recent row, and of the text that was
sent of its page where the generation has no category for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from webrec.domain.types import Page
from webrec.errors import NotFound, StoreUnavailable, WebrecError
from webrec.recording.recorder import Recorder
from webrec.serving.caches import PageTextCache, ProfileCache
from webrec.tables.rows import ProfileRow
from webrec.tables.tables import Tables
from webrec.tables.visitors import Recent

_PROFILE_BYTES = 64 << 20
"""Of one process: some 20,000 visitors who saw a few dozen pages each."""

_PAGE_TEXT_BYTES = 8 << 20
"""Of one process: some thousands of pages."""

_PAGE_TEXT_S = 1.0
"""What is sent of a page is seen by every worker within this and a flush of its recorder."""

_FAILURES = 3
"""In a row: fewer may be chance, and each more costs a request its time."""

T = TypeVar("T")

Covers = Callable[[str], bool]
"""Whether a generation has read a segment of the log, by the segment's name."""


class RowReads(Protocol):
    """The row reads of a request; one that the store does not answer in time is left out."""

    def profile(self, generation_id: str, visitor: str) -> ProfileRow | None:
        """The visitor's profile in a generation."""
        ...

    def recent(self, visitor: str, covers: Covers) -> Recent:
        """What the visitor did since the generation that covers those segments of the log."""
        ...

    def page_text(self, url: str) -> Page | None:
        """A page with the newest text that was sent of it since it is new."""
        ...

    def has_time(self) -> bool:
        """Whether there is time left for the request; what is left out then is noted."""
        ...


class CircuitBreaker:
    """Keeps requests from a store that does not answer.

    After some failures in a row it opens, and no request asks the store any more, until a probe in
    the background finds that it answers again.

    Args:
        usual_s: the time that reads of most requests have. What fails in less than half of it says
            nothing of the store: some requests are in a hurry.
    """

    def __init__(self, usual_s: float) -> None:
        self._usual_s = usual_s
        self._failures = 0
        self._failed: Callable[[float], object] | None = None

    @property
    def is_open(self) -> bool:
        """Whether requests leave their reads out at present."""
        return self._failures >= _FAILURES

    def probe(self) -> None:
        """Make the read that failed last once more: when it succeeds, requests read again.

        Raises:
            StoreUnavailable: the store still does not answer.
        """
        if self.is_open and self._failed is not None:
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
        if self.is_open:
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


class SharedReads:
    """What the reads of all requests of a process share.

    Args:
        tables: where profiles and the texts of pages are.
        recorder: knows what happened since.
        usual_s: see `CircuitBreaker`.
    """

    def __init__(self, tables: Tables, recorder: Recorder, usual_s: float) -> None:
        self.tables = tables
        self.recorder = recorder
        self.breaker = CircuitBreaker(usual_s)
        self.profiles = ProfileCache(_PROFILE_BYTES)
        self.page_texts = PageTextCache(_PAGE_TEXT_BYTES, _PAGE_TEXT_S)


class DeadlineReads:
    """The reads of one request: `RowReads` with a deadline.

    Args:
        shared: those of the process.
        deadline: when they must be made, by `time.perf_counter`.

    Attributes:
        left_out: why a read that was wanted was not made; None where all were.
    """

    def __init__(self, shared: SharedReads, deadline: float) -> None:
        self._shared = shared
        self._deadline = deadline
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

    def page_text(self, url: str) -> Page | None:
        """A page with its newest text; None also where that could not be read."""
        shared = self._shared
        with suppress(KeyError):
            return shared.page_texts.get(url)
        try:
            found = self._attempt(lambda s: shared.tables.page_texts.get(url, s))
        except WebrecError as error:
            self.left_out = error
            return None
        shared.page_texts.put(url, found)
        return found

    def has_time(self) -> bool:
        """Whether there is time left; what needs some is left out where there is none."""
        if time.perf_counter() < self._deadline:
            return True
        self.left_out = StoreUnavailable("the time for this request is over")
        return False

    def _attempt(self, read: Callable[[float], T]) -> T:
        return self._shared.breaker.attempt(read, self._deadline - time.perf_counter())
