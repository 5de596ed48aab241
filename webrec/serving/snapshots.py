"""[4] What a worker answers from: the tables in, one snapshot of memory out, kept fresh.

A snapshot never changes: a request takes one and works on it from its first read to its last, so
it never mixes two generations. The keeper replaces it when campaigns, labels or the active model
changed, or more landing pages are categorised.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf

from algorithms import UNCATEGORISED
from webrec.config import Settings
from webrec.domain.answers import Category
from webrec.domain.types import Campaign
from webrec.errors import NotFound, WebrecError
from webrec.features.page_classifier import PageClassifier
from webrec.model.files import load
from webrec.model.model import EMPTY, Model
from webrec.serving.ads import AdBoard
from webrec.serving.landing_pages import LandingPages
from webrec.tables.campaigns import campaign_of
from webrec.tables.meta import Versions
from webrec.tables.tables import Tables

_CATEGORISING_S = 0.5
"""For how long one look categorises landing pages: a look is due as often."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a worker holds in memory at one moment.

    Attributes:
        categories: as answers show them, by category number.
        manual: the names people gave, by category id, of whatever generation.
        page_classifier: categorises pages that the generation has no category for; None where they
            stay without.
    """

    model: Model
    ads: AdBoard
    categories: list[Category]
    manual: Mapping[str, str]
    page_classifier: PageClassifier | None = None


class SnapshotKeeper:
    """Holds the snapshot of a process; safe to use from several threads.

    One lock guards everything but ``snapshot``, which is replaced whole.

    Args:
        tables: where others write.
        settings: whether pages get a category between batches, and what campaigns weigh.

    Attributes:
        snapshot: the newest one.
    """

    def __init__(self, tables: Tables, settings: Settings) -> None:
        self._tables = tables
        self._settings = settings
        self._lock = threading.Lock()
        self._versions: Versions | None = None
        self._campaigns: dict[str, tuple[bytes, Campaign]] = {}
        self._board: AdBoard | None = None
        self._landing = LandingPages(EMPTY.has_category, None)
        self.snapshot = self._made_of(EMPTY, {})

    @property
    def has_read(self) -> bool:
        """Whether anything was read from the store yet."""
        return self._versions is not None

    def refresh(self, *, wait: bool = False) -> None:
        """Take in what was written since the last time.

        Args:
            wait: until every landing page is categorised, however long it takes.

        Raises:
            WebrecError: something could not be read; the rest is followed all the same.
        """
        with self._lock:
            if self._versions is None:
                self._tables.create()
            versions = self._tables.meta.versions()
            if versions == self._versions:
                self._categorise_more(inf if wait else _CATEGORISING_S)
                return
            self._take_in(versions)
            if wait:
                self._categorise_more(inf)

    def uncategorised_among(self, urls: Collection[str]) -> Collection[str]:
        """The URLs of pages whose text is kept until the next batch: it has no category yet.

        Also while nothing could categorise them: what is sent during the first batch is not in it.
        """
        if self._settings.online == "off":
            return ()
        if self._versions is not None:
            model = self.snapshot.model
            return [u for u in urls if not model.has_category(u)]
        # a command that only records: the tables know what no model was loaded for
        generation, wanted = self._tables.generations.active(), list(urls)
        if generation is None:
            return wanted
        try:
            found = self._tables.pages.by_url(generation.id, wanted)
        except NotFound:  # dropped meanwhile
            return wanted
        pairs = zip(wanted, found, strict=True)
        return [u for u, page in pairs if page is None or page.category == UNCATEGORISED]

    def _take_in(self, versions: Versions) -> None:
        """Read what these versions say is new."""
        old = self._versions
        if old is None or versions.campaigns != old.campaigns:
            self._read_campaigns()
            self._board = None
        model, failure = self.snapshot.model, None
        if old is None or versions.active != old.active:
            try:
                model = self._active_model()
                self._landing = LandingPages(model.has_category, self._classifier_of(model))
                self._board = None
            except WebrecError as error:
                failure = error
        self.snapshot = self._made_of(model, self._tables.labels.all())
        if failure is not None:
            raise failure  # campaigns and labels are followed all the same
        self._versions = versions

    def _read_campaigns(self) -> None:
        """Decode the campaigns that changed and keep the others."""
        known, self._campaigns = self._campaigns, {}
        for campaign_id, cell in self._tables.campaigns.cells():
            if campaign_id in known and known[campaign_id][0] == cell:
                self._campaigns[campaign_id] = known[campaign_id]
                continue
            try:
                self._campaigns[campaign_id] = cell, campaign_of(cell)
            except (ValueError, WebrecError) as error:  # one must not stop all the others
                _log.error("campaign %s cannot be read, upload it again: %s", campaign_id, error)

    def _active_model(self) -> Model:
        generation = self._tables.generations.active()
        if generation is None:
            return EMPTY
        try:
            return load(self._tables, generation, self._settings.cache_path)
        except NotFound as error:
            raise NotFound(f"model {generation.id} is incomplete: {error}") from error

    def _classifier_of(self, model: Model) -> PageClassifier | None:
        """What categorises pages that the model has no category for, where that is wanted."""
        return model.page_classifier if self._settings.online == "on" else None

    def _categorise_more(self, within_s: float) -> None:
        """Go on with landing pages that had to wait."""
        if self._landing.are_categorised:
            return
        self._landing.categorise(within_s)
        if self._landing.are_worth_a_board:
            self._board = self._new_board(self.snapshot.model)
            self.snapshot = self._made_of(self.snapshot.model, self.snapshot.manual)

    def _made_of(self, model: Model, manual: Mapping[str, str]) -> Snapshot:
        generation = model.generation
        categories = [
            Category(category_id, manual.get(category_id, suggested))
            for category_id, suggested in zip(
                generation.category_ids, generation.suggested_labels, strict=True
            )
        ]
        if self._board is None:
            self._landing.follow(campaign for _, campaign in self._campaigns.values())
            self._landing.categorise(_CATEGORISING_S)
            self._board = self._new_board(model)
        return Snapshot(model, self._board, categories, manual, self._classifier_of(model))

    def _new_board(self, model: Model) -> AdBoard:
        campaigns = [campaign for _, campaign in self._campaigns.values()]
        categories = self._landing.categories()
        return AdBoard(model, campaigns, categories, weigh_ads=self._settings.w_ads > 0)
