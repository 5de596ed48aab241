"""The protocols: which part of a log is the training part, and what is asked then.

- *time*: what happened before a moment is the training part. Every visit after it to a page that
  is new to its visitor is a question, asked just before the visit is recorded. It is how the
  recommender is used, so it is the protocol to go by.
- *allbut1*, *given2*, *given5*, *given10* (Breese, Heckerman and Kadie 1998): some visitors are
  held out. All but one of a visitor's pages are given, drawn at random, or only so many; the other
  ones are wanted.
- *curve*: visitors are held out, and asked for after their first 1, 2, 3, 5 and 10 visits. What is
  wanted is always the same, the pages that they first saw after the tenth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from webrec.domain.types import Event

TIME, ALL_BUT_1, CURVE = "time", "allbut1", "curve"
GIVEN = {"given2": 2, "given5": 5, "given10": 10}
PROTOCOLS = (TIME, ALL_BUT_1, *GIVEN, CURVE)
CURVE_VISITS = (1, 2, 3, 5, 10)
"""After so many visits each the learning curve is measured."""

MOST = 5_000
"""Visitors held out, or visits asked about, where no number is given."""


class Given(NamedTuple):
    """What a visitor did on a page before the question (and after the training part)."""

    page: int
    visits: int
    accepts: int


class Question(NamedTuple):
    """What to recommend to a visitor; page and visitor numbers are those of the interactions.

    Attributes:
        viewed: the page that the visitor is on; None for an unknown one.
        given: in the order of the first event on each page.
        wanted: the pages that came next: right answers.
        by_accept: it was accepted next, not visited.
    """

    visitor: int
    viewed: int | None
    given: tuple[Given, ...]
    wanted: tuple[int, ...]
    by_accept: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """What one protocol makes of a log.

    Attributes:
        is_training: whether an event belongs to the training part.
        question_sets: questions, by how many pages or visits were given; None where that differs.
        left_out: visits after the moment to pages that were not new (*time* only): no list holds
            what its visitor has seen, so they would be missed by all alike.
    """

    protocol: str
    is_training: Callable[[Event], bool]
    question_sets: list[tuple[int | None, list[Question]]]
    left_out: int = 0


def wanted_of(questions: Sequence[Question], number_of: NDArray[np.int32]) -> list[list[int]]:
    """The wanted pages of each question by their numbers in a model; without the unknown ones."""
    return [[page for page in number_of[list(q.wanted)].tolist() if page >= 0] for q in questions]
