"""[4] Sets of ads in their static order: candidates in, `algorithms.Candidates` out.

They are made once per change of the campaigns and generation, sorted then, and only read by
requests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from algorithms import Candidate, Candidates, Run


class AdSet:
    """A set of ads in its static order, all together and by category.

    Args:
        expression: the set expression that it stands for.
        candidates: in any order.
        weigh_ads: False puts all into one run, whatever their priority.

    Attributes:
        find: the ad of a landing page, by the page's number; None for a page that is none.
    """

    def __init__(self, expression: str, candidates: list[Candidate], *, weigh_ads: bool) -> None:
        self.expression = expression
        weight: Callable[[Candidate], float] = (
            attrgetter("ad_priority") if weigh_ads else lambda _: 0.0
        )
        ordered = sorted(candidates, key=lambda c: (-weight(c), c))
        self._candidates = {candidate.page: candidate for candidate in ordered}
        # a request asks for some dozens of pages: the dictionary's own method takes half the time
        self.find: Callable[[float], Candidate | None] = self._candidates.get
        self._whole = _runs(ordered, weight)
        groups: dict[int, list[Candidate]] = {}
        for candidate in ordered:
            groups.setdefault(candidate.category, []).append(candidate)
        self._groups = {category: _runs(group, weight) for category, group in groups.items()}

    def categories(self) -> Collection[int]:
        """The categories with ads in the set."""
        return self._groups.keys()

    def of(self, category: int) -> Iterator[Run]:
        """The ads of one category."""
        return iter(self.runs(category))

    def runs(self, category: int) -> Sequence[tuple[float, list[Candidate]]]:
        """The ads of one category as they are held."""
        return self._groups.get(category, ())

    def whole(self) -> Iterator[Run]:
        """All ads."""
        return iter(self._whole)

    def part(self, category: int, expression: str) -> Candidates:
        """The ads of one category as a set of its own.

        Args:
            expression: the set expression that it stands for.
        """
        return _Part(self, category, expression)

    def __len__(self) -> int:
        """How many ads there are."""
        return len(self._candidates)

    def __contains__(self, page: float, /) -> bool:
        """Whether the page is the landing page of one."""
        return page in self._candidates


class _Part:
    """The ads of one category of a set."""

    def __init__(self, whole: AdSet, category: int, expression: str) -> None:
        self._whole = whole
        self._find = whole.find
        self._category = category
        self.expression = expression

    def categories(self) -> Collection[int]:
        return (self._category,)

    def of(self, category: int) -> Iterator[Run]:
        return self._whole.of(category)

    def whole(self) -> Iterator[Run]:
        return self._whole.of(self._category)

    def find(self, page: float) -> Candidate | None:
        found = self._find(page)
        return found if found is not None and found.category == self._category else None

    def __len__(self) -> int:
        return sum(len(run) for _, run in self._whole.runs(self._category))

    def __contains__(self, page: float, /) -> bool:
        return self.find(page) is not None


def _runs(
    ordered: list[Candidate], weight: Callable[[Candidate], float]
) -> list[tuple[float, list[Candidate]]]:
    return [(priority, list(run)) for priority, run in groupby(ordered, weight)]
