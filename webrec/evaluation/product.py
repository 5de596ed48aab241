"""The product under test: the batch's own steps, the model, the look-up and the algorithms.

A generation is made of the training part of the log, in a store of its own, and loaded as a
service loads it. A question is answered as a request is, but for HTTP: what its visitor did since
takes the place of the recent row.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from algorithms import (
    NO_SCORES,
    Candidates,
    Item,
    Weights,
    algorithms_of,
    filters,
    rank,
    recommend,
)
from algorithms.registry import Algorithm
from algorithms.step import Built
from clustering.learners import default_learners
from hbase_schema.cells import RecentCell
from webrec.batch import publish
from webrec.batch.contents import Contents
from webrec.batch.history import SiteHistory
from webrec.batch.options import BatchOptions
from webrec.batch.steps import learn_all
from webrec.config import Settings
from webrec.domain.progress import Progress, StepProgress
from webrec.domain.types import Campaign
from webrec.evaluation.interactions import Interactions
from webrec.evaluation.measures import NO_PAGE, Lists
from webrec.evaluation.protocols import Question
from webrec.model.files import load
from webrec.model.model import Model
from webrec.serving.ads import AdBoard
from webrec.serving.signals import Query, RequestSignals
from webrec.serving.snapshots import Snapshot
from webrec.storage import open_store
from webrec.tables.generations import Generation
from webrec.tables.rows import ProfileRow
from webrec.tables.tables import Tables
from webrec.tables.visitors import Recent

_UNKNOWN = "https://unknown.invalid/"  # no page of anybody's: RFC 2606 reserves the name
_NOW_MS = 0


def mix_name(filter_: str, w_sim: float) -> str:
    """How the product's answers are called: by the algorithm they start with, and the weight."""
    return f"{filter_} first, w_sim {w_sim!r}".removesuffix(".0")


@dataclass(frozen=True, slots=True)
class RecommendedLists:
    """One way to recommend, over all questions.

    Attributes:
        steps: by question, the algorithm that built the list; empty for an algorithm alone.
    """

    lists: Lists
    steps: list[str]


class ProductUnderTest:
    """A generation that answers questions; see `trained`.

    Args:
        also_w_sim: weights of similarity to measure beside that of the settings.

    Attributes:
        generation: what it is.
        ads: the numbers of the pages that the campaigns advertise.
    """

    def __init__(
        self,
        tables: Tables,
        model: Model,
        settings: Settings,
        campaigns: Sequence[Campaign],
        interactions: Interactions,
        also_w_sim: Sequence[float],
    ) -> None:
        self.generation: Generation = model.generation
        self._tables = tables
        self._settings = settings
        self._interactions = interactions
        self._weights = Weights(settings.w_ads, settings.w_aff, settings.w_sim)
        self._mixes = {
            mix_name(filter_, w_sim): (filter_, self._weights._replace(w_sim=w_sim))
            for w_sim in dict.fromkeys((settings.w_sim, *also_w_sim))
            for filter_ in filters()
            if settings.w_ads + settings.w_aff + w_sim > 0  # else nothing orders a list
        }
        # campaigns come and go while a log is written: all of them count, whatever their dates
        always = [replace(c, starts_ms=None, ends_ms=None, active=True) for c in campaigns]
        board = AdBoard(model, always, {}, weigh_ads=settings.w_ads > 0)
        self._snapshot = Snapshot(model, board, [], {})
        self.ads = sorted(int(page) for page in board.at(_NOW_MS).ads)

    def answer(
        self,
        mode: str,
        questions: Sequence[Question],
        limit: int,
        progress: StepProgress,
    ) -> dict[str, RecommendedLists]:
        """What every algorithm of a mode recommends alone, and what the product does.

        The product's lists are filled up (``"fill": true`` in a request), as far as it can rank.

        Args:
            progress: called after each question that is answered.
        """
        alone = algorithms_of(mode)
        names = (*alone, *self._mixes)
        lists = {name: np.full((len(questions), limit), NO_PAGE, np.int32) for name in names}
        steps: dict[str, list[str]] = {name: [] for name in names}
        for number, (question, reads) in enumerate(self._read(questions)):
            signals = self._signals(question, reads)
            for name, algorithm in alone.items():
                _put(lists[name][number], self._alone(mode, algorithm, signals, limit))
            for name, (filter_, weights) in self._mixes.items():
                answer = recommend(mode, filter_, signals, weights, limit, fill=True)
                _put(lists[name][number], answer.items)
                steps[name].append(answer.algorithm)
            progress(number + 1, len(questions))
        return {name: RecommendedLists(lists[name], steps[name]) for name in names}

    def _read(self, questions: Sequence[Question]) -> Iterator[tuple[Question, _GivenRows]]:
        """Each question with its reads; a visitor's profile is read from the store once."""
        visitor, profile = -1, None
        for question in questions:
            if question.visitor != visitor:
                visitor = question.visitor
                key = self._interactions.visitors[visitor]
                profile = self._tables.profiles.get(self.generation.id, key)
            yield question, _GivenRows(profile, _recent(question, self._interactions.urls))

    def _signals(self, question: Question, reads: _GivenRows) -> RequestSignals:
        query = Query(
            url=_UNKNOWN if question.viewed is None else self._interactions.urls[question.viewed],
            visitor=self._interactions.visitors[question.visitor],
            exclude=(),
            campaigns=None,
            repeat=False,
            now_ms=_NOW_MS,
        )
        settings = self._settings
        online = settings.online == "on"
        return RequestSignals(self._snapshot, query, reads, settings.accept_weight, online=online)

    def _alone(
        self, mode: str, algorithm: Algorithm, signals: RequestSignals, limit: int
    ) -> list[Item]:
        """What an algorithm gives by itself; nothing where it would hand on."""
        weights = self._weights if mode == "sponsored" else self._weights.related()
        scores = signals.similarity_scores() if weights.w_sim else NO_SCORES

        def best(candidates: Candidates) -> list[Item]:
            return rank(
                candidates, signals.affinities(), weights, signals.excluded(), limit, scores
            )

        outcome = algorithm(signals, best)
        return outcome.items if isinstance(outcome, Built) else []


@dataclass(frozen=True, slots=True)
class _GivenRows:
    """The rows of one request: `webrec.serving.reads.RowReads` that reads nothing."""

    row: ProfileRow | None
    since: Recent

    def profile(self, generation_id: str, visitor: str) -> ProfileRow | None:  # noqa: ARG002 - of one visitor
        return self.row

    def recent(self, visitor: str, covers: Callable[[str], bool]) -> Recent:  # noqa: ARG002 - the same
        return self.since

    def page_text(self, url: str) -> None:
        """Nothing: what is recommended are the generation's pages."""

    def has_time(self) -> bool:
        return True


@contextmanager
def trained(
    learnt_from: SiteHistory,
    settings: Settings,
    options: BatchOptions,
    campaigns: Sequence[Campaign],
    interactions: Interactions,
    progress: Progress,
    also_w_sim: Sequence[float] = (),
) -> Iterator[ProductUnderTest]:
    """The product after a batch over a training part; all that it wrote is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="webrec-evaluate-") as folder:
        tables = Tables(open_store(f"sqlite:///{folder}/webrec.db"))
        try:
            tables.create()
            learners = default_learners(options, settings)
            found = learn_all(learners, learnt_from, options.seed, progress)
            generation = publish.describe(tables, learnt_from, found, None, settings.accept_weight)
            contents = Contents(generation, learnt_from, found, settings.profile_urls)
            publish.write(tables, contents, progress)
            model = load(tables, generation, Path(folder) / "cache")
            yield ProductUnderTest(tables, model, settings, campaigns, interactions, also_w_sim)
        finally:
            tables.store.close()


def _recent(question: Question, urls: Sequence[str]) -> Recent:
    cells = {
        order.to_bytes(8): RecentCell(1, order, given.visits, given.accepts, urls[given.page])
        for order, given in enumerate(question.given)
    }
    return Recent(cells, 0)


def _put(row: Lists, items: Sequence[Item]) -> None:
    row[: len(items)] = [item.page for item in items]
