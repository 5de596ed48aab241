"""A whole evaluation: the site's log in, figures out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from webrec.batch.history import Replayed
from webrec.batch.job import Plan
from webrec.config import Settings
from webrec.domain.progress import Progress, step
from webrec.errors import UsageError
from webrec.evaluation import baselines, measures
from webrec.evaluation.baselines import Asked, Fitted, Visited
from webrec.evaluation.history import History, Source
from webrec.evaluation.intervals import estimates
from webrec.evaluation.measures import Lists, Quotient
from webrec.evaluation.product import Product, trained
from webrec.evaluation.protocols import PROTOCOLS, Question, Split, split, wanted_of
from webrec.evaluation.result import MEASURES, Evaluation, Row, Section, Table

SETTINGS = ("w_ads", "w_aff", "w_sim", "accept_weight", "min_visits", "profile_urls", "online")
"""Those that answers depend on."""

NO_CAMPAIGNS = "no campaigns"
NO_AD_WANTED = "nobody who was asked about came to a page of a campaign next"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to find out.

    Attributes:
        protocols: names of `webrec.evaluation.protocols`; None for all that the log is enough for.
        users, visits, seed: see `webrec.evaluation.protocols.split`.
        limit: length of the lists.
        plan: of the batch.
        also_w_sim: weights of similarity to measure beside that of the settings.
        from_last: whether a visitor of whom some pages are given is on the last of them, and not
            on a page that nobody knows.
    """

    protocols: Sequence[str] | None
    users: int | None
    visits: int | None
    seed: int
    limit: int
    plan: Plan
    also_w_sim: Sequence[float] = ()
    from_last: bool = False


def run(source: Source, settings: Settings, order: Order, progress: Progress) -> Evaluation:
    """Evaluate.

    One thread does the arithmetic, so that the same log and seed give the same figures.

    Raises:
        UsageError: the log is not enough for what was asked; says what to do.
    """
    sections: list[Section] = []
    skipped: dict[str, str] = {}
    with threadpool_limits(limits=1):
        history = source.history(step(progress, "reading the log"))
        for protocol in order.protocols or PROTOCOLS:
            try:
                parted = split(history, protocol, order.users, order.visits, order.seed)
            except UsageError as error:
                if order.protocols is not None:
                    raise
                skipped[protocol] = str(error)
                continue
            sections += _sections(source, history, parted, settings, order, progress)
    if not sections:
        raise UsageError(next(iter(skipped.values())))
    return Evaluation(
        seed=order.seed,
        limit=order.limit,
        settings={name: getattr(settings, name) for name in SETTINGS},
        plan={
            "categories": order.plan.categories,
            "communities": order.plan.communities,
            "features": order.plan.features,
            "from_last": order.from_last,
        },
        sections=sections,
        skipped=skipped,
    )


def _sections(
    source: Source,
    history: History,
    parted: Split,
    settings: Settings,
    order: Order,
    progress: Progress,
) -> Iterator[Section]:
    """One for each round of a protocol; all ask what was learnt once."""
    progress = _naming(progress, parted.protocol)
    replayed = source.part(parted.learns, step(progress, "reading what is learnt from"))
    visited = _binary(replayed)
    fitted = baselines.fit(visited, order.seed, step(progress, "fitting baselines"))
    with trained(
        replayed, settings, order.plan, source.campaigns, history, progress, order.also_w_sim
    ) as product:
        ground = _Ground(history, replayed, visited, fitted, product, order)
        for given, asked in parted.rounds:
            questions = [_from_last(each) for each in asked] if order.from_last else asked
            yield Section(
                protocol=parted.protocol,
                given=given,
                learnt=_learnt(product, visited),
                repeats_left_out=parted.left_out,
                baselines=fitted.parameters,
                left_out=fitted.left_out,
                tables=[
                    ground.related(questions, progress),
                    ground.sponsored(questions, source, progress),
                ],
            )


def _from_last(question: Question) -> Question:
    """The same question from the last of the pages given."""
    if question.viewed is not None or not question.given:
        return question
    return question._replace(viewed=question.given[-1].page)


def _naming(progress: Progress, protocol: str) -> Progress:
    """Progress that says which protocol it is of."""
    return lambda doing, done, total: progress(f"{protocol}: {doing}", done, total)


def _binary(replayed: Replayed) -> Visited:
    visits = replayed.visits
    ones = np.ones(len(visits.data))
    return sparse.csr_array((ones, visits.indices, visits.indptr), shape=visits.shape)


def _learnt(product: Product, visited: Visited) -> dict[str, int]:
    counts = product.generation.counts
    learnt = {"visitors": visited.shape[0], "pages": visited.shape[1]}
    return learnt | {name: counts[name] for name in ("visits", "categories", "communities")}


class _Ground:
    """What one part of the log taught, ready to be asked."""

    def __init__(
        self,
        history: History,
        replayed: Replayed,
        visited: Visited,
        fitted: Fitted,
        product: Product,
        order: Order,
    ) -> None:
        pages = {page.url: number for number, page in enumerate(replayed.pages)}
        visitors = {key: number for number, key in enumerate(replayed.visitors)}
        self._number = np.array([pages.get(url, -1) for url in history.urls], np.int32)
        self._row = np.array([visitors.get(key, -1) for key in history.visitors], np.int32)
        self._visited = visited
        self._fitted = fitted
        self._product = product
        self._order = order

    def related(self, questions: Sequence[Question], progress: Progress) -> Table:
        """All pages may be recommended."""
        return self._table("related", questions, None, progress)

    def sponsored(self, questions: Sequence[Question], source: Source, progress: Progress) -> Table:
        """The pages of the campaigns may be recommended, and only they count as wanted."""
        if not source.campaigns:
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
        asked = Asked(self._visited, self._given(questions), allowed)
        judge = _Judge(questions, wanted, self._visited, len(asked.order), self._order.seed)
        lists = {
            name: baselines.ranked(baseline, asked, self._order.limit)
            for name, baseline in self._fitted.by_name.items()
        }
        answers = self._product.answer(
            mode, questions, self._order.limit, step(progress, f"asking, {mode}")
        )
        every = lists | {name: answer.lists for name, answer in answers.items()}
        rows = judge.rows(every, {name: answer.steps for name, answer in answers.items()})
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

    def _given(self, questions: Sequence[Question]) -> Visited:
        """The pages that each visitor has visited by then: what was learnt, and what is given."""
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
        """The pages of a visitor whom was learnt from; none for -1."""
        if row < 0:
            return np.empty(0, np.int32)
        ends = self._visited.indptr
        return self._visited.indices[ends[row] : ends[row + 1]]


class _Judge:
    """Measures all lists over the same questions.

    Args:
        wanted: by question, the wanted pages that the model knows.
        candidates: how many pages may be recommended.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        wanted: Sequence[Sequence[int]],
        visited: Visited,
        candidates: int,
        seed: int,
    ) -> None:
        self._wanted = wanted
        self._n_wanted = np.array([len(question.wanted) for question in questions], np.int64)
        self._visitor = np.array([question.visitor for question in questions], np.int64)
        self._by_accept = np.array([question.by_accept for question in questions], np.bool_)
        self._popularity = baselines.popularity(visited)
        self._visitors = visited.shape[0]
        self._candidates = candidates
        self._seed = seed

    def rows(self, lists: Mapping[str, Lists], steps: Mapping[str, Sequence[str]]) -> list[Row]:
        """A row for each way to recommend, in order.

        Args:
            steps: of the product's ways, the algorithm that built each list, where they have
                fallbacks.
        """
        quotients = {name: self._quotients(each) for name, each in lists.items()}
        flat = [each for of_one in quotients.values() for each in of_one.values()]
        found = iter(estimates(flat, self._visitor, self._seed))
        by_name = {
            name: {measure: next(found) for measure in of_one} for name, of_one in quotients.items()
        }
        return [
            Row(
                name=name,
                is_product=name in steps,
                answered=self._answered(each),
                measures=by_name[name],
                coverage=measures.coverage(each[~self._by_accept], self._candidates),
                steps=_shares(steps.get(name, ())),
            )
            for name, each in lists.items()
        ]

    def _quotients(self, lists: Lists) -> dict[str, Quotient]:
        found = measures.hits(lists, self._wanted)
        judged = measures.accuracy(found, self._n_wanted)
        judged["novelty"] = measures.novelty(lists, self._popularity, self._visitors)
        by_visit = ~self._by_accept
        return {name: measures.only(judged[name], by_visit) for name in MEASURES} | {
            "known_visits": measures.known(found, by_visit),
            "known_accepts": measures.known(found, self._by_accept),
        }

    def _answered(self, lists: Lists) -> float:
        return float((lists[:, 0] != measures.NO_PAGE).mean())


def _shares(steps: Sequence[str]) -> dict[str, float]:
    return {step: n / len(steps) for step, n in sorted(Counter(steps).items())}
