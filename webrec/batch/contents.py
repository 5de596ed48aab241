"""[2] → [3] What a batch learned in, the rows of a generation's tables out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hbase_schema.cells import PageCell
from webrec.batch.history import SiteHistory
from webrec.batch.matrices import Pairs, by_category, strongest
from webrec.batch.steps import Findings
from webrec.model.co_visit_scorer import MOST_SEEN
from webrec.tables.generations import Generation
from webrec.tables.rows import CategoryRow, Counts, ProfileRow


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a generation is made of.

    Attributes:
        generation: what it is, with the ids of its clusters.
        history: what its pages and visitors did.
        found: what its learners found.
        profile_urls: how many pages of a visitor a profile keeps.
    """

    generation: Generation
    history: SiteHistory
    found: Findings
    profile_urls: int


class UserRows:
    """The rows of communities and of profiles, which are cut from the same matrices.

    Visits and accepts are cut to the strongest pages of each visitor; those by category are of all
    pages, kept or not.
    """

    def __init__(self, contents: Contents) -> None:
        generation, history, found = contents.generation, contents.history, contents.found
        visits, accepts = history.visits(), history.accepts()
        kept = strongest(visits, accepts, generation.accept_weight, contents.profile_urls)
        of_page = found.categories.of_page
        self._generation = generation
        self._history = history
        self._community = found.communities.of_visitor
        self._visits, self._accepts = kept
        self._visits_by_category = by_category(visits, of_page)
        self._accepts_by_category = by_category(accepts, of_page)

    def communities(self) -> Iterator[tuple[str, ProfileRow, int]]:
        """The id, the row and the number of members of each community, by its number."""
        for number, community_id in enumerate(self._generation.community_ids):
            members = np.flatnonzero(self._community == number)
            sums: list[NDArray[np.int64]] = [
                np.asarray(m[members].sum(axis=0)).ravel() for m in self._matrices()
            ]
            affinity = sums[0] + self._generation.accept_weight * sums[1]
            pages = np.flatnonzero(sums[0])
            pages = pages[np.lexsort((pages, -affinity[pages]))]
            row = ProfileRow(
                Counts(pages.astype(np.uint32), sums[0][pages].astype(np.uint32)),
                _nonzero(sums[2]),
                _nonzero(sums[1]),
                _nonzero(sums[3]),
                number,
            )
            yield community_id, row, len(members)

    def profiles(self) -> Iterator[tuple[str, ProfileRow]]:
        """The key and the row of each visitor, in the order of the keys."""
        visits, accepts, visits_by_category, accepts_by_category = self._matrices()
        for matrix in self._matrices():
            matrix.sort_indices()
            matrix.eliminate_zeros()
        last_visits = self._history.last_visits()
        for user, visitor in enumerate(self._history.visitors):
            community = int(self._community[user])
            row = ProfileRow(
                _row(visits, user),
                _row(visits_by_category, user),
                _row(accepts, user),
                _row(accepts_by_category, user),
                community if community >= 0 else None,
                _last(last_visits, user),
            )
            yield visitor, row

    def _matrices(self) -> tuple[Pairs, Pairs, Pairs, Pairs]:
        return self._visits, self._accepts, self._visits_by_category, self._accepts_by_category


def page_cells(contents: Contents) -> list[PageCell]:
    """The cell of each page, by its number."""
    history = contents.history
    return [
        PageCell(page.url, number, category, visits, accepts)
        for number, (page, category, visits, accepts) in enumerate(
            zip(
                history.pages,
                contents.found.categories.of_page.tolist(),
                history.page_visits.tolist(),
                history.page_accepts.tolist(),
                strict=True,
            )
        )
    ]


def category_rows(contents: Contents) -> Iterator[tuple[str, CategoryRow]]:
    """The id and the row of each category, by its number."""
    generation, history = contents.generation, contents.history
    categories = contents.found.categories
    totals = history.page_visits + generation.accept_weight * history.page_accepts
    for number, category_id in enumerate(generation.category_ids):
        pages = np.flatnonzero(categories.of_page == number)
        pages = pages[np.lexsort((pages, -totals[pages]))]
        row = CategoryRow(
            pages.astype(np.uint32),
            list(categories.keywords[number]),
            float(totals[pages].sum()),
        )
        yield category_id, row


def _last(last_visits: Pairs, user: int) -> NDArray[np.uint32]:
    """The pages a user visited last, the last one first; of one moment by number."""
    row = _row(last_visits, user)
    part = slice(last_visits.indptr[user], last_visits.indptr[user + 1])
    order = np.lexsort((row.numbers, -last_visits.data[part]))
    return row.numbers[order[:MOST_SEEN]]


def _row(matrix: Pairs, index: int) -> Counts:
    part = slice(matrix.indptr[index], matrix.indptr[index + 1])
    return Counts(matrix.indices[part].astype(np.uint32), matrix.data[part].astype(np.uint32))


def _nonzero(sums: NDArray[np.int64]) -> Counts:
    numbers = np.flatnonzero(sums)
    return Counts(numbers.astype(np.uint32), sums[numbers].astype(np.uint32))
