"""[4] → [6] What answers requests: the tables, the log and one snapshot of memory, kept fresh.

The service and the command line share it. Everything here may be used from several threads.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from math import inf
from typing import Any, NamedTuple

from algorithms import UNCATEGORISED, Item, RankedList, Weights, recommend
from hbase_schema.cells import RecentCell
from webrec.config import Settings
from webrec.domain.ids import new_id
from webrec.domain.types import Campaign
from webrec.errors import LogUnavailable, NotFound, StoreUnavailable, WebrecError
from webrec.features.page_classifier import PageClassifier
from webrec.formats.requests import RequestDocument
from webrec.model.files import load
from webrec.model.model import EMPTY, Model
from webrec.rawlog import Log, open_log
from webrec.recording.recorder import Recorder
from webrec.serving.ads import AdBoard
from webrec.serving.landing_pages import LandingPages
from webrec.serving.reads import Reads, RequestReads
from webrec.serving.signals import Lookup, Query, Snapshot, profile_of
from webrec.storage import open_store
from webrec.tables.campaigns import campaign_of
from webrec.tables.generations import Generation
from webrec.tables.meta import Versions
from webrec.tables.rows import ProfileRow
from webrec.tables.tables import Tables

RETRY_TIMEOUT_S = 2.0
"""Seconds for which a call to the store is repeated: a restart of one Thrift server, no more."""

_REFRESH_S = 0.5
_SHARE_FOR_READS = 0.8
_PING_S = 1.0
_PLACING_S = 0.5
_REASONS = 3

_log = logging.getLogger(__name__)


class Recommendation(NamedTuple):
    """An answer as `webrec.serving.engine` finds it.

    Attributes:
        document: as HTTP gives it, but for ``took_ms``.
        lost: the visit should be in the log, which is away.
    """

    document: dict[str, Any]
    lost: bool


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
        self.recorder = Recorder(
            self.tables, self.log, settings.segment_bytes, new_among=self._new_among
        )
        self._weights = Weights(settings.w_ads, settings.w_aff, settings.w_sim)
        self._reads = Reads(self.tables, self.recorder, settings.tmax * _SHARE_FOR_READS / 1000)
        self._lock = threading.Lock()
        self._versions: Versions | None = None
        self._campaigns: dict[str, tuple[bytes, Campaign]] = {}
        self._board: AdBoard | None = None
        self._landing = LandingPages(EMPTY.has_category, None)
        self.snapshot = self._snapshot(EMPTY, {})
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def model(self) -> Generation | None:
        """The generation that answers, None before the first batch."""
        generation = self.snapshot.model.generation
        return generation if generation.id else None

    def start(self) -> None:
        """Follow what others write, and keep the recorder's promises, in the background."""
        self.recorder.start()
        self._thread = threading.Thread(target=self._follow, name="engine", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Make everything recorded durable and let go of the store."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.recorder.close()
        self.tables.store.close()

    def refresh(self) -> None:
        """Take in what was written since the last time: campaigns, labels, the active model."""
        with self._lock:
            if self._versions is None:
                self.tables.create()
            versions = self.tables.meta.versions()
            if versions == self._versions:
                self._place_more(_PLACING_S)
                return
            old = self._versions
            if old is None or versions.campaigns != old.campaigns:
                self._read_campaigns()
                self._board = None
            model, failure = self.snapshot.model, None
            if old is None or versions.active != old.active:
                try:
                    model = self._active_model()
                    self._landing = LandingPages(model.has_category, self._space_of(model))
                    self._board = None
                except WebrecError as error:
                    failure = error
            self.snapshot = self._snapshot(model, self.tables.labels.all())
            if failure is not None:
                raise failure  # campaigns and labels are followed all the same
            self._versions = versions

    def settle(self) -> None:
        """`refresh`, for who looks once: all landing pages are placed, however long it takes."""
        self.refresh()
        with self._lock:
            self._place_more(inf)

    def recommend(
        self, request: RequestDocument, now_ms: int, began: float | None = None
    ) -> Recommendation:
        """Answer one request, and record its visit.

        A read that the store does not answer in time is left out, and the answer says so.

        Args:
            request: validated.
            now_ms: by the service's clock: the moment for which campaigns run.
            began: the moment (by `time.perf_counter`) from which its time counts; now when left
                out.

        Raises:
            StoreUnavailable: the store has not answered since this process started, so that
                there is nothing in memory to answer from.
        """
        if self._versions is None:
            raise StoreUnavailable("nothing was read from the store yet")
        if began is None:
            began = time.perf_counter()
        until = began + (request.tmax_ms or self.settings.tmax) * _SHARE_FOR_READS / 1000
        try:
            document = self._answer(self.snapshot, request, now_ms, until)
        except NotFound as error:
            # this process slept so long that its generation was dropped meanwhile
            slept = self.snapshot.model
            with suppress(WebrecError):
                self.refresh()
            if self.snapshot.model is slept:
                _log.error("answered without the store: %s", error)
                until = began
            document = self._answer(self.snapshot, request, now_ms, until)
        return Recommendation(document, lost=not self._record_visit(request))

    def _answer(
        self, snapshot: Snapshot, request: RequestDocument, now_ms: int, until: float
    ) -> dict[str, Any]:
        sponsored = request.mode == "sponsored"
        filter_ = request.filter or self.settings.default_filter
        query = Query(
            url=request.url,
            visitor=request.visitor,
            exclude=request.exclude,
            # an empty list names no campaign, so it leaves none out
            campaigns=frozenset(request.campaigns) if request.campaigns else None,
            repeat=sponsored if request.repeat is None else request.repeat,
            now_ms=now_ms,
            page=request.page,
        )
        reads = RequestReads(self._reads, until)
        lookup = Lookup(
            snapshot,
            query,
            reads,
            self.settings.accept_weight,
            online=self.settings.online == "on",
        )
        fill = self.settings.fill if request.fill is None else request.fill
        answer = recommend(request.mode, filter_, lookup, self._weights, request.limit, fill=fill)
        items = (_sponsored if sponsored else _related)(snapshot, lookup, answer.items)
        if fill:
            _say_who_gave_it(items, answer)
        document: dict[str, Any] = {
            "id": new_id(),
            "mode": request.mode,
            "filter": filter_,
            "algorithm": answer.algorithm,
            "path": answer.path,
            "items": items,
            "empty_reason": None if items else _empty_reason(snapshot, sponsored=sponsored),
            "model": snapshot.model.generation.id or None,
            "degraded": reads.left_out is not None,
        }
        if request.explain:
            _explain(document, snapshot, lookup, answer, sponsored=sponsored)
        return document

    def history(
        self, snapshot: Snapshot, visitor: str
    ) -> tuple[list[RecentCell], ProfileRow | None]:
        """What a visitor did since the snapshot's generation, and the profile in it."""
        generation = snapshot.model.generation
        recent = self.recorder.recent(visitor, generation.watermark.covers)
        profile = profile_of(generation, visitor, recent, self.tables.profiles.get)
        return list(recent.cells.values()), profile

    def log_backlog(self) -> int:
        """Segments of the log that the active model has not read."""
        covers = self.snapshot.model.generation.watermark.covers
        names = self.log.closed_segments() + self.log.open_segments()
        return sum(not covers(name) for name in names)

    def _space_of(self, model: Model) -> PageClassifier | None:
        """What places pages that the model has no category for, where that is wanted."""
        return model.page_classifier if self.settings.online == "on" else None

    def _new_among(self, urls: Collection[str]) -> Collection[str]:
        """The URLs of pages whose text is kept until the next batch: it has no category yet.

        Also while nothing could place them: what is said during the first batch is not in it.
        """
        if self.settings.online == "off":
            return ()
        if self._versions is not None:
            model = self.snapshot.model
            return [u for u in urls if not model.has_category(u)]
        # a command that only records: the tables know what no model was loaded for
        generation, wanted = self.tables.generations.active(), list(urls)
        if generation is None:
            return wanted
        try:
            found = self.tables.pages.by_url(generation.id, wanted)
        except NotFound:  # dropped meanwhile
            return wanted
        pairs = zip(wanted, found, strict=True)
        return [u for u, page in pairs if page is None or page.category == UNCATEGORISED]

    def _place_more(self, within_s: float) -> None:
        """Go on with landing pages that had to wait."""
        if self._landing.are_placed:
            return
        self._landing.place(within_s)
        if self._landing.are_worth_telling:
            self._board = self._new_board(self.snapshot.model)
            self.snapshot = self._snapshot(self.snapshot.model, self.snapshot.manual)

    def _record_visit(self, request: RequestDocument) -> bool:
        """Whether the visit is recorded, or need not be."""
        if not request.track:
            return True
        event = request.event()
        if event.bot:
            return True
        try:
            self.recorder.record_soon(event)
        except LogUnavailable as error:
            _log.error("a visit was not recorded: %s", error)  # the answer matters more
            return False
        return True

    def _follow(self) -> None:
        while not self._stop.wait(_REFRESH_S):
            try:
                if self._answers():
                    self.refresh()
            except WebrecError as error:
                _log.warning("what others wrote could not be read: %s", error)
            except Exception:  # noqa: BLE001 - whatever one look met, the next one must still be taken
                _log.exception("what others wrote could not be read")

    def _answers(self) -> bool:
        """Whether asking the store makes sense; requests may ask it again when it does."""
        try:
            self._reads.try_again()
        except WebrecError as error:
            _log.warning("requests are answered without the store: %s", error)
            try:
                self.tables.store.ping(_PING_S)
            except WebrecError:
                return False
        return True

    def _active_model(self) -> Model:
        generation = self.tables.generations.active()
        if generation is None:
            return EMPTY
        try:
            return load(self.tables, generation, self.settings.cache_path)
        except NotFound as error:
            raise NotFound(f"model {generation.id} is incomplete: {error}") from error

    def _read_campaigns(self) -> None:
        """Decode the campaigns that changed and keep the others."""
        known, self._campaigns = self._campaigns, {}
        for campaign_id, cell in self.tables.campaigns.cells():
            if campaign_id in known and known[campaign_id][0] == cell:
                self._campaigns[campaign_id] = known[campaign_id]
                continue
            try:
                self._campaigns[campaign_id] = cell, campaign_of(cell)
            except (ValueError, WebrecError) as error:  # one must not stop all the others
                _log.error("campaign %s cannot be read, upload it again: %s", campaign_id, error)

    def _snapshot(self, model: Model, manual: Mapping[str, str]) -> Snapshot:
        generation = model.generation
        categories = [
            {"id": category_id, "label": manual.get(category_id, suggested)}
            for category_id, suggested in zip(
                generation.category_ids, generation.suggested_labels, strict=True
            )
        ]
        if self._board is None:
            self._landing.follow(campaign for _, campaign in self._campaigns.values())
            self._landing.place(_PLACING_S)
            self._board = self._new_board(model)
        return Snapshot(model, self._board, categories, manual, self._space_of(model))

    def _new_board(self, model: Model) -> AdBoard:
        campaigns = [campaign for _, campaign in self._campaigns.values()]
        categories = self._landing.categories()
        return AdBoard(model, campaigns, categories, weigh_ads=self.settings.w_ads > 0)


def _related(snapshot: Snapshot, _: Lookup, items: list[Item]) -> list[dict[str, Any]]:
    url, categories = snapshot.model.url, snapshot.categories
    return [
        {
            "url": url(int(item.page)),
            "priority": item.priority,
            "category": None if item.category == UNCATEGORISED else categories[item.category],
        }
        for item in items
    ]


def _sponsored(snapshot: Snapshot, lookup: Lookup, items: list[Item]) -> list[dict[str, Any]]:
    ads, categories = lookup.ads.ads, snapshot.categories
    return [
        {
            "url": ads[item.page].shown,
            "priority": item.priority,
            "category": None if item.category == UNCATEGORISED else categories[item.category],
            "campaign": ads[item.page].campaign,
        }
        for item in items
    ]


def _say_who_gave_it(items: list[dict[str, Any]], answer: RankedList) -> None:
    """Name the algorithm of each item of a list that several may have filled."""
    names = (part.algorithm for part in answer.parts for _ in part.items)
    for item, name in zip(items, names, strict=True):
        item["algorithm"] = name


def _empty_reason(snapshot: Snapshot, *, sponsored: bool) -> str:
    if not snapshot.model.generation.id:
        return "no_model"
    return "no_suitable_campaign" if sponsored else "nothing_to_recommend"


def _explain(
    document: dict[str, Any],
    snapshot: Snapshot,
    lookup: Lookup,
    answer: RankedList,
    *,
    sponsored: bool,
) -> None:
    """Add what the list came from."""
    model, generation = snapshot.model, snapshot.model.generation
    similar = [int(item.page) for item in answer.items if item.similarity]
    reasons = model.co_visit_scorer.reasons(similar, lookup.seen) if similar else {}
    for shown, item in zip(document["items"], answer.items, strict=True):
        shown["affinity"] = item.affinity
        if sponsored:
            shown["ad_priority"] = item.ad_priority
        shown["similarity"] = item.similarity
        shown["because"] = [
            {"url": model.url(page), "share": share}
            for page, share in (reasons[int(item.page)][:_REASONS] if item.similarity else ())
        ]
        shown["rank_score"] = item.rank_score
    excluded = lookup.excluded()
    category, community = lookup.category(), lookup.community()
    document["explain"] = {
        "category": None if category is None else generation.category_ids[category],
        "category_source": lookup.category_source(),
        "community": None if community is None else generation.community_ids[community],
        "community_source": lookup.membership.source,
        "list": answer.candidates.expression,
        "size": len(answer.candidates) - sum(page in answer.candidates for page in excluded),
        "passed_over": [
            {"algorithm": algorithm, "reason": passed.reason}
            for algorithm, passed in answer.passed_over
        ],
    }
