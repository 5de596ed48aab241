"""All lists of one table measured over the same questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from webrec.evaluation import measures
from webrec.evaluation.baselines import VisitMatrix, popularity
from webrec.evaluation.intervals import estimates
from webrec.evaluation.measures import Lists, Quotient
from webrec.evaluation.protocols import Question
from webrec.evaluation.result import MEASURES, Row


class ListMeasures:
    """Measures all lists over the same questions.

    Args:
        wanted: by question, the wanted pages that the model knows.
        candidates: how many pages may be recommended.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        wanted: Sequence[Sequence[int]],
        visited: VisitMatrix,
        candidates: int,
        seed: int,
    ) -> None:
        self._wanted = wanted
        self._n_wanted = np.array([len(question.wanted) for question in questions], np.int64)
        self._visitor = np.array([question.visitor for question in questions], np.int64)
        self._by_accept = np.array([question.by_accept for question in questions], np.bool_)
        self._popularity = popularity(visited)
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
        measured = measures.accuracy(found, self._n_wanted)
        measured["novelty"] = measures.novelty(lists, self._popularity, self._visitors)
        by_visit = ~self._by_accept
        return {name: measures.only(measured[name], by_visit) for name in MEASURES} | {
            "known_visits": measures.known(found, by_visit),
            "known_accepts": measures.known(found, self._by_accept),
        }

    def _answered(self, lists: Lists) -> float:
        return float((lists[:, 0] != measures.NO_PAGE).mean())


def _shares(steps: Sequence[str]) -> dict[str, float]:
    return {step: n / len(steps) for step, n in sorted(Counter(steps).items())}
