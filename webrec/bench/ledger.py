"""All that was sent to a service under load, and a sample of the answers that can be checked.

In: blocks of requests and answers, in the order they were sent. Out: a sample of the answers whose
right content is certain.

What a visitor did before a request counts for its answer, and every worker sees it within two
seconds. So an answer is eligible if all other visits of its visitor were answered at least so long
before it was asked for, or asked for after it was there.

Which page a visitor opened last counts, too: an answer is not eligible where two visits before it
overlapped, for their order is unknown.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from operator import attrgetter
from random import Random
from typing import NamedTuple

from webrec.bench.load import Sent
from webrec.formats.requests import RequestDocument

SEEN_WITHIN_S = 2.0
"""What is recorded is seen by every worker within this time."""


class SampledAnswer(NamedTuple):
    """An answer of the sample.

    Attributes:
        number: of the request.
        at_ms: when it was sent, by the clock of the campaigns.
        recent: visits of its visitor since the batch, by URL, the first one first.
        body: the answer.
    """

    number: int
    at_ms: int
    recent: dict[str, int]
    body: bytes


class _Visit(NamedTuple):
    """A visit that was recorded: when its request was sent, and when its answer was there."""

    url: str
    sent: float
    done: float


class Ledger:
    """All that was sent to one service since its table of recent visits was empty.

    Args:
        requests: by number.
        size: answers to keep.
        seed: of the sample.

    Attributes:
        answers, degraded, eligible: how many there were so far.
    """

    def __init__(self, requests: Sequence[RequestDocument], size: int, seed: int) -> None:
        self.answers = self.degraded = self.eligible = 0
        self._requests = requests
        self._size = size
        self._random = Random(seed)  # noqa: S311 - a sample, no secret
        self._visits: dict[str, list[_Visit]] = {}
        self._sample: list[SampledAnswer] = []
        self._is_recorded = [_is_recorded(request) for request in requests]
        self._clock_s = time.time() - time.perf_counter()

    @property
    def sample(self) -> list[SampledAnswer]:
        """The sample, in no order that means anything."""
        return list(self._sample)

    def add(self, first: int, sent: Sequence[Sent]) -> None:
        """Take in a block; blocks come in the order in which they were sent.

        Args:
            first: number of the block's first request.
        """
        for each in sent:
            self._note(self._requests[first + each.index], first + each.index, each)
        for each in sent:
            self.answers += 1
            if is_degraded(each.body):
                self.degraded += 1
            else:
                self._consider(first + each.index, each)

    def _note(self, request: RequestDocument, number: int, sent: Sent) -> None:
        if self._is_recorded[number] and request.visitor is not None:
            visit = _Visit(request.url, sent.sent, sent.done)
            self._visits.setdefault(request.visitor, []).append(visit)

    def _consider(self, number: int, sent: Sent) -> None:
        """Keep the answer, if the right one is certain and the sample wants it."""
        visits = self._visits.get(self._requests[number].visitor or "", ())
        known_s = sent.sent - SEEN_WITHIN_S
        own = (sent.sent, sent.done)
        if any(v.done > known_s and v.sent < sent.done and v[1:] != own for v in visits):
            return
        known = sorted((v for v in visits if v.done <= known_s), key=attrgetter("sent"))
        if any(after.sent < before.done for before, after in pairwise(known)):
            return
        self.eligible += 1
        # so that each eligible answer is as likely as any other to be in the sample at the end
        place = len(self._sample)
        if place >= self._size:
            place = self._random.randrange(self.eligible)
        if place < self._size:
            recent = Counter(visit.url for visit in known)
            at_ms = round((sent.sent + self._clock_s) * 1000)
            self._sample[place : place + 1] = [
                SampledAnswer(number, at_ms, dict(recent), sent.body)
            ]


def _is_recorded(request: RequestDocument) -> bool:
    return request.track and not request.event().bot


def is_degraded(body: bytes) -> bool:
    """Whether an answer says that something was left out."""
    return b'"degraded":true' in body
