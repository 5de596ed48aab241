"""The profiles of a synthetic model: drawn by the tastes of communities, summed up meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from webrec.bench.synthetic_model.population import Longs, Population
from webrec.bench.synthetic_model.spec import ACCEPT_WEIGHT, SyntheticModelSpec
from webrec.domain.progress import Progress
from webrec.model.co_visit_scorer import MOST_SEEN
from webrec.synthetic.ground_truth import Ints
from webrec.tables.rows import Counts, ProfileRow

_ENTRIES_AT_ONCE = 2_000_000
"""Entries of profiles drawn at a time: a hundred megabytes or two."""

_ROUNDS_BY_TASTE = 8
"""After so many rounds what is missing is drawn evenly: popularity would take long to find it."""

_ACCEPTED = 0.05
"""The share of a profile's URLs that were accepted once."""


class CommunityTotals:
    """The visits and accepts of each page by the members of each community, as they are written.

    Attributes:
        visits, accepts: uint32 (communities, urls).
    """

    def __init__(self, spec: SyntheticModelSpec) -> None:
        self.visits = np.zeros((spec.communities, spec.urls), np.uint32)
        self.accepts = np.zeros((spec.communities, spec.urls), np.uint32)

    def add(self, communities: Ints, drawn: DrawnProfiles) -> None:
        """Count the profiles of some users.

        Args:
            communities: of these users.
        """
        cells = communities[drawn.owners].astype(np.int64) * self.visits.shape[1] + drawn.pages
        np.add.at(self.visits.reshape(-1), cells, drawn.visits)
        np.add.at(self.accepts.reshape(-1), cells, drawn.accepts)

    def affinity(self) -> NDArray[np.float64]:
        """Total affinity of each page: float64 (urls,)."""
        found: NDArray[np.float64] = self.visits.sum(axis=0) + ACCEPT_WEIGHT * self.accepts.sum(
            axis=0
        )
        return found


class DrawnProfiles(NamedTuple):
    """The profiles of some users end to end: by user, then by page.

    Attributes:
        owners: int64 (m,), the index of each entry's user among these users.
        pages: int64 (m,), page numbers.
        visits, accepts: uint32 (m,).
    """

    owners: Longs
    pages: Longs
    visits: NDArray[np.uint32]
    accepts: NDArray[np.uint32]


def profiles(
    population: Population, totals: CommunityTotals, progress: Progress
) -> Iterator[tuple[str, ProfileRow]]:
    """Draw the profiles, and add them to the totals."""
    spec = population.spec
    rng = population.truth.stream("profiles")
    step = max(1, _ENTRIES_AT_ONCE // spec.profile_urls)
    for start in range(0, spec.users, step):
        progress("writing profiles", start, spec.users)
        part = slice(start, start + step)
        communities = population.truth.user_community[population.users[part]]
        drawn = _draw(population, rng, communities)
        totals.add(communities, drawn)
        rows = _rows(population, len(communities), drawn)
        for visitor, row, community in zip(
            population.visitors[part], rows, communities.tolist(), strict=True
        ):
            last = rng.permutation(row[0].numbers)[:MOST_SEEN]
            yield visitor, ProfileRow(*row, community, last)
    progress("writing profiles", spec.users, spec.users)


def _draw(population: Population, rng: np.random.Generator, communities: Ints) -> DrawnProfiles:
    """Draw one profile for each community of the argument.

    A round draws as many visits as URLs are missing, so that no profile gets too many.
    """
    n, wanted = population.spec.urls, population.spec.profile_urls
    visits = np.empty(0, np.int64)  # user's index and page in one number, once for every visit
    firsts = np.empty(0, np.int64)  # where the visits of each user and page begin
    missing = np.full(len(communities), wanted)
    rounds = 0
    while missing.any():
        owners = np.repeat(np.arange(len(communities)), missing)
        if rounds < _ROUNDS_BY_TASTE:
            pages = population.draw_pages(rng, communities[owners])
        else:
            pages = rng.integers(n, size=len(owners))
        # sorted here, since NumPy's own search for unique numbers takes ten times as long
        visits = np.sort(np.concatenate([visits, owners * n + pages]))
        firsts = np.flatnonzero(np.diff(visits, prepend=-1))
        missing = wanted - np.bincount(visits[firsts] // n, minlength=len(communities))
        rounds += 1
    entries, counts = visits[firsts], np.diff(firsts, append=len(visits))
    accepts = rng.random(len(entries)) < _ACCEPTED
    return DrawnProfiles(
        entries // n, entries % n, counts.astype(np.uint32), accepts.astype(np.uint32)
    )


def _rows(
    population: Population, users: int, drawn: DrawnProfiles
) -> Iterator[tuple[Counts, Counts, Counts, Counts]]:
    """The four parts of each user's profile."""
    cats = drawn.owners * population.spec.categories + population.category[drawn.pages]
    accepted = drawn.accepts > 0
    return zip(
        _split(users, drawn.owners, drawn.pages, drawn.visits),
        _by_category(population, users, cats, drawn.visits),
        _split(users, drawn.owners[accepted], drawn.pages[accepted], drawn.accepts[accepted]),
        _by_category(population, users, cats, drawn.accepts),
        strict=True,
    )


def _by_category(
    population: Population, users: int, cats: Longs, counts: NDArray[np.uint32]
) -> Iterator[Counts]:
    """What each user has in each category.

    Args:
        cats: int64 (m,), the entry's user times the number of categories, plus its category.
        counts: uint32 (m,).
    """
    categories = population.spec.categories
    sums = np.bincount(cats, counts, minlength=users * categories)
    there = np.flatnonzero(sums)
    return _split(users, there // categories, there % categories, sums[there])


def _split(users: int, owners: Longs, numbers: Longs, counts: NDArray[Any]) -> Iterator[Counts]:
    """Cut entries, which are in the order of their owners, into those of each user."""
    bounds = np.searchsorted(owners, np.arange(users + 1)).tolist()
    all_numbers, all_counts = numbers.astype(np.uint32), counts.astype(np.uint32)
    for start, end in pairwise(bounds):
        yield Counts(all_numbers[start:end], all_counts[start:end])
