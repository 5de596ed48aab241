"""Visitors without pause, a ledger of what they were told, and what came of it.

Every visit is of a page of its own, so that each can be found, or found missing or twice.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.support.running import Client, Service, wait_until
from webrec.rawlog.local import LocalLog

_EVENTS = 5
_PAUSE_S = 0.02
_BROKEN = (OSError, http.client.HTTPException)

Visit = tuple[str, str]
"""Login id and URL."""


@dataclass(slots=True)
class Ledger:
    """What was sent, by what the sender was told of it.

    Attributes:
        acknowledged: 202 for an event, 200 for a recommendation.
        accepted: the events among them.
        unsure: nothing, or that it failed.
        repeated: events that were sent again after they had been acknowledged.
        retried: events that were sent again since nothing was heard of them.
        refused: connections that could not be made, or took nothing.
        reset: kept-alive connections that were closed when the next request came.
    """

    acknowledged: set[Visit] = field(default_factory=set)
    accepted: set[Visit] = field(default_factory=set)
    unsure: set[Visit] = field(default_factory=set)
    recommendations: int = 0
    repeated: int = 0
    retried: int = 0
    refused: int = 0
    reset: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def events(self) -> int:
        """How many events were accepted."""
        return len(self.accepted)

    def visitors(self) -> list[str]:
        """Everybody who sent anything."""
        return sorted({user for user, _ in self.acknowledged | self.unsure})


@dataclass(frozen=True, slots=True)
class Found:
    """How the visits counted differ from those sent."""

    lost: int
    doubled: int
    invented: int

    @property
    def is_right(self) -> bool:
        """Acknowledged ones count exactly once, the others at most once."""
        return not (self.lost or self.doubled or self.invented)


def compare(ledger: Ledger, counted: Counter[Visit]) -> Found:
    """Hold what was counted against what was sent."""
    sent = ledger.acknowledged | ledger.unsure
    return Found(
        lost=sum(counted[visit] == 0 for visit in ledger.acknowledged),
        doubled=sum(n - 1 for n in counted.values()),
        invented=len(counted.keys() - sent),
    )


def counted_by_service(service: Service, ledger: Ledger) -> Counter[Visit]:
    """The visits of everybody, as ``GET /v1/users`` tells them."""
    counted: Counter[Visit] = Counter()
    with service.client() as client:
        for user in ledger.visitors():
            answer = client.get("/v1/users", user=user)
            if answer.status != 404:
                assert answer.status == 200, answer.body
                counted.update({(user, u["url"]): u["visits"] for u in answer.json["urls"]})
    return counted


def counted_in_log(home: Path) -> Counter[Visit]:
    """The lines of the log, which nobody writes any more, by visitor and URL."""
    log = LocalLog(home / "log")
    assert log.open_segments() == []
    records = (record for name in log.closed_segments() for record in log.read(name))
    return Counter(
        ((record.event.visitor or "")[2:], record.event.url)
        for record in records
        if record.event.url.startswith("https://load.example/")
    )


def settled(service: Service, ledger: Ledger) -> Found:
    """What is found once all that was acknowledged is shown, or waiting for it has no sense."""
    found = Found(0, 0, 0)

    def nothing_is_lost() -> bool:
        nonlocal found
        found = compare(ledger, counted_by_service(service, ledger))
        return found.lost == 0

    try:
        wait_until(nothing_is_lost)
    except TimeoutError:
        return found
    return found


class _Sender(threading.Thread):
    """One visitor after the other, on one connection."""

    numbers = count()

    def __init__(self, port: int, ledger: Ledger, stop: threading.Event, *, retry: bool) -> None:
        super().__init__(name="sender", daemon=True)
        self._client = Client(port)
        self._ledger = ledger
        self._stop_now = stop
        self._retry = retry
        self._user = f"sender-{next(self.numbers)}"
        self._pages = count()

    def run(self) -> None:
        turns = (self._known_events, self._recommendation, self._events)
        with self._client:
            for turn in count():
                if self._stop_now.is_set() or not turns[turn % len(turns)]():
                    return

    def _known_events(self) -> bool:
        """Events with ids: sent again until they are acknowledged, and sometimes once more."""
        visits = self._new(_EVENTS)
        documents = [self._document(v) | {"event_id": f"{v[0]}-{v[1]}"} for v in visits]
        goes_on = self._send("/v1/events", documents, visits, 202)
        while not goes_on and self._retry and not self._stop_now.is_set():
            self._ledger.retried += len(visits)
            time.sleep(_PAUSE_S)
            goes_on = self._send("/v1/events", documents, visits, 202)
        if goes_on and self._retry and visits[0][1].endswith("0"):
            self._ledger.repeated += len(visits)
            goes_on = self._send("/v1/events", documents, visits, 202, again=True)
        return goes_on or self._retry

    def _events(self) -> bool:
        """Events without ids: sent once."""
        visits = self._new(_EVENTS)
        documents = [self._document(visit) for visit in visits]
        return self._send("/v1/events", documents, visits, 202) or self._retry

    def _recommendation(self) -> bool:
        (visit,) = visits = self._new(1)
        document = self._document(visit)
        return self._send("/v1/recommendations", document, visits, 200) or self._retry

    def _send(
        self, path: str, document: object, visits: list[Visit], good: int, *, again: bool = False
    ) -> bool:
        was_fresh = self._client.is_fresh
        status = 0
        try:
            status = self._client.post(path, document).status
        except _BROKEN:
            self._client.close()
            time.sleep(_PAUSE_S)
        with self._ledger.lock:
            self._note(visits, good, status, was_fresh=was_fresh, again=again)
        return status == good

    def _note(
        self, visits: list[Visit], good: int, status: int, *, was_fresh: bool, again: bool
    ) -> None:
        ledger = self._ledger
        ledger.statuses[status] += 1
        if status == good:
            ledger.unsure.difference_update(visits)
            ledger.acknowledged.update(visits)
            if good == 202:
                ledger.accepted.update(visits)
            else:
                ledger.recommendations += 1
        elif not again:
            ledger.unsure.update(visits)
        if status == 0:
            ledger.refused += was_fresh
            ledger.reset += not was_fresh

    def _new(self, number: int) -> list[Visit]:
        pages = [next(self._pages) for _ in range(number)]
        return [(self._user, f"https://load.example/{self._user}/{page}") for page in pages]

    def _document(self, visit: Visit) -> dict[str, object]:
        return {"type": "visit", "user": visit[0], "url": visit[1], "limit": 1}


@contextmanager
def load(
    service: Service, ledger: Ledger, *, senders: int = 4, retry: bool = True
) -> Iterator[threading.Event]:
    """Senders at work while the block runs.

    Args:
        retry: go on after a failure, and send events with ids again; else nothing is sent twice,
            and a sender's first failure is its last request.
    """
    stop = threading.Event()
    threads = [_Sender(service.port, ledger, stop, retry=retry) for _ in range(senders)]
    for thread in threads:
        thread.start()
    try:
        yield stop
    finally:
        stop.set()
        for thread in threads:
            thread.join()
