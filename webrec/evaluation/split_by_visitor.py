"""A log split by visitors: some are held out, and the others are the training users."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from webrec.domain.event_kinds import COUNTS_AS
from webrec.domain.types import Event
from webrec.errors import UsageError
from webrec.evaluation.interactions import ANONYMOUS, Interactions
from webrec.evaluation.protocols import CURVE, CURVE_VISITS, GIVEN, MOST, Question, Split
from webrec.evaluation.timeline import Integers, Timeline, at_most, given_of

_ONE_IN = 4
"""One visitor in so many is held out, where no number is given."""


def split_by_visitor(
    interactions: Interactions, protocol: str, users: int | None, rng: np.random.Generator
) -> Split:
    """Give some pages of each visitor held out, and ask for the others.

    Raises:
        UsageError: the log has too few visitors with enough pages.
    """
    given = GIVEN.get(protocol)
    timeline, pages = Timeline(interactions), _distinct(interactions)
    able = np.flatnonzero(pages >= (given or 1) + 1)
    held_out = _held_out(able, len(pages), protocol, users, rng)
    questions = []
    for visitor in held_out.tolist():
        everything = given_of(interactions, timeline.events(visitor))
        visited = [each for each in everything if each.visits]
        order = rng.permutation(len(visited)).tolist()
        kept = sorted(order[: given or len(visited) - 1])
        wanted = tuple(visited[i].page for i in sorted(set(order) - set(kept)))
        questions.append(Question(visitor, None, tuple(visited[i] for i in kept), wanted))
    return Split(protocol, _without(interactions, held_out), [(given, questions)])


def learning_curve(
    interactions: Interactions, users: int | None, rng: np.random.Generator
) -> Split:
    """Ask for the same pages of each visitor held out, after more and more visits.

    Raises:
        UsageError: the log has too few visitors with enough visits.
    """
    timeline = Timeline(interactions)
    most_given = max(CURVE_VISITS)
    visits = np.bincount(
        interactions.visitor[_known_visits(interactions)], minlength=len(interactions.visitors)
    )
    able = {
        v: _later(interactions, timeline, v, most_given)
        for v in np.flatnonzero(visits > most_given).tolist()
    }
    able = {visitor: wanted for visitor, wanted in able.items() if wanted}
    held_out = _held_out(np.array(sorted(able), np.int64), len(visits), CURVE, users, rng)
    question_sets: list[tuple[int | None, list[Question]]] = []
    for n in CURVE_VISITS:
        questions = [
            Question(v, None, given_of(interactions, _first(interactions, timeline, v, n)), able[v])
            for v in held_out.tolist()
        ]
        question_sets.append((n, questions))
    return Split(CURVE, _without(interactions, held_out), question_sets)


def _first(interactions: Interactions, timeline: Timeline, visitor: int, visits: int) -> Integers:
    """A visitor's first visits, with no accepts: those are part of none of the counts."""
    events = timeline.events(visitor)
    return events[~interactions.accept[events]][:visits]


def _later(
    interactions: Interactions, timeline: Timeline, visitor: int, visits: int
) -> tuple[int, ...]:
    """The pages that a visitor first saw after so many visits, in order."""
    events = timeline.events(visitor)
    pages = interactions.page[events[~interactions.accept[events]]].tolist()
    before = set(pages[:visits])
    return tuple(dict.fromkeys(page for page in pages[visits:] if page not in before))


def _known_visits(interactions: Interactions) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = (interactions.visitor != ANONYMOUS) & ~interactions.accept
    return known


def _distinct(interactions: Interactions) -> Integers:
    """How many different pages each visitor visited, int64 (n_visitors,)."""
    ours = _known_visits(interactions)
    pairs = (
        interactions.visitor[ours].astype(np.int64) * len(interactions.urls)
        + interactions.page[ours]
    )
    visitors = np.unique(pairs) // max(len(interactions.urls), 1)
    return np.bincount(visitors, minlength=len(interactions.visitors))


def _held_out(
    able: Integers, of: int, protocol: str, users: int | None, rng: np.random.Generator
) -> Integers:
    """The visitors that are held out, of those who have enough pages, in order.

    Args:
        of: how many visitors there are in all.
    """
    if not len(able):
        raise UsageError(
            f"no visitor of the log has enough pages for --protocol {protocol}: try one that "
            "gives fewer, or load more with `webrec ingest`"
        )
    most = users or min(MOST, max(len(able) // _ONE_IN, 1))
    if min(most, len(able)) == of:
        raise UsageError(
            "every visitor would be held out, and none left to learn from: hold out fewer with "
            "--users, or load more with `webrec ingest`"
        )
    return at_most(able, most, rng)


def _without(interactions: Interactions, held_out: Integers) -> Callable[[Event], bool]:
    """Whether an event is of no visitor held out: those of training users, and all page texts."""
    keys = {interactions.visitors[visitor] for visitor in held_out.tolist()}
    return lambda event: COUNTS_AS[event.kind] is None or event.visitor not in keys
