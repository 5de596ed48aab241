"""[5] The chain of fallbacks: from the algorithm a request names to the one that has an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from algorithms import step
from algorithms.candidates import Candidates
from algorithms.ranking import RELATED, Item, Weights, rank
from algorithms.related_collaborative import related_collaborative
from algorithms.related_content import related_content
from algorithms.related_default import related_default
from algorithms.signals import Signals
from algorithms.sponsored_collaborative import sponsored_collaborative
from algorithms.sponsored_content import sponsored_content
from algorithms.sponsored_default import sponsored_default

_ALGORITHMS: dict[str, Callable[[Signals, step.Best], step.Built | step.Passed]] = {
    step.SP_CONT: sponsored_content,
    step.REL_CONT: related_content,
    step.SP_COL: sponsored_collaborative,
    step.REL_COL: related_collaborative,
    step.SP_DEFAULT: sponsored_default,
    step.REL_DEFAULT: related_default,
}

_FIRST = {
    ("sponsored", "content"): step.SP_CONT,
    ("related", "content"): step.REL_CONT,
    ("sponsored", "collaborative"): step.SP_COL,
    ("related", "collaborative"): step.REL_COL,
}


class Answer(NamedTuple):
    """The list and how it came about.

    Attributes:
        algorithm: the one that built the list.
        candidates: the set the list was cut from, X included.
        passed_over: the algorithms entered before, in order, each with why it had no list.
    """

    algorithm: str
    items: list[Item]
    candidates: Candidates
    passed_over: list[tuple[str, step.Passed]]

    @property
    def path(self) -> list[str]:
        """Every algorithm entered, in order."""
        return [*(name for name, _ in self.passed_over), self.algorithm]


def first_algorithm(mode: str, filter_: str) -> str:
    """The algorithm that a mode and a filter name."""
    return _FIRST[mode, filter_]


def recommend(mode: str, filter_: str, signals: Signals, weights: Weights, limit: int) -> Answer:
    """Go down the chain until an algorithm builds a list.

    Args:
        mode: ``related`` or ``sponsored``.
        filter_: ``content`` or ``collaborative``.
        weights: of a sponsored list; a related one is ordered by affinity alone.
        limit: cuts the ordered list; at least 1.
    """
    weights = weights if mode == "sponsored" else RELATED

    def best(candidates: Candidates) -> list[Item]:
        return rank(candidates, signals.affinities(), weights, signals.excluded(), limit)

    algorithm = first_algorithm(mode, filter_)
    passed_over: list[tuple[str, step.Passed]] = []
    while isinstance(outcome := _ALGORITHMS[algorithm](signals, best), step.Passed):
        passed_over.append((algorithm, outcome))
        algorithm = outcome.to
    return Answer(algorithm, outcome.items, outcome.candidates, passed_over)
