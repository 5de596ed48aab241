"""[5] Sets of URLs that an algorithm may recommend, each held in its static order.

The order of a list is priority, then rank score, then URL. Within one category all URLs have the
same affinity, so their order does not depend on the visitor: ads by their priority, all by rank
score and URL. A set therefore keeps one sequence per category, and one of all its URLs; ranking
merges as few of them as it can, and reads no further than the list is long.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import NamedTuple, Protocol

UNCATEGORISED = -1


class Candidate(NamedTuple):
    """A URL in a set, in the order ``(rank, page)`` sorts it.

    Attributes:
        rank: the rank score, negated: a better one sorts first.
        page: the page's number; the order of numbers is the order of URLs. A page that the
            generation does not know has one between those of its neighbours.
        category: its category's number, or `UNCATEGORISED`.
        ad_priority: its campaign's priority; 0 in a related list.
    """

    rank: float
    page: float
    category: int
    ad_priority: float


candidate: Callable[[tuple[float, float, int, float]], Candidate] = partial(
    tuple.__new__, Candidate
)
"""Make one of its parts: in a third of the time that calling the class takes."""

Run = tuple[float, Iterable[Candidate]]
"""Candidates of one ad priority, sorted by rank score and URL. Read once, and maybe only after the
runs that follow were asked for."""


class Candidates(Protocol):
    """A set of URLs in its static order."""

    @property
    def expression(self) -> str:
        """The set expression it stands for, such as ``ads ∩ recL[c12]``."""
        ...

    def categories(self) -> Collection[int]:
        """The categories with URLs in the set; `UNCATEGORISED` where it has such URLs."""
        ...

    def of(self, category: int) -> Iterator[Run]:
        """The URLs of one category, in runs of descending ad priority."""
        ...

    def whole(self) -> Iterator[Run]:
        """All URLs, in runs of descending ad priority."""
        ...

    def find(self, page: int, /) -> Candidate | None:
        """The page as it is in the set; None where it is not."""
        ...

    def __len__(self) -> int:
        """How many URLs there are."""
        ...

    def __contains__(self, page: float, /) -> bool:
        """Whether the page is in the set."""
        ...


class Pages(Protocol):
    """A set of page numbers, of which only membership is asked."""

    def __contains__(self, page: float, /) -> bool:
        """Whether the page is in the set."""
        ...
