"""[5] What one algorithm comes to: a list, or the next algorithm and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from algorithms.candidates import Candidates
from algorithms.ranking import Item

SP_CONT = "WebR.Sp.Cont"
REL_CONT = "WebR.Rel.Cont"
SP_COL = "WebR.Sp.Col"
REL_COL = "WebR.Rel.Col"
SP_DEFAULT = "WebR.Sp.Default"
REL_DEFAULT = "WebR.Rel.Default"

NO_CATEGORY = "the page has no category"
NO_COMMUNITY = "the user has no community"

Best = Callable[[Candidates], list[Item]]
"""Ranks a set and takes X away; empty when nothing is left."""


class Built(NamedTuple):
    """The algorithm built the list."""

    items: list[Item]
    candidates: Candidates


class Passed(NamedTuple):
    """The algorithm could not build a list.

    Attributes:
        reason: why, in words for `explain`.
        to: the algorithm that follows.
    """

    reason: str
    to: str


def nothing_left(candidates: Candidates) -> str:
    """The reason of a set that is empty after taking X away."""
    return f"nothing is left in {candidates.expression}"
