"""[5] Sets of URLs that an algorithm may recommend, each held in its static order.

The order of a list is priority, then rank score, then URL. Within one category all URLs have the
same affinity, so their order does not depend on the visitor: ads by their priority, all by rank
score and URL. A set therefore keeps one sequence per category, and one of all its URLs; ranking
merges as few of them as it can, and reads no further than the list is long.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

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


class Near(NamedTuple):
    """The pages similar to what the visitor saw (n of them); all others have similarity 0.

    Attributes:
        pages: uint32 (n,), ascending.
        similarity: float64 (n,), in (0, 1].
    """

    pages: NDArray[np.uint32]
    similarity: NDArray[np.float64]


NOTHING_NEAR = Near(np.empty(0, np.uint32), np.empty(0))


class Found(NamedTuple):
    """Those of some pages that are in a set (m of them), in the order they were asked for.

    Attributes:
        places: intp (m,), where they stand among the pages asked for.
        rank: float64 (m,), the rank scores, negated.
        category: integers (m,); `UNCATEGORISED` for none.
        ad_priority: float64 (m,).
    """

    places: NDArray[np.intp]
    rank: NDArray[np.float64]
    category: NDArray[Any]
    ad_priority: NDArray[np.float64]


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

    def among(self, pages: NDArray[np.uint32]) -> Found:
        """Those of some pages (ascending) that are in the set."""
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
