"""[4][5] What an algorithm may ask about one request. `webrec.serving.signals` answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from algorithms.candidates import Candidates, Pages
from algorithms.scorers import PageScores


class Signals(Protocol):
    """The reads of one request, each made at most once and only if asked for."""

    def category(self) -> int | None:
        """The category of the request's URL, if it has one."""
        ...

    def community(self) -> int | None:
        """The community of the user, if there is one."""
        ...

    def affinities(self) -> Mapping[int, float]:
        """``aff(u, c)`` of the categories the user touched, in [0, 1]."""
        ...

    def similarity_scores(self) -> PageScores:
        """The pages similar to the page being viewed and to those the visitor visited."""
        ...

    def excluded(self) -> Pages:
        """The set X: pages that no list may hold."""
        ...

    def rec(self, category: int) -> Candidates:
        """``recL[c]``."""
        ...

    def rec_all(self) -> Candidates:
        """``recL``, the union of all ``recL[c]``."""
        ...

    def col(self, community: int) -> Candidates:
        """``colL[g]``."""
        ...

    def rec_of(self, community: int) -> Candidates:
        """The union of ``recL[c]`` over the categories of ``colL[g]``."""
        ...

    def ads_in_rec(self, category: int) -> Candidates:
        """``adUrls ∩ recL[c]``."""
        ...

    def ads_in_rec_all(self) -> Candidates:
        """``adUrls ∩ recL``."""
        ...

    def ads_in_col(self, community: int) -> Candidates:
        """``adUrls ∩ colL[g]``."""
        ...

    def ads_in_rec_of(self, community: int) -> Candidates:
        """The ads whose category is one of those of ``colL[g]``."""
        ...
