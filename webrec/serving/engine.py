"""[4] → [6] One request: a checked request document in, its answer out; its visit into the log.

The service and the command line share it. Everything here may be used from several threads.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress

from algorithms import UNCATEGORISED, RankedList, Weights, recommend
from webrec.config import Settings
from webrec.domain.answers import Answer, AnswerItem, EmptyReason, answer_item
from webrec.domain.ids import new_id
from webrec.errors import LogUnavailable, NotFound, StoreUnavailable, WebrecError
from webrec.formats.requests import RequestDocument
from webrec.rawlog import Log, open_log
from webrec.recording.recorder import Recorder
from webrec.serving.explanations import explain, explained
from webrec.serving.follower import Follower
from webrec.serving.reads import DeadlineReads, SharedReads
from webrec.serving.signals import Query, RequestSignals
from webrec.serving.snapshots import Snapshot, SnapshotKeeper
from webrec.storage import open_store
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables

RETRY_TIMEOUT_S = 2.0
"""Seconds for which a call to the store is repeated: a restart of one Thrift server, no more."""

_SHARE_FOR_READS = 0.8
"""Of the time a request has; the rest is for ranking and writing the answer."""

_log = logging.getLogger(__name__)


class Engine:
    """One process's recommender.

    Args:
        settings: see `webrec.config`.
        retry_timeout_s: seconds for which a call to the store that failed is repeated, where no
            request waits for it.
    """

    def __init__(self, settings: Settings, retry_timeout_s: float = RETRY_TIMEOUT_S) -> None:
        self.settings = settings
        self.tables = Tables(open_store(settings.store_uri, retry_timeout_s))
        self.log: Log = open_log(settings.log_uri, settings.spool_path)
        self._snapshots = SnapshotKeeper(self.tables, settings)
        self.recorder = Recorder(
            self.tables,
            self.log,
            settings.segment_bytes,
            new_among=self._snapshots.uncategorised_among,
        )
        self._weights = Weights(settings.w_ads, settings.w_aff, settings.w_sim)
        self._reads = SharedReads(
            self.tables, self.recorder, settings.tmax * _SHARE_FOR_READS / 1000
        )
        self._follower = Follower(self.refresh, self._reads.breaker, self.tables.store.ping)

    @property
    def snapshot(self) -> Snapshot:
        """What requests are answered from at present."""
        return self._snapshots.snapshot

    @property
    def model(self) -> Generation | None:
        """The generation that answers, None before the first batch."""
        generation = self.snapshot.model.generation
        return generation if generation.id else None

    def start(self) -> None:
        """Follow what others write, and keep the recorder's promises, in the background."""
        self.recorder.start()
        self._follower.start()

    def close(self) -> None:
        """Make everything recorded durable and let go of the store."""
        self._follower.stop()
        self.recorder.close()
        self.tables.store.close()

    def refresh(self, *, wait: bool = False) -> None:
        """Take in what was written since the last time: campaigns, labels, the active model.

        Args:
            wait: until every landing page is categorised, however long it takes: for a caller
                that looks once. Otherwise what takes too long goes on with the next look.

        Raises:
            WebrecError: something could not be read; the rest is followed all the same.
        """
        self._snapshots.refresh(wait=wait)

    def recommend(
        self, request: RequestDocument, now_ms: int, started: float | None = None
    ) -> Answer:
        """Answer one request, and record its visit.

        A read that the store does not answer in time is left out, and the answer says so.

        Args:
            request: validated.
            now_ms: by the service's clock: the moment for which campaigns run.
            started: the moment (by `time.perf_counter`) from which its time counts; now when left
                out.

        Raises:
            StoreUnavailable: the store has not answered since this process started, so that
                there is nothing in memory to answer from.
        """
        if not self._snapshots.has_read:
            raise StoreUnavailable("nothing was read from the store yet")
        if started is None:
            started = time.perf_counter()
        deadline = started + (request.tmax_ms or self.settings.tmax) * _SHARE_FOR_READS / 1000
        snapshot = self._snapshots.snapshot
        try:
            answer = self._answer(snapshot, request, now_ms, deadline)
        except NotFound as error:
            # this process slept so long that its generation was dropped meanwhile
            slept = snapshot.model
            with suppress(WebrecError):
                self.refresh()
            if self.snapshot.model is slept:
                _log.error("answered without the store: %s", error)
                deadline = started
            answer = self._answer(self.snapshot, request, now_ms, deadline)
        if request.track and not self._record_visit(request):
            return answer._replace(is_visit_lost=True)
        return answer

    def _answer(
        self, snapshot: Snapshot, request: RequestDocument, now_ms: int, deadline: float
    ) -> Answer:
        settings, mode = self.settings, request.mode
        filter_ = request.filter or settings.default_filter
        query = Query(
            url=request.url,
            visitor=request.visitor,
            exclude=request.exclude,
            # an empty list names no campaign, so it leaves none out
            campaigns=frozenset(request.campaigns) if request.campaigns else None,
            repeat=mode == "sponsored" if request.repeat is None else request.repeat,
            now_ms=now_ms,
            page=request.page,
        )
        reads = DeadlineReads(self._reads, deadline)
        signals = RequestSignals(
            snapshot, query, reads, settings.accept_weight, online=settings.online == "on"
        )
        fill = settings.fill if request.fill is None else request.fill
        ranked = recommend(mode, filter_, signals, self._weights, request.limit, fill=fill)
        if mode == "sponsored":
            items = _sponsored(snapshot, signals, ranked, fill=fill)
        else:
            items = _related(snapshot, ranked, fill=fill)
        is_degraded = reads.left_out is not None
        explanation = None
        if request.explain:
            items = explained(items, ranked, snapshot, signals, mode)
            explanation = explain(ranked, snapshot, signals)
        generation_id = snapshot.model.generation.id
        return Answer(
            new_id(),
            mode,
            filter_,
            ranked.algorithm,
            ranked.path,
            items,
            None if items else _empty_reason(mode, generation_id),
            generation_id or None,
            is_degraded,
            explanation,
        )

    def _record_visit(self, request: RequestDocument) -> bool:
        """Whether the visit is recorded, or is a robot's, which counts nowhere."""
        event = request.event()
        if event.bot:
            return True
        try:
            self.recorder.record_soon(event)
        except LogUnavailable as error:
            _log.error("a visit was not recorded: %s", error)  # the answer matters more
            return False
        return True


def _related(snapshot: Snapshot, ranked: RankedList, *, fill: bool) -> list[AnswerItem]:
    url, categories = snapshot.model.url, snapshot.categories
    return [
        answer_item(
            (
                url(page),  # type: ignore[arg-type]  # a page of the model has a whole number
                priority,
                None if category == UNCATEGORISED else categories[category],
                None,
                part.algorithm if fill else None,
                None,
            )
        )
        for part in ranked.parts
        for page, category, priority, _, _, _, _ in part.items
    ]


def _sponsored(
    snapshot: Snapshot, signals: RequestSignals, ranked: RankedList, *, fill: bool
) -> list[AnswerItem]:
    ads, categories = signals.ads.ads, snapshot.categories
    return [
        answer_item(
            (
                ads[page].shown,
                priority,
                None if category == UNCATEGORISED else categories[category],
                ads[page].campaign,
                part.algorithm if fill else None,
                None,
            )
        )
        for part in ranked.parts
        for page, category, priority, _, _, _, _ in part.items
    ]


def _empty_reason(mode: str, generation_id: str) -> EmptyReason:
    if not generation_id:
        return "no_model"
    return "no_suitable_campaign" if mode == "sponsored" else "nothing_to_recommend"
