"""Signals with known answers, which fail the test that reads what it should not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from algorithms import NO_SCORES, Candidate, Candidates, PageScores, Run, Weights


class Listed:
    """A set of URLs, sorted anew at every question.

    Args:
        expression: the set expression it stands for.
        items: (page, category, rank score, ad priority), in any order.
    """

    def __init__(self, expression: str, items: Sequence[tuple[int, int, float, float]]) -> None:
        self.expression = expression
        self._items = [Candidate(-score, page, c, ad) for page, c, score, ad in items]

    def categories(self) -> Collection[int]:
        """The categories with URLs in the set."""
        return {candidate.category for candidate in self._items}

    def of(self, category: int) -> Iterator[Run]:
        """The URLs of one category."""
        return _runs([c for c in self._items if c.category == category])

    def whole(self) -> Iterator[Run]:
        """All URLs."""
        return _runs(self._items)

    def find(self, page: int) -> Candidate | None:
        """The page as it is in the set."""
        return next((c for c in self._items if c.page == page), None)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, page: float, /) -> bool:
        return any(c.page == page for c in self._items)


def _runs(items: list[Candidate]) -> Iterator[Run]:
    ordered = sorted(items, key=lambda c: (-c.ad_priority, c))
    for priority, run in groupby(ordered, attrgetter("ad_priority")):
        yield priority, list(run)


def pages(expression: str, *numbers: int, category: int = 0) -> Listed:
    """A set of pages of one category, the greater number having the greater rank score."""
    return Listed(expression, [(n, category, float(n), 0.5) for n in numbers])


@dataclass
class Known:
    """`algorithms.Signals` with the answers given; any other question fails the test.

    Attributes:
        answers: signal name to answer.
        asked: the questions, in order.
    """

    answers: Mapping[str, object]
    asked: list[str] = field(default_factory=list)

    def _answer(self, name: str) -> object:
        assert name in self.answers, f"{name} was read, though {self.asked} had been enough"
        self.asked.append(name)
        return self.answers[name]

    def category(self) -> int | None:
        """As given."""
        found = self._answer("category")
        assert found is None or isinstance(found, int)
        return found

    def community(self) -> int | None:
        """As given."""
        found = self._answer("community")
        assert found is None or isinstance(found, int)
        return found

    def affinities(self) -> Mapping[int, float]:
        """None known: the order is that of the rank scores."""
        return {}

    def similarity_scores(self) -> PageScores:
        """As given; without an answer nothing is similar."""
        found = self.answers.get("similarity_scores", NO_SCORES)
        assert isinstance(found, PageScores)
        return found

    def excluded(self) -> Collection[int]:
        """As given."""
        found = self.answers.get("excluded", ())
        assert isinstance(found, Collection)
        return found

    def rec(self, category: int) -> Candidates:
        """As given for the category."""
        return self._set("rec", category)

    def rec_all(self) -> Candidates:
        """As given."""
        return self._set("rec_all", None)

    def col(self, community: int) -> Candidates:
        """As given for the community."""
        return self._set("col", community)

    def rec_of(self, community: int) -> Candidates:
        """As given for the community."""
        return self._set("rec_of", community)

    def ads_in_rec(self, category: int) -> Candidates:
        """As given for the category."""
        return self._set("ads_in_rec", category)

    def ads_in_rec_all(self) -> Candidates:
        """As given."""
        return self._set("ads_in_rec_all", None)

    def ads_in_col(self, community: int) -> Candidates:
        """As given for the community."""
        return self._set("ads_in_col", community)

    def ads_in_rec_of(self, community: int) -> Candidates:
        """As given for the community."""
        return self._set("ads_in_rec_of", community)

    def _set(self, name: str, of: int | None) -> Candidates:
        if of is not None:
            whose = "category" if name in ("rec", "ads_in_rec") else "community"
            assert of == self.answers[whose]
        found = self._answer(name)
        assert isinstance(found, Listed)
        return found


NOTHING = Listed("∅", [])
WEIGHTS = Weights(0.5, 0.5)
