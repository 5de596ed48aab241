"""What is learnt from, and what is asked then: the protocols.

- *time*: what happened before a moment is learnt from. Every visit after it to a page that is new
  to its visitor is a question, asked just before the visit is recorded. It is how the recommender
  is used, so it is the protocol to go by.
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

from webrec.domain.event_kinds import COUNTS_AS
from webrec.domain.types import Event
from webrec.errors import UsageError
from webrec.evaluation.history import ANONYMOUS, History

TIME, ALL_BUT_1, CURVE = "time", "allbut1", "curve"
GIVEN = {"given2": 2, "given5": 5, "given10": 10}
PROTOCOLS = (TIME, ALL_BUT_1, *GIVEN, CURVE)
CURVE_VISITS = (1, 2, 3, 5, 10)

MOST = 5_000
"""Visitors held out, or visits asked about, where nobody says how many."""

_LEARNT_SHARE = 0.8
_HELD_OUT_SHARE = 4  # one in so many

Integers = NDArray[np.int64]


class Given(NamedTuple):
    """What a visitor did on a page before the question (and after what was learnt from)."""

    page: int
    visits: int
    accepts: int


class Question(NamedTuple):
    """What to recommend to a visitor; page and visitor numbers are those of the history.

    Attributes:
        viewed: the page that the visitor is on; None for one that nobody knows.
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
        learns: whether an event belongs to what is learnt from.
        rounds: questions, by how many pages or visits were given; None where that differs.
        left_out: visits after the moment to pages that were not new (*time* only): no list holds
            what its visitor has seen, so they would be missed by all alike.
    """

    protocol: str
    learns: Callable[[Event], bool]
    rounds: list[tuple[int | None, list[Question]]]
    left_out: int = 0


def split(
    history: History, protocol: str, users: int | None, visits: int | None, seed: int
) -> Split:
    """Part a history.

    Args:
        protocol: one of `PROTOCOLS`.
        users: how many visitors are held out; None for a quarter of those with enough pages,
            at most 5,000.
        visits: how many visits of the time split are asked about; None for at most 5,000.
        seed: of all that is drawn.

    Raises:
        UsageError: the history is not enough for it; says what to do.
    """
    if not (history.visitor != ANONYMOUS).any():
        raise UsageError(
            "the log holds no visit of a known visitor: `webrec ingest FILE` loads some"
        )
    rng = np.random.default_rng(seed)
    if protocol == TIME:
        return _by_time(history, visits or MOST, rng)
    if protocol == CURVE:
        return _curve(history, users, rng)
    return _by_visitor(history, protocol, users, rng)


# --- by time ----------------------------------------------------------------------------------


def _by_time(history: History, most: int, rng: np.random.Generator) -> Split:
    moment = _moment(history)
    visited = set(np.unique(history.page[(history.at_ms < moment) & ~history.accept]).tolist())
    known = {history.urls[page] for page in visited}

    def learns(event: Event) -> bool:
        # what a page says of itself is known as soon as the page is, whenever it was loaded
        return event.at_ms < moment or (COUNTS_AS[event.kind] is None and event.url in known)

    timeline = _Timeline(history)
    new, accepted, left_out = timeline.news(moment)
    if not len(new):
        raise UsageError(
            "nobody visited a new page in the last fifth of the log: there is nothing to ask "
            "about by time; try --protocol allbut1, or load more with `webrec ingest`"
        )
    asked = [*_drawn(new, most, rng).tolist(), *_drawn(accepted, most, rng).tolist()]
    questions = [timeline.question(event, moment) for event in asked]
    return Split(TIME, learns, [(None, questions)], left_out)


def _moment(history: History) -> int:
    """When what is learnt from ends (ms): such that a fifth of the visits come later."""
    at_ms = history.at_ms[~history.accept]
    moment = int(at_ms[int(_LEARNT_SHARE * len(at_ms))]) if len(at_ms) else 0
    if not len(at_ms) or at_ms[0] == moment:
        raise UsageError(
            "the visits of the log are too few to part them by time, or bear the same time: try "
            "--protocol allbut1, or load more with `webrec ingest`"
        )
    return moment


class _Timeline:
    """A history visitor by visitor."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._by_visitor = np.argsort(history.visitor, kind="stable")
        self._place = np.empty(len(self._by_visitor), np.int64)
        self._place[self._by_visitor] = np.arange(len(self._by_visitor))
        numbers = np.arange(len(history.visitors))
        self._starts = np.searchsorted(history.visitor[self._by_visitor], numbers)

    def news(self, moment: int) -> tuple[Integers, Integers, int]:
        """The events from a moment (ms) on that brought a visitor to a new page.

        Returns:
            The visits and the accepts among them, and how many visits were to no new page.
        """
        history = self._history
        pairs = history.visitor.astype(np.int64) * len(history.urls) + history.page
        ours = (history.visitor != ANONYMOUS) & (history.at_ms >= moment)
        visits, accepts = np.flatnonzero(~history.accept), np.flatnonzero(history.accept)
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
        left_out = int((ours & ~history.accept).sum()) - len(new)
        return new, np.sort(first_accept[ours[first_accept]]), left_out

    def question(self, event: int, moment: int) -> Question:
        """What to ask just before an event; given is what its visitor did since a moment (ms)."""
        history = self._history
        visitor = int(history.visitor[event])
        before = self._by_visitor[self._starts[visitor] : self._place[event]]
        visits = before[~history.accept[before]]
        since = before[history.at_ms[before] >= moment]
        return Question(
            visitor,
            int(history.page[visits[-1]]) if len(visits) else None,
            _given(history, since),
            (int(history.page[event]),),
            bool(history.accept[event]),
        )

    def events(self, visitor: int) -> Integers:
        """What a visitor did, in order."""
        ends = self._starts[visitor + 1] if visitor + 1 < len(self._starts) else None
        return self._by_visitor[self._starts[visitor] : ends]


def _given(history: History, events: Integers) -> tuple[Given, ...]:
    """Some events of one visitor, page by page."""
    counts: dict[int, list[int]] = {}
    for page, accept in zip(
        history.page[events].tolist(), history.accept[events].tolist(), strict=True
    ):
        counts.setdefault(page, [0, 0])[accept] += 1
    return tuple(Given(page, *both) for page, both in counts.items())


# --- by visitor -------------------------------------------------------------------------------


def _by_visitor(
    history: History, protocol: str, users: int | None, rng: np.random.Generator
) -> Split:
    given = GIVEN.get(protocol)
    timeline, pages = _Timeline(history), _distinct(history)
    able = np.flatnonzero(pages >= (given or 1) + 1)
    held_out = _held_out(able, len(pages), protocol, users, rng)
    questions = []
    for visitor in held_out.tolist():
        everything = _given(history, timeline.events(visitor))
        visited = [each for each in everything if each.visits]
        order = rng.permutation(len(visited)).tolist()
        kept = sorted(order[: given or len(visited) - 1])
        wanted = tuple(visited[i].page for i in sorted(set(order) - set(kept)))
        questions.append(Question(visitor, None, tuple(visited[i] for i in kept), wanted))
    return Split(protocol, _without(history, held_out), [(given, questions)])


def _curve(history: History, users: int | None, rng: np.random.Generator) -> Split:
    timeline = _Timeline(history)
    told = max(CURVE_VISITS)
    visits = np.bincount(history.visitor[_known_visits(history)], minlength=len(history.visitors))
    able = {v: _later(history, timeline, v, told) for v in np.flatnonzero(visits > told).tolist()}
    able = {visitor: wanted for visitor, wanted in able.items() if wanted}
    held_out = _held_out(np.array(sorted(able), np.int64), len(visits), CURVE, users, rng)
    rounds: list[tuple[int | None, list[Question]]] = []
    for n in CURVE_VISITS:
        questions = [
            Question(v, None, _given(history, _first(history, timeline, v, n)), able[v])
            for v in held_out.tolist()
        ]
        rounds.append((n, questions))
    return Split(CURVE, _without(history, held_out), rounds)


def _first(history: History, timeline: _Timeline, visitor: int, visits: int) -> Integers:
    """A visitor's first visits, with no accepts: those are part of none of the counts."""
    events = timeline.events(visitor)
    return events[~history.accept[events]][:visits]


def _later(history: History, timeline: _Timeline, visitor: int, visits: int) -> tuple[int, ...]:
    """The pages that a visitor first saw after so many visits, in order."""
    events = timeline.events(visitor)
    pages = history.page[events[~history.accept[events]]].tolist()
    before = set(pages[:visits])
    return tuple(dict.fromkeys(page for page in pages[visits:] if page not in before))


def _known_visits(history: History) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = (history.visitor != ANONYMOUS) & ~history.accept
    return known


def _distinct(history: History) -> Integers:
    """How many different pages each visitor visited, int64 (n_visitors,)."""
    ours = _known_visits(history)
    pairs = history.visitor[ours].astype(np.int64) * len(history.urls) + history.page[ours]
    visitors = np.unique(pairs) // max(len(history.urls), 1)
    return np.bincount(visitors, minlength=len(history.visitors))


def _held_out(
    able: Integers, of: int, protocol: str, users: int | None, rng: np.random.Generator
) -> Integers:
    """Who is held out, of those who have enough pages, in order.

    Args:
        of: how many visitors there are in all.
    """
    if not len(able):
        raise UsageError(
            f"no visitor of the log has enough pages for --protocol {protocol}: try one that "
            "gives fewer, or load more with `webrec ingest`"
        )
    most = users or min(MOST, max(len(able) // _HELD_OUT_SHARE, 1))
    if min(most, len(able)) == of:
        raise UsageError(
            "every visitor would be held out, and nobody learnt from: hold out fewer with --users, "
            "or load more with `webrec ingest`"
        )
    return _drawn(able, most, rng)


def _drawn(numbers: Integers, most: int, rng: np.random.Generator) -> Integers:
    """At most so many, in order."""
    if len(numbers) <= most:
        return numbers
    return np.sort(rng.choice(numbers, most, replace=False))


def _without(history: History, held_out: Integers) -> Callable[[Event], bool]:
    """Whether an event is nobody's who is held out; what a page says of itself always counts."""
    keys = {history.visitors[visitor] for visitor in held_out.tolist()}
    return lambda event: COUNTS_AS[event.kind] is None or event.visitor not in keys


def wanted_of(questions: Sequence[Question], number_of: NDArray[np.int32]) -> list[list[int]]:
    """The wanted pages of each question by their numbers in a model; without the unknown ones."""
    return [[page for page in number_of[list(q.wanted)].tolist() if page >= 0] for q in questions]
