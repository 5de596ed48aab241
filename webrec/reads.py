"""[4] The row reads of requests: made within the time there is, or left out.

A request makes at most two, of its visitor's profile and recent row. The profiles of a generation
never change, so the last ones stay in memory.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from webrec.errors import NotFound, StoreUnavailable, WebrecError
from webrec.recorder import Recorder
from webrec.tables import ProfileRow, Recent, Tables

_PROFILE_BYTES = 64 << 20
_PROFILE_OVERHEAD = 2_200  # measured: what a profile takes besides its numbers
_FAILURES = 3

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
    parts = () if profile is None else profile[:4]
    return _PROFILE_OVERHEAD + sum(p.numbers.nbytes + p.counts.nbytes for p in parts)


class RequestReads:
    """The reads of one request: a `webrec.lookup.Reads`.

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
            found = self._attempt(lambda s: shared.tables.profile(generation_id, visitor, s))
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

    def _attempt(self, read: Callable[[float], T]) -> T:
        return self._shared.attempt(read, self._until - time.perf_counter())
