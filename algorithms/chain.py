"""[5] The chain of fallbacks: from the algorithm a request names to the one that has an answer."""

from __future__ import annotations

from typing import NamedTuple

from algorithms import step
from algorithms.candidates import Candidates, Pages
from algorithms.ranking import Item, rank
from algorithms.registry import BY_NAME, first_algorithm
from algorithms.scorers import NO_SCORES, Weights
from algorithms.signals import Signals


class Part(NamedTuple):
    """What one algorithm gave to a list.

    Attributes:
        candidates: the set that the items are of, X included.
    """

    algorithm: str
    candidates: Candidates
    items: list[Item]


class RankedList(NamedTuple):
    """The list and how it came about.

    Attributes:
        parts: the first built the list, the others filled it up; never empty.
        path: every algorithm entered, in order.
        passed_over: the algorithms entered before the first part, each with why it had no list.
    """

    parts: list[Part]
    path: list[str]
    passed_over: list[tuple[str, step.Passed]]

    @property
    def algorithm(self) -> str:
        """The algorithm that built the list."""
        return self.parts[0].algorithm

    @property
    def candidates(self) -> Candidates:
        """The set that the list was cut from, X included."""
        return self.parts[0].candidates

    @property
    def items(self) -> list[Item]:
        """The list."""
        return (
            self.parts[0].items
            if len(self.parts) == 1
            else [i for p in self.parts for i in p.items]
        )


def recommend(
    mode: str, filter_: str, signals: Signals, weights: Weights, limit: int, *, fill: bool = False
) -> RankedList:
    """Go down the chain until an algorithm builds a list.

    Args:
        mode: ``related`` or ``sponsored``.
        filter_: one of `algorithms.registry.filters`.
        weights: of a sponsored list; in a related one campaigns weigh nothing.
        limit: cuts the ordered list; at least 1.
        fill: whether a list shorter than ``limit`` is filled up by the algorithms that follow,
            each as if those before had no list.
    """
    weights = weights if mode == "sponsored" else weights.related()
    builder = _ListBuilder(signals, weights, limit, enough=limit if fill else 1)
    algorithm = first_algorithm(mode, filter_)
    path, passed_over = [algorithm], []
    while isinstance(outcome := builder.enter(algorithm), step.Passed):
        if not builder.parts:
            passed_over.append((algorithm, outcome))
        algorithm = outcome.to
        path.append(algorithm)
    nothing = Part(algorithm, outcome.candidates, [])
    return RankedList(builder.parts or [nothing], path, passed_over)


class _ListBuilder:
    """A list that algorithms add to until there is enough.

    Args:
        enough: items with which an algorithm ends the chain.
    """

    def __init__(self, signals: Signals, weights: Weights, limit: int, enough: int) -> None:
        self._signals = signals
        self._weights = weights
        self._limit = limit
        self._enough = enough
        self._given: set[float] = set()
        self._algorithm = ""
        self.parts: list[Part] = []

    def enter(self, algorithm: str) -> step.Built | step.Passed:
        """Let an algorithm add what it has."""
        self._algorithm = algorithm
        return BY_NAME[algorithm](self._signals, self._add)

    def _add(self, candidates: Candidates) -> list[Item]:
        """The best of a set; none also where there is still too little of a list."""
        signals, weights = self._signals, self._weights
        items = rank(
            candidates,
            signals.affinities(),
            weights,
            _Both(signals.excluded(), self._given) if self._given else signals.excluded(),
            self._limit - len(self._given),
            signals.similarity_scores() if weights.w_sim else NO_SCORES,
        )
        if items:
            self.parts.append(Part(self._algorithm, candidates, items))
            self._given.update(item.page for item in items)
        return items if len(self._given) >= self._enough else []


class _Both:
    """Two sets of pages."""

    def __init__(self, one: Pages, other: Pages) -> None:
        self._one = one
        self._other = other

    def __contains__(self, page: float, /) -> bool:
        return page in self._one or page in self._other
