"""A whole evaluation: the site's log in, figures out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from webrec.batch.history import SiteHistory
from webrec.batch.options import BatchOptions
from webrec.config import Settings
from webrec.domain.progress import Progress, step
from webrec.errors import UsageError
from webrec.evaluation.baselines import VisitMatrix
from webrec.evaluation.fitting import FittedBaselines, fit
from webrec.evaluation.interactions import Interactions, SiteLog
from webrec.evaluation.measuring import ListMeasures
from webrec.evaluation.product import ProductUnderTest, trained
from webrec.evaluation.protocols import PROTOCOLS, Question, Split, wanted_of
from webrec.evaluation.ranking import BaselineQuestions, ranked
from webrec.evaluation.result import Evaluation, Section, Table
from webrec.evaluation.split import split

SETTINGS = ("w_ads", "w_aff", "w_sim", "accept_weight", "min_visits", "profile_urls", "online")
"""The settings that answers depend on, as a progress shows them."""

NO_CAMPAIGNS = "no campaigns"
NO_AD_WANTED = "no visitor who was asked about came to a page of a campaign next"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions:
    """What to find out.

    Attributes:
        protocols: names of `webrec.evaluation.protocols`; None for all that the log is enough for.
        users, visits, seed: see `webrec.evaluation.split.split`.
        limit: length of the lists.
        batch: of the batch that learns.
        also_w_sim: weights of similarity to measure beside that of the settings.
        from_last: whether a visitor of whom some pages are given is on the last of them, and not
            on an unknown page.
    """

    protocols: Sequence[str] | None
    users: int | None
    visits: int | None
    seed: int
    limit: int
    batch: BatchOptions
    also_w_sim: Sequence[float] = ()
    from_last: bool = False


def run(
    log: SiteLog, settings: Settings, options: EvaluationOptions, progress: Progress
) -> Evaluation:
    """Evaluate.

    One thread does the arithmetic, so that the same log and seed give the same figures.

    Raises:
        UsageError: the log is not enough for what was asked; says what to do.
    """
    sections: list[Section] = []
    skipped: dict[str, str] = {}
    with threadpool_limits(limits=1):
        interactions = log.interactions(step(progress, "reading the log"))
        for protocol in options.protocols or PROTOCOLS:
            try:
                split_ = split(interactions, protocol, options.users, options.visits, options.seed)
            except UsageError as error:
                if options.protocols is not None:
                    raise
                skipped[protocol] = str(error)
                continue
            sections += _sections(log, interactions, split_, settings, options, progress)
    if not sections:
        raise UsageError(next(iter(skipped.values())))
    return Evaluation(
        seed=options.seed,
        limit=options.limit,
        settings={name: getattr(settings, name) for name in SETTINGS},
        plan={
            "categories": options.batch.categories,
            "communities": options.batch.communities,
            "features": options.batch.features,
            "from_last": options.from_last,
        },
        sections=sections,
        skipped=skipped,
    )


def _sections(
    log: SiteLog,
    interactions: Interactions,
    split_: Split,
    settings: Settings,
    options: EvaluationOptions,
    progress: Progress,
) -> Iterator[Section]:
    """One section for each set of questions; all of them ask what one training part taught."""
    prefixed = _prefixed(progress, split_.protocol)
    history = log.part(split_.is_training, step(prefixed, "reading the training part"))
    visited = _binary(history)
    fitted = fit(visited, options.seed, step(prefixed, "fitting baselines"))
    with trained(
        history, settings, options.batch, log.campaigns, interactions, prefixed, options.also_w_sim
    ) as product:
        trained_split = _TrainedSplit(interactions, history, visited, fitted, product, options)
        for given, asked in split_.question_sets:
            questions = [_from_last(each) for each in asked] if options.from_last else asked
            yield Section(
                protocol=split_.protocol,
                given=given,
                learnt=_learnt(product, visited),
                repeats_left_out=split_.left_out,
                baselines=fitted.parameters,
                left_out=fitted.left_out,
                tables=[
                    trained_split.related(questions, prefixed),
                    trained_split.sponsored(questions, log, prefixed),
                ],
            )


def _from_last(question: Question) -> Question:
    """The same question from the last of the pages given."""
    if question.viewed is not None or not question.given:
        return question
    return question._replace(viewed=question.given[-1].page)


def _prefixed(progress: Progress, protocol: str) -> Progress:
    """Progress that says which protocol it is of."""
    return lambda doing, done, total: progress(f"{protocol}: {doing}", done, total)


def _binary(history: SiteHistory) -> VisitMatrix:
    visits = history.visits()
    ones = np.ones(len(visits.data))
    return sparse.csr_array((ones, visits.indices, visits.indptr), shape=visits.shape)


def _learnt(product: ProductUnderTest, visited: VisitMatrix) -> dict[str, int]:
    counts = product.generation.counts
    learnt = {"visitors": visited.shape[0], "pages": visited.shape[1]}
    return learnt | {name: counts[name] for name in ("visits", "categories", "communities")}


class _TrainedSplit:
    """What a training part taught, ready to be asked: baselines and product."""

    def __init__(
        self,
        interactions: Interactions,
        history: SiteHistory,
        visited: VisitMatrix,
        fitted: FittedBaselines,
        product: ProductUnderTest,
        options: EvaluationOptions,
    ) -> None:
        pages = {page.url: number for number, page in enumerate(history.pages)}
        visitors = {key: number for number, key in enumerate(history.visitors)}
        self._number = np.array([pages.get(url, -1) for url in interactions.urls], np.int32)
        self._row = np.array([visitors.get(key, -1) for key in interactions.visitors], np.int32)
        self._visited = visited
        self._fitted = fitted
        self._product = product
        self._options = options

    def related(self, questions: Sequence[Question], progress: Progress) -> Table:
        """All pages may be recommended."""
        return self._table("related", questions, None, progress)

    def sponsored(self, questions: Sequence[Question], log: SiteLog, progress: Progress) -> Table:
        """The pages of the campaigns may be recommended, and only they count as wanted."""
        if not log.campaigns:
            return Table(mode="sponsored", reason=NO_CAMPAIGNS)
        allowed = np.zeros(self._visited.shape[1], np.bool_)
        allowed[self._product.ads] = True
        about = [q._replace(wanted=self._allowed(q.wanted, allowed)) for q in questions]
        about = [question for question in about if question.wanted]
        if not about:
            return Table(mode="sponsored", reason=NO_AD_WANTED)
        return self._table("sponsored", about, allowed, progress)

    def _allowed(self, pages: Sequence[int], allowed: NDArray[np.bool_]) -> tuple[int, ...]:
        numbers = self._number[list(pages)].tolist()
        return tuple(p for p, n in zip(pages, numbers, strict=True) if n >= 0 and allowed[n])

    def _table(
        self,
        mode: str,
        questions: Sequence[Question],
        allowed: NDArray[np.bool_] | None,
        progress: Progress,
    ) -> Table:
        wanted = wanted_of(questions, self._number)
        asked = BaselineQuestions(self._visited, self._given(questions), allowed)
        list_measures = ListMeasures(
            questions, wanted, self._visited, len(asked.order), self._options.seed
        )
        lists = {
            name: ranked(baseline, asked, self._options.limit)
            for name, baseline in self._fitted.by_name.items()
        }
        answers = self._product.answer(
            mode, questions, self._options.limit, step(progress, f"asking, {mode}")
        )
        every = lists | {name: answer.lists for name, answer in answers.items()}
        rows = list_measures.rows(every, {name: answer.steps for name, answer in answers.items()})
        by_visit = [question.visitor for question in questions if not question.by_accept]
        return Table(
            mode=mode,
            questions=len(by_visit),
            visitors=len(set(by_visit)),
            accepts=len(questions) - len(by_visit),
            candidates=len(asked.order),
            unknown=1 - sum(map(len, wanted)) / sum(len(q.wanted) for q in questions),
            rows=rows,
        )

    def _given(self, questions: Sequence[Question]) -> VisitMatrix:
        """The pages that each visitor has visited by then: in the training part, and given."""
        rows: list[NDArray[np.int32]] = []
        for question in questions:
            since = self._number[[given.page for given in question.given if given.visits]]
            before = self._before(int(self._row[question.visitor]))
            rows.append(np.union1d(before, since[since >= 0]).astype(np.int32))
        indices = np.concatenate([np.empty(0, np.int32), *rows])
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        shape = (len(questions), self._visited.shape[1])
        return sparse.csr_array((np.ones(len(indices)), indices, indptr), shape=shape)

    def _before(self, row: int) -> NDArray[np.int32]:
        """The pages of a training user, by row; none for -1."""
        if row < 0:
            return np.empty(0, np.int32)
        ends = self._visited.indptr
        return self._visited.indices[ends[row] : ends[row + 1]]
