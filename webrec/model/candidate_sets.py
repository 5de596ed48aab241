"""[4] The sets of a generation that algorithms recommend from: its arrays in, candidates out.

Each is one of `algorithms.Candidates`. Nothing is copied: a set reads the arrays where they lie.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from heapq import merge

import numpy as np
from numpy.typing import NDArray

from algorithms import Candidate, Run, candidate
from webrec.domain.sorted_numbers import position_of, positions_of
from webrec.model.arrays import ModelArrays
from webrec.model.ragged import span


class RecList:
    """``recL[c]``, the pages of one category.

    Args:
        category: its number.
        category_id: its id.
    """

    def __init__(self, arrays: ModelArrays, category: int, category_id: str) -> None:
        self._arrays = arrays
        self._category = category
        self._category_id = category_id

    @property
    def expression(self) -> str:
        """``recL[c]``."""
        return f"recL[{self._category_id}]"

    def categories(self) -> Collection[int]:
        """The category."""
        return (self._category,)

    def of(self, category: int) -> Iterator[Run]:
        """The pages of the category, which is the set's own."""
        return _of_category(self._arrays, category)

    def whole(self) -> Iterator[Run]:
        """The same."""
        return _of_category(self._arrays, self._category)

    def find(self, page: int) -> Candidate | None:
        """The page, if it is of the category."""
        if self._arrays.category[page] != self._category:
            return None
        return candidate((-self._arrays.total[page], page, self._category, 0.0))

    def __len__(self) -> int:
        return len(self._arrays.rec[span(self._arrays.rec_ends, self._category)])

    def __contains__(self, page: float, /) -> bool:
        return isinstance(page, int) and self._arrays.category[page] == self._category


class RecUnion:
    """The union of several ``recL[c]``.

    Args:
        categories: their numbers.
        expression: see `algorithms.Candidates`.
    """

    def __init__(self, arrays: ModelArrays, categories: list[int], expression: str) -> None:
        self._arrays = arrays
        self._categories = categories
        self.expression = expression
        self._set = frozenset(categories)
        self._is_whole = len(categories) == len(arrays.rec_ends)

    def categories(self) -> Collection[int]:
        """The categories."""
        return self._set

    def of(self, category: int) -> Iterator[Run]:
        """The pages of one of the categories."""
        return _of_category(self._arrays, category)

    def whole(self) -> Iterator[Run]:
        """The pages of all of them."""
        total, category = self._arrays.total, self._arrays.category
        if self._is_whole:
            pages = self._arrays.rec_all
            yield 0.0, (candidate((-total[p], p, category[p], 0.0)) for p in pages)
        else:
            yield 0.0, merge(*(run for c in self._categories for _, run in self.of(c)))

    def find(self, page: int) -> Candidate | None:
        """The page, if it is of one of the categories."""
        category = self._arrays.category[page]
        if category not in self._set:
            return None
        return candidate((-self._arrays.total[page], page, category, 0.0))

    def __len__(self) -> int:
        rec, ends = self._arrays.rec, self._arrays.rec_ends
        return sum(len(rec[span(ends, category)]) for category in self._categories)

    def __contains__(self, page: float, /) -> bool:
        return isinstance(page, int) and self._arrays.category[page] in self._set


def _of_category(arrays: ModelArrays, category: int) -> Iterator[Run]:
    total = arrays.total
    pages = arrays.rec[span(arrays.rec_ends, category)]
    yield 0.0, (candidate((-total[p], p, category, 0.0)) for p in pages)


class ColList:
    """``colL[g]``, the pages that members of one community visited.

    Args:
        community: its number.
        community_id: its id.
    """

    def __init__(self, arrays: ModelArrays, community: int, community_id: str) -> None:
        where = span(arrays.col_ends, community)
        self._category = arrays.category
        self._pages, self._ranks = arrays.col[where], arrays.col_rank[where]
        self._sorted, self._sorted_ranks = arrays.col_pages[where], arrays.col_page_rank[where]
        self._grouped, self._grouped_ranks = arrays.grouped[where], arrays.grouped_rank[where]
        self._groups = _groups(self._grouped, arrays.category)
        self._community_id = community_id

    @property
    def expression(self) -> str:
        """``colL[g]``."""
        return f"colL[{self._community_id}]"

    def categories(self) -> Collection[int]:
        """The categories of its pages, and `UNCATEGORISED` where some have none."""
        return self._groups.keys()

    def of(self, category: int) -> Iterator[Run]:
        """Its pages of one of these categories."""
        group = self._groups[category]
        pairs = zip(self._grouped[group], self._grouped_ranks[group], strict=True)
        yield 0.0, (candidate((-rank, page, category, 0.0)) for page, rank in pairs)

    def whole(self) -> Iterator[Run]:
        """All its pages."""
        category = self._category
        pairs = zip(self._pages, self._ranks, strict=True)
        yield 0.0, (candidate((-rank, page, category[page], 0.0)) for page, rank in pairs)

    def find(self, page: int) -> Candidate | None:
        """The page, if it is in the list."""
        at = position_of(self._sorted, page)
        if at < 0:
            return None
        return candidate((-self._sorted_ranks[at], page, self._category[page], 0.0))

    def ranks_of(self, pages: NDArray[np.uint32]) -> list[tuple[int, float]]:
        """Those of some pages that are in the list, each with the community's affinity for it."""
        is_there, positions = positions_of(np.asarray(self._sorted), pages)
        ranks = np.asarray(self._sorted_ranks)[positions]
        return list(zip(pages[is_there].tolist(), ranks.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self._pages)

    def __contains__(self, page: float, /) -> bool:
        return position_of(self._sorted, page) >= 0


def _groups(pages: memoryview, category: memoryview) -> dict[int, slice]:
    """Where the pages of each category are among pages that are ordered by category."""
    of = np.asarray(category)[np.asarray(pages)]
    values, starts = np.unique(of, return_index=True)
    ends = np.append(starts, len(of))[1:]
    return {
        int(value): slice(int(start), int(end))
        for value, start, end in zip(values, starts, ends, strict=True)
    }
