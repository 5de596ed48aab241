"""Servers of HBase and HDFS die while visitors come: what is answered, and what is left of it.

``python -m tests.end_to_end.faults --repeat 3`` makes each fault three times on a cluster of its
own, and prints what it found as a table, or as JSON.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.end_to_end.load import Found, Ledger, Visit, compare, counted_by_service
from tests.support.cluster import SERVERS, Cluster
from tests.support.running import Client, HttpAnswer, Service, batch, run_batch, wait_until
from webrec import config
from webrec.errors import StoreUnavailable
from webrec.formats.events import parse_event
from webrec.rawlog.local import LocalLog
from webrec.serving.engine import Engine

PLAN: dict[str, Any] = {"categories": 4, "communities": 4, "features": "tfidf"}
TMAX_MS = 100
SLACK_MS = 50
"""What a busy machine may add between the service's clock and the visitor's."""

_THEMES = (
    "telescope galaxy comet orbit nebula planet",
    "recipe kitchen oven pasta garlic bread",
    "striker goal league referee penalty coach",
    "guitar drummer concert melody chorus album",
)
# their pages come first in every list, and so whoever has seen them makes a difference
_STEADY_ONES = [f"a-steady-{n}" for n in range(24)]
_VISITORS = 200
_PAGES_EACH = 3
_SENDERS = 8
_PACE = 8.0
_LOOKS = 4.0
_EVENTS_AT_ONCE = 3
_LIMIT = 20

_BEFORE_S = 5.0
_CALM_S = 3
_WATCHED_S = 10
_TOLERATED = 0.05
_RECOVERY_S = 180.0
_SEEN_WITHIN_S = 3.0
_SHIPPED_WITHIN_S = 5.0
_LOOK_S = 1.0
_SEGMENT_BYTES = 65_536
_BROKEN = (OSError, http.client.HTTPException)


class Fault(NamedTuple):
    """Something that is done to the servers.

    Attributes:
        what: in words.
        begin: makes it happen.
        end: takes it away; None where it is over at once.
        lasts_s: seconds between the two.
    """

    what: str
    begin: Callable[[Cluster], None]
    end: Callable[[Cluster], None] | None = None
    lasts_s: float = 0.0


def _killed(*names: str) -> Fault:
    what = "all servers" if names == SERVERS else names[0]
    return Fault(f"kill -9 {what}", lambda cluster: cluster.kill(*names))


FAULTS = {
    "thrift": _killed("thrift"),
    "hbase": _killed("hbase"),
    "datanode": _killed("datanode"),
    "pause": Fault(
        "HBase stands still (SIGSTOP) for 30 s",
        lambda cluster: cluster.pause("hbase"),
        lambda cluster: cluster.resume("hbase"),
        30,
    ),
    "hdfs": Fault(
        "NameNode away for 60 s",
        lambda cluster: cluster.stop("namenode"),
        lambda cluster: cluster.start("namenode"),
        60,
    ),
    "hdfs-pause": Fault(
        "NameNode stands still (SIGSTOP) for 60 s",
        lambda cluster: cluster.pause("namenode"),
        lambda cluster: cluster.resume("namenode"),
        60,
    ),
    "restart": Fault(
        "all servers killed (-9) at once, and started again",
        Cluster.kill_all,
        Cluster.start_all,
    ),
}


@dataclass(slots=True)
class Outcome:
    """What came of one fault.

    Attributes:
        seconds: under load.
        requests: of recommendations, events and listings of visitors.
        normal: answered 200 or 202, and not degraded.
        degraded: recommendations answered from memory.
        unavailable: answered 503; refused: the recommendations among them.
        other: answered anything else, or not at all.
        late, very_late: recommendations that took the visitor more than `TMAX_MS`, and more than
            `SLACK_MS` on top of it; late_before: the late ones before the fault.
        slowest_ms: of the recommendations.
        wrong: answers with what another visitor did.
        acknowledged: visits of which the service said that it has them.
        lost, doubled, invented: of those, by what the service shows, and by what a batch read.
        recovery_s: seconds from the fault's end until all was well, and stayed so; None where
            that did not come.
        answers_s: the same for the answers alone: all of them came, and no more than one in
            twenty was degraded (a busy machine does that).
        store_s: the same for the visits: they show in the store within `_SEEN_WITHIN_S`.
        log_s: the same for the segments: they are on HDFS within `_SHIPPED_WITHIN_S`.
        before, in_fault: the answers before the fault, and from then to recovery: by their
            status, and "degraded".
        most_unshipped: segments that waited for HDFS.
    """

    fault: str
    seconds: float
    requests: int
    normal: int
    degraded: int
    unavailable: int
    refused: int
    other: int
    late: int
    very_late: int
    late_before: int
    slowest_ms: float
    wrong: int
    acknowledged: int
    lost: int
    doubled: int
    invented: int
    recovery_s: int | None
    answers_s: int | None
    store_s: int | None
    log_s: int | None
    before: dict[str, int]
    in_fault: dict[str, int]
    most_unshipped: int


class Sample(NamedTuple):
    """One request.

    Attributes:
        at: when it was sent, by `time.monotonic`.
        status: 0 for none.
    """

    at: float
    kind: str
    status: int
    ms: float
    degraded: bool
    wrong: bool

    @property
    def is_normal(self) -> bool:
        """All of it was answered."""
        return self.status in (200, 202) and not self.degraded


class _Shown(NamedTuple):
    """What a listing shows of a visitor: visits by URL."""

    community: str | None
    urls: dict[str, int]


def put_world(home: Path, settings: Mapping[str, Any], visitors: int = _VISITORS) -> list[Visit]:
    """Ingest visitors of four themes, each with some pages of its own, and run a batch.

    Args:
        visitors: how many, besides the steady ones.

    Returns:
        Their visits.
    """
    engine = Engine(config.load(home=home, **settings))
    try:
        engine.tables.create()
        names = [*_STEADY_ONES, *(f"visitor-{n}" for n in range(visitors))]
        visits = [(name, _page(name, n)) for name in names for n in range(_PAGES_EACH)]
        now_ms = time.time_ns() // 1_000_000
        documents = [{**_visit(visit), "title": _theme_of(visit[0])} for visit in visits]
        engine.recorder.record([parse_event(document, now_ms) for document in documents])
        batch(engine, **PLAN)
    finally:
        engine.close()
    return visits


def steady_request(name: str) -> dict[str, Any]:
    """What a steady visitor asks again and again, so that the answer must stay the same."""
    return {
        "user": name,
        "url": _page(name, 0),
        "filter": "collaborative",
        "limit": _LIMIT,
        "explain": True,
        "track": False,
        "tmax": TMAX_MS,
    }


def tracked_request(visit: Visit) -> dict[str, Any]:
    """What a visitor of a new page asks."""
    return _visit(visit) | {"limit": _LIMIT, "explain": True, "tmax": TMAX_MS}


class Traffic:
    """Visitors at work, and somebody who looks at what the service knows of them.

    Args:
        service: holds the world of `put_world`.
        ledger: of what the visitors are told.
    """

    def __init__(self, service: Service, ledger: Ledger, visitors: int = _VISITORS) -> None:
        self.ledger = ledger
        self.samples: list[Sample] = []
        self.unseen: dict[Visit, float] = {}
        self._service = service
        self._visitors = [f"visitor-{n}" for n in range(visitors)]
        self._pages = {name: itertools.count(_PAGES_EACH) for name in self._visitors}
        self._stop = threading.Event()
        self._known = self._shown_in_peace()
        self._lists = self._listed_in_peace()

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Keep the pace while the block runs."""
        threads = [
            threading.Thread(target=self._send, args=(n,), name=f"sender-{n}", daemon=True)
            for n in range(_SENDERS)
        ]
        threads.append(threading.Thread(target=self._look, name="looker", daemon=True))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def oldest_unseen_s(self, engine: Engine) -> float:
        """For how long the oldest acknowledged visit that the store does not show is waiting.

        Raises:
            StoreUnavailable: the store does not say.
        """
        with self.ledger.lock:
            waiting = dict(self.unseen)
        for visitor in sorted({visitor for visitor, _ in waiting}):
            cells = engine.tables.visitors.recent(f"u:{visitor}", lambda _: False, _LOOK_S).cells
            with self.ledger.lock:
                for cell in cells.values():
                    self.unseen.pop((visitor, cell.url), None)
        with self.ledger.lock:
            left = [self.unseen[visit] for visit in waiting if visit in self.unseen]
        return time.monotonic() - min(left) if left else 0.0

    def _shown_in_peace(self) -> dict[str, _Shown]:
        """What is known of each visitor before anything happens."""
        with self._service.client() as client:
            names = (*_STEADY_ONES, *self._visitors)
            found = {name: _shown(client.get("/v1/users", user=name)) for name in names}
        assert all(shown.community for shown in found.values())
        return found

    def _listed_in_peace(self) -> dict[str, list[str]]:
        """What each steady visitor is recommended, by whatever worker."""
        found: dict[str, list[str]] = {}
        for name in _STEADY_ONES:
            request = steady_request(name) | {"tmax": 5_000}
            for answer in self._service.ask_each("POST", "/v1/recommendations", request):
                assert not answer.json["degraded"]
                assert found.setdefault(name, _list(answer)) == _list(answer)
        # so that the answer to another is noticed
        assert len({tuple(urls) for urls in found.values()}) == len(_STEADY_ONES)
        return found

    def _send(self, number: int) -> None:
        turns = (
            self._steady,
            self._tracked,
            self._events,
            self._steady,
            self._tracked,
            self._known_events,
            self._steady,
            self._tracked,
        )
        names = itertools.cycle(self._visitors[number::_SENDERS])
        steady = itertools.cycle(_STEADY_ONES[number::_SENDERS])
        with self._service.client() as client:
            for turn in self._paced(_PACE, number / _SENDERS / _PACE):
                ask = turns[turn % len(turns)]
                ask(client, next(steady) if ask == self._steady else next(names))

    def _look(self) -> None:
        names = itertools.cycle([*self._visitors, *_STEADY_ONES])
        with self._service.client() as client:
            for _ in self._paced(_LOOKS, 0.0):
                name = next(names)
                self._ask(client, "listing", "GET", f"/v1/users?user={name}", None, name)

    def _paced(self, pace: float, first_s: float) -> Iterator[int]:
        began = time.monotonic() + first_s
        for turn in itertools.count():
            if self._stop.wait(max(0.0, began + turn / pace - time.monotonic())):
                return
            yield turn

    def _steady(self, client: Client, name: str) -> None:
        path, request = "/v1/recommendations", steady_request(name)
        self._ask(client, "steady", "POST", path, request, name)

    def _tracked(self, client: Client, name: str) -> None:
        visits = self._new(name, 1)
        path, request = "/v1/recommendations", tracked_request(visits[0])
        status = self._ask(client, "tracked", "POST", path, request, name)
        self._note(visits, is_taken=status == 200)

    def _events(self, client: Client, name: str) -> None:
        visits = self._new(name, _EVENTS_AT_ONCE)
        documents = [_visit(visit) for visit in visits]
        status = self._ask(client, "events", "POST", "/v1/events", documents, name)
        self._note(visits, is_taken=status == 202)

    def _known_events(self, client: Client, name: str) -> None:
        """Sent again until they are taken, and then sometimes once more."""
        visits = self._new(name, _EVENTS_AT_ONCE)
        documents = [_visit(visit) | {"event_id": visit[1]} for visit in visits]
        is_taken = False
        while not is_taken and not self._stop.is_set():
            status = self._ask(client, "events", "POST", "/v1/events", documents, name)
            is_taken = status == 202
            self._note(visits, is_taken=is_taken)
            self._stop.wait(0 if is_taken else 0.1)
        if visits[0][1].endswith("0"):
            self.ledger.repeated += len(visits)
            self._ask(client, "events", "POST", "/v1/events", documents, name)

    def _ask(
        self, client: Client, kind: str, method: str, path: str, document: object, name: str
    ) -> int:
        at = time.monotonic()
        status, degraded, wrong = 0, False, False
        try:
            answer = client.request(method, path, document)
        except _BROKEN:
            client.close()
        else:
            status = answer.status
            if status == 200:
                degraded = answer.json.get("degraded", False)
                wrong = self.is_wrong(kind, name, answer)
        ms = (time.monotonic() - at) * 1000
        with self.ledger.lock:
            self.samples.append(Sample(at, kind, status, ms, degraded, wrong))
        return status

    def is_wrong(self, kind: str, name: str, answer: HttpAnswer) -> bool:
        """Whether it holds what another visitor did, or lacks what this one did.

        Args:
            kind: what was asked, by a steady visitor or a tracked one, or of one in a listing.
            name: the visitor's.
            answer: of status 200.
        """
        known = self._known[name]
        if kind == "listing":
            shown = _shown(answer)
            is_own = all(url.startswith(_page(name, "")) for url in shown.urls)
            is_whole = shown.urls.items() >= known.urls.items()
            return not (is_own and is_whole and shown.community == known.community)
        community = answer.json["explain"]["community"]
        if answer.json["degraded"]:
            return community not in (None, known.community)
        is_another = kind == "steady" and _list(answer) != self._lists[name]
        return is_another or community != known.community

    def _note(self, visits: list[Visit], *, is_taken: bool) -> None:
        ledger = self.ledger
        with ledger.lock:
            if is_taken:
                ledger.unsure.difference_update(visits)
                ledger.acknowledged.update(visits)
                ledger.accepted.update(visits)
                self.unseen.update(dict.fromkeys(visits, time.monotonic()))
            else:
                ledger.unsure.update(visits)

    def _new(self, name: str, number: int) -> list[Visit]:
        return [(name, _page(name, next(self._pages[name]))) for _ in range(number)]


class _Look(NamedTuple):
    """What the watch saw.

    Attributes:
        at: by `time.monotonic`.
        shows: no visit waits for the store for long.
        has_shipped: no segment waits for HDFS for long.
    """

    at: float
    shows: bool
    has_shipped: bool


class _Watch(threading.Thread):
    """Says of each moment whether anything waits: for the store, or for HDFS.

    Attributes:
        looks: in the order of time.
        most_unshipped: segments that the service said were waiting for HDFS.
    """

    def __init__(self, traffic: Traffic, service: Service) -> None:
        super().__init__(name="watch", daemon=True)
        self.looks: list[_Look] = []
        self.most_unshipped = 0
        self._traffic = traffic
        self._service = service
        self._over = threading.Event()

    def run(self) -> None:
        home = self._service.home
        # a look of its own at the store and the spool; nothing is recorded here
        engine = Engine(config.load(home=home, **self._service.settings), 0.0)
        spool = LocalLog(home / "log")
        try:
            while not self._over.wait(0.5):
                at = time.monotonic()
                try:
                    shows = self._traffic.oldest_unseen_s(engine) < _SEEN_WITHIN_S
                except StoreUnavailable:
                    shows = False
                self.looks.append(_Look(at, shows, _oldest_s(spool) < _SHIPPED_WITHIN_S))
                unshipped = self._service.metrics().get("webrec_log_unshipped_segments", 0)
                self.most_unshipped = max(self.most_unshipped, int(unshipped))
        finally:
            engine.close()

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()


def make(fault: Fault, cluster: Cluster, home: Path) -> Outcome:
    """Make one fault under load, and wait until all is well again.

    Args:
        home: new.
    """
    name = f"fault-{secrets.token_hex(4)}"
    settings: dict[str, Any] = {
        "store": cluster.store_uri(name),
        "log": cluster.log_uri(f"{name}/log"),
        "segment_bytes": _SEGMENT_BYTES,
    }
    visits = put_world(home, settings)
    ledger = Ledger(acknowledged=set(visits))
    with Service(home, **settings) as service:
        traffic = Traffic(service, ledger)
        watch = _Watch(traffic, service)
        watch.start()
        try:
            began = time.monotonic()
            with traffic.flowing():
                time.sleep(_BEFORE_S)
                at = time.monotonic()
                fault.begin(cluster)
                if fault.end is not None:
                    time.sleep(fault.lasts_s)
                    fault.end(cluster)
                ended = time.monotonic()
                seconds_after = _wait_until_all_is_well(traffic, watch, ended)
                time.sleep(_CALM_S)
                seconds = time.monotonic() - began
        finally:
            watch.end()
        cluster.wait()
        shown = _settled(service, ledger)
        batches = home.with_name(home.name + "-batches")
        (before,) = _models(service)
        run_batch(batches, settings, **PLAN)
        wait_until(lambda: before not in _models(service))
        read = _settled(service, ledger)
    _drop(batches, settings)
    return _outcome(fault.what, seconds, traffic, (at, ended), (shown, read), seconds_after, watch)


def _outcome(
    what: str,
    seconds: float,
    traffic: Traffic,
    fault: tuple[float, float],
    found: Sequence[Found],
    after: Sequence[_Second],
    watch: _Watch,
) -> Outcome:
    samples = traffic.samples
    recovery_s = _first_well([all(second) for second in after])
    until = fault[1] + (recovery_s or 0)
    recommended = [s for s in samples if s.kind in ("steady", "tracked")]
    return Outcome(
        fault=what,
        seconds=round(seconds, 1),
        requests=len(samples),
        normal=sum(s.is_normal for s in samples),
        degraded=sum(s.degraded for s in samples),
        unavailable=sum(s.status == 503 for s in samples),
        refused=sum(s.status == 503 for s in recommended),
        other=sum(s.status not in (200, 202, 503) for s in samples),
        late=sum(s.ms > TMAX_MS for s in recommended),
        very_late=sum(s.ms > TMAX_MS + SLACK_MS for s in recommended),
        late_before=sum(s.ms > TMAX_MS for s in recommended if s.at < fault[0]),
        slowest_ms=round(max(s.ms for s in recommended), 1),
        wrong=sum(s.wrong for s in samples),
        acknowledged=len(traffic.ledger.acknowledged),
        lost=sum(f.lost for f in found),
        doubled=sum(f.doubled for f in found),
        invented=sum(f.invented for f in found),
        recovery_s=recovery_s,
        answers_s=_first_well([second.are_answered for second in after]),
        store_s=_first_well([second.shows for second in after]),
        log_s=_first_well([second.has_shipped for second in after]),
        before=_kinds(s for s in samples if s.at < fault[0]),
        in_fault=_kinds(s for s in samples if fault[0] <= s.at <= until),
        most_unshipped=watch.most_unshipped,
    )


class _Second(NamedTuple):
    """What was well in one of the seconds after a fault."""

    are_answered: bool
    shows: bool
    has_shipped: bool


def _wait_until_all_is_well(traffic: Traffic, watch: _Watch, ended: float) -> list[_Second]:
    """Wait for some good seconds in a row; what each was like.

    Some are watched in any case: what is killed may be missed only a moment later.
    """
    seconds: list[_Second] = []
    while len(seconds) < _WATCHED_S or _first_well([all(second) for second in seconds]) is None:
        if len(seconds) > _RECOVERY_S:
            break
        began = ended + len(seconds)
        # an answer may take longer than its second
        time.sleep(max(0.0, began + 1.5 - time.monotonic()))
        with traffic.ledger.lock:
            asked = [s for s in traffic.samples if began <= s.at < began + 1]
        looks = [look for look in watch.looks if began <= look.at < began + 1]
        shows = bool(looks) and all(look.shows for look in looks)
        has_shipped = bool(looks) and all(look.has_shipped for look in looks)
        seconds.append(_Second(_are_well(asked), shows, has_shipped))
    return seconds


def _first_well(seconds: Sequence[bool]) -> int | None:
    """The first of the good seconds at the end, of which there are some."""
    bad = [number for number, is_well in enumerate(seconds) if not is_well]
    first = bad[-1] + 1 if bad else 0
    return first if len(seconds) - first >= _CALM_S else None


def _are_well(samples: Sequence[Sample]) -> bool:
    answered = sum(s.status in (200, 202) for s in samples)
    normal = sum(s.is_normal for s in samples)
    return bool(samples) and answered == len(samples) and normal >= (1 - _TOLERATED) * answered


def _kinds(samples: Iterable[Sample]) -> dict[str, int]:
    return dict(Counter("degraded" if s.degraded else str(s.status) for s in samples))


def _settled(service: Service, ledger: Ledger) -> Found:
    """What each worker shows once nothing is missing, or waiting for it has no sense."""
    found = Found(0, 0, 0)

    def nothing_is_lost() -> bool:
        nonlocal found
        each = []
        for pid in service.workers():
            with service.only(pid):
                each.append(compare(ledger, counted_by_service(service, ledger)))
        found = Found(*(max(getattr(f, field) for f in each) for field in _FOUND))
        return found.lost == 0

    try:
        wait_until(nothing_is_lost, 60)
    except TimeoutError:
        return found
    return found


_FOUND = ("lost", "doubled", "invented")


def _models(service: Service) -> set[str]:
    request = steady_request(_STEADY_ONES[0])
    return {a.json["model"] for a in service.ask_each("POST", "/v1/recommendations", request)}


def _drop(home: Path, settings: Mapping[str, Any]) -> None:
    engine = Engine(config.load(home=home, **settings), 60.0)
    try:
        for table in engine.tables.store.tables():
            engine.tables.store.drop_table(table)
    finally:
        engine.close()


def _oldest_s(spool: LocalLog) -> float:
    """For how long the oldest closed segment waits."""
    times = []
    for segment in spool.closed_segments():
        try:
            times.append(spool.path(segment).stat().st_mtime)
        except FileNotFoundError:
            continue  # shipped meanwhile
    return time.time() - min(times) if times else 0.0


def _list(answer: HttpAnswer) -> list[str]:
    return [item["url"] for item in answer.json["items"]]


def _shown(answer: HttpAnswer) -> _Shown:
    document = answer.json
    return _Shown(document["community"], {u["url"]: u["visits"] for u in document["urls"]})


def _page(name: str, number: int | str) -> str:
    return f"https://load.example/{name}/{number}"


def _visit(visit: Visit) -> dict[str, Any]:
    return {"type": "visit", "user": visit[0], "url": visit[1]}


def _theme_of(name: str) -> str:
    return _THEMES[int(name.rpartition("-")[2]) % len(_THEMES)]


def _rows(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A table in Markdown: a line for each fault, over all its runs."""
    columns = (
        "fault", "requests", "a second", "normal", "degraded", "503", "refused", "other",
        f"late: > {TMAX_MS} ms", f"> {TMAX_MS + SLACK_MS} ms", "late before the fault", "wrong",
        "acknowledged", "lost", "doubled", "invented", "most segments waiting",
        "well again after s (answers/store/log)",
    )  # fmt: skip
    summed = (
        "normal", "degraded", "unavailable", "refused", "other", "late", "very_late",
        "late_before", "wrong", "acknowledged", "lost", "doubled", "invented",
    )  # fmt: skip
    yield "| " + " | ".join(columns) + " |"
    yield "|---" * len(columns) + "|"
    by_fault: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_fault.setdefault(outcome.fault, []).append(outcome)
    for fault, runs in by_fault.items():
        requests = sum(run.requests for run in runs)
        cells: list[object] = [fault, requests, round(requests / sum(run.seconds for run in runs))]
        cells += [sum(getattr(run, name) for run in runs) for name in summed]
        cells += [max(run.most_unshipped for run in runs)]
        cells += [
            ", ".join(
                f"{run.recovery_s} ({run.answers_s}/{run.store_s}/{run.log_s})" for run in runs
            )
        ]
        yield "| " + " | ".join(f"{c:,}" if isinstance(c, int) else str(c) for c in cells) + " |"


def _main() -> None:
    parser = argparse.ArgumentParser(description="Make faults under load, and count.")
    parser.add_argument("--repeat", type=int, default=1, help="how often each fault is made")
    parser.add_argument("--only", choices=FAULTS, action="append", help="these faults alone")
    parser.add_argument("--json", action="store_true", help="print a JSON document a line")
    given = parser.parse_args()
    outcomes = []
    with Cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        for run, name in itertools.product(range(given.repeat), given.only or FAULTS):
            outcome = make(FAULTS[name], cluster, Path(folder) / f"{name}-{run}")
            outcomes.append(outcome)
            sys.stderr.write(f"{outcome}\n")
            if given.json:
                sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
                sys.stdout.flush()
    if not given.json:
        sys.stdout.write("\n".join(_rows(outcomes)) + "\n")


if __name__ == "__main__":
    _main()
