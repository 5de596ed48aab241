"""[2][4] The nearest community of a user by visits: affinities in, features or a community out.

The batch and the service measure a user by this same code, so that a visitor who comes up between
two batches gets the community that the last one would have given them.

A feature is what a page or a category is worth to a user: ``log(1 + affinity)`` times the column's
inverse document frequency. Pages and categories are brought to length 1, each for themselves, then
categories count `CATEGORY_WEIGHT`, and the whole is brought to length 1. A community is the mean
direction of its members; the nearest is the one at the smallest angle (spherical k-means: Dhillon
and Modha, Concept decompositions for large sparse text data using clustering, 2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from webrec.domain.sorted_numbers import positions_of
from webrec.domain.types import Arrays

CATEGORY_WEIGHT = 0.25
"""What the categories of a user weigh beside the pages, each of length 1: a user who shares a page
with others has more in common with them than one who shares a category only."""

_SAME_COSINE = 1e-9
"""Cosines that differ by no more are equal: the order of floating-point sums decides nothing."""


class Rows(NamedTuple):
    """Sparse rows, as CSR has them (n rows, m entries).

    Attributes:
        ends: (n + 1,), row i has the entries ``ends[i]`` to ``ends[i + 1]``.
        columns: (m,), of pages first, then of categories.
        values: float64 (m,), affinities or features.
    """

    ends: NDArray[np.integer[Any]]
    columns: NDArray[np.integer[Any]]
    values: NDArray[np.float64]


def features(affinities: Rows, idf: NDArray[np.float64], n_pages: int) -> NDArray[np.float64]:
    """The features of every entry.

    Args:
        idf: by column.
        n_pages: how many columns are pages'.

    Returns:
        Float64 (m,); a row has length 1, or 0 where it has no affinity.
    """
    ends, columns, values = affinities
    row = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    is_category = columns >= n_pages
    half = 2 * row + is_category
    values = _unit(np.log1p(values) * idf[columns], half)
    return _unit(np.where(is_category, CATEGORY_WEIGHT * values, values), row)


def _unit(values: NDArray[np.float64], group: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """The values of every group at length 1, those of a group of zeros as they are."""
    lengths = np.sqrt(np.bincount(group, values * values))
    lengths[lengths == 0] = 1
    return np.asarray(values / lengths[group])


def nearest(rows: Rows, centroids: NDArray[np.float32]) -> NDArray[np.int32]:
    """The nearest community of each row of features.

    Args:
        centroids: see `UserClassifier`.

    Returns:
        Int32 (n,), community numbers, of equally near ones the smallest; -1 for a row that has
        nothing in common with any.
    """
    found = np.full(len(rows.ends) - 1, -1, np.int32)
    filled = np.flatnonzero(np.diff(rows.ends))
    if len(filled):
        shares = rows.values[:, None] * centroids[rows.columns]
        cosines = np.add.reduceat(shares, rows.ends[filled], axis=0)
        largest = cosines.max(axis=1, keepdims=True)
        first = (cosines >= largest - _SAME_COSINE).argmax(axis=1)
        found[filled] = np.where(largest[:, 0] > 0, first, -1)
    return found


@dataclass(frozen=True, slots=True)
class UserClassifier:
    """The nearest centroid among a generation's communities (P pages, C categories, k communities).

    Attributes:
        pages: uint32 (P,), the pages that are columns, ascending.
        idf: float64 (P + C,), of the pages, then of the categories.
        centroids: float32 (P + C, k), columns of length 1; a page's or category's row is one
            stretch of memory.
        min_visits: visits a user needed for a community.
    """

    pages: NDArray[np.uint32]
    idf: NDArray[np.float64]
    centroids: NDArray[np.float32]
    min_visits: int

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As a generation holds it."""
        return {
            "pages": self.pages,
            "idf": self.idf,
            "centroids": self.centroids,
            "min_visits": np.array([self.min_visits], np.int64),
        }

    @classmethod
    def of(cls, arrays: Arrays) -> UserClassifier:
        """The inverse of `arrays`; mapped ones stay where they lie."""
        pages, idf, centroids = (np.asarray(arrays[n]) for n in ("pages", "idf", "centroids"))
        return cls(pages, idf, centroids, int(arrays["min_visits"][0]))

    def nearest_to(self, pages: Mapping[int, float], categories: Mapping[int, float]) -> int | None:
        """The nearest community of one user.

        Args:
            pages: affinities by page number.
            categories: affinities by category number.
        """
        affinities = self._row(pages, categories)
        values = features(affinities, self.idf, len(self.pages))
        found = int(nearest(affinities._replace(values=values), self.centroids)[0])
        return None if found < 0 else found

    def _row(self, pages: Mapping[int, float], categories: Mapping[int, float]) -> Rows:
        """Affinities as a row; pages that are no column are left out, as what weighs nothing is."""
        # of the columns' own type: numpy would search in a converted copy of them
        page = np.array(sorted(p for p, weight in pages.items() if weight), self.pages.dtype)
        is_column, at = positions_of(self.pages, page)
        category = sorted(category for category, weight in categories.items() if weight)
        known = page[is_column].tolist()
        columns = [*at.tolist(), *(len(self.pages) + c for c in category)]
        values = [*(pages[p] for p in known), *(categories[c] for c in category)]
        return Rows(
            np.array([0, len(columns)]), np.array(columns, np.intp), np.array(values, float)
        )
