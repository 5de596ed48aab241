"""Interactions visitor by visitor: what each did, and which pages were new to them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from webrec.evaluation.interactions import ANONYMOUS, Interactions
from webrec.evaluation.protocols import Given, Question

Integers: TypeAlias = NDArray[np.int64]


class Timeline:
    """Interactions visitor by visitor, of each in the order of time."""

    def __init__(self, interactions: Interactions) -> None:
        self._interactions = interactions
        self._by_visitor = np.argsort(interactions.visitor, kind="stable")
        self._position = np.empty(len(self._by_visitor), np.int64)
        self._position[self._by_visitor] = np.arange(len(self._by_visitor))
        numbers = np.arange(len(interactions.visitors))
        self._starts = np.searchsorted(interactions.visitor[self._by_visitor], numbers)

    def news(self, moment: int) -> tuple[Integers, Integers, int]:
        """The events from a moment (ms) on that brought a visitor to a new page.

        Returns:
            The visits and the accepts among them, and how many visits were to no new page.
        """
        interactions = self._interactions
        pairs = interactions.visitor.astype(np.int64) * len(interactions.urls) + interactions.page
        ours = (interactions.visitor != ANONYMOUS) & (interactions.at_ms >= moment)
        visits, accepts = np.flatnonzero(~interactions.accept), np.flatnonzero(interactions.accept)
        seen, first = np.unique(pairs[visits], return_index=True)
        first_visit = visits[first]
        new = np.sort(first_visit[ours[first_visit]])
        wanted, first = np.unique(pairs[accepts], return_index=True)
        first_accept = accepts[first]
        # accepted before it was ever visited
        since = np.full(len(wanted), len(pairs))
        _, of_wanted, of_seen = np.intersect1d(wanted, seen, return_indices=True)
        since[of_wanted] = first_visit[of_seen]
        first_accept = first_accept[first_accept < since]
        left_out = int((ours & ~interactions.accept).sum()) - len(new)
        return new, np.sort(first_accept[ours[first_accept]]), left_out

    def question(self, event: int, moment: int) -> Question:
        """What to ask just before an event; given is what its visitor did since a moment (ms)."""
        interactions = self._interactions
        visitor = int(interactions.visitor[event])
        before = self._by_visitor[self._starts[visitor] : self._position[event]]
        visits = before[~interactions.accept[before]]
        since = before[interactions.at_ms[before] >= moment]
        return Question(
            visitor,
            int(interactions.page[visits[-1]]) if len(visits) else None,
            given_of(interactions, since),
            (int(interactions.page[event]),),
            bool(interactions.accept[event]),
        )

    def events(self, visitor: int) -> Integers:
        """What a visitor did, in order."""
        ends = self._starts[visitor + 1] if visitor + 1 < len(self._starts) else None
        return self._by_visitor[self._starts[visitor] : ends]


def given_of(interactions: Interactions, events: Integers) -> tuple[Given, ...]:
    """Some events of one visitor, page by page."""
    counts: dict[int, list[int]] = {}
    for page, accept in zip(
        interactions.page[events].tolist(), interactions.accept[events].tolist(), strict=True
    ):
        counts.setdefault(page, [0, 0])[accept] += 1
    return tuple(Given(page, *both) for page, both in counts.items())


def at_most(numbers: Integers, most: int, rng: np.random.Generator) -> Integers:
    """At most this many of the numbers, drawn at random; in order."""
    if len(numbers) <= most:
        return numbers
    return np.sort(rng.choice(numbers, most, replace=False))
