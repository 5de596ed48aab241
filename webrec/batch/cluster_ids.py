"""[2] → [3] Old and new clusters in, an id for each new one out: what continues keeps its id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from hbase_schema import names
from webrec.batch.history import SiteHistory
from webrec.batch.steps import PageCategories, UserCommunities
from webrec.errors import NotFound
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables

MIN_OVERLAP = 0.25
"""The least share of members in common of clusters that are the same, see `take_over_ids`."""


def category_ids(
    tables: Tables, last: Generation | None, history: SiteHistory, categories: PageCategories
) -> list[str]:
    """An id for each category, by its number; matched with those of the last generation by URLs."""
    old: dict[str, set[str]] = {}
    if last is not None:
        with suppress(NotFound):  # a generation that lost its tables has no names to hand on
            for page in tables.pages.all(last.id):
                if page.category >= 0:
                    old.setdefault(last.category_ids[page.category], set()).add(page.url)
    new = _members([page.url for page in history.pages], categories.of_page)
    return take_over_ids(old, new, lambda: f"c{tables.meta.next_number(names.NEXT_CATEGORY)}")


def community_ids(
    tables: Tables, last: Generation | None, history: SiteHistory, communities: UserCommunities
) -> list[str]:
    """An id for each community, by its number; matched with those of the last one by visitors."""
    old: dict[str, set[str]] = {}
    if last is not None:
        with suppress(NotFound):  # as above
            for visitor, community in tables.profiles.communities(last.id):
                if community is not None:
                    old.setdefault(last.community_ids[community], set()).add(visitor)
    new = _members(history.visitors, communities.of_visitor)
    return take_over_ids(old, new, lambda: f"g{tables.meta.next_number(names.NEXT_COMMUNITY)}")


def take_over_ids(
    old: Mapping[str, AbstractSet[str]],
    new: Sequence[AbstractSet[str]],
    fresh: Callable[[], str],
    min_overlap: float = MIN_OVERLAP,
) -> list[str]:
    """Give every new cluster the id of the old one it continues, or a fresh one.

    The matching is one to one and shares the most members in all (Kuhn 1955). The overlap of a
    pair is its Jaccard index over the members that both generations know: a cluster that only
    grew, or lost pages that are gone, overlaps fully with its old self, however much it grew. A
    pair below ``min_overlap`` is never matched. A quarter lets the largest of up to four equal
    parts keep the id, and survives a re-clustering where three fifths of each side stay together
    (3/5 / 7/5 = 0.43); two clusters drawn at random out of 100 overlap by 0.005.

    Args:
        old: id to members, no member in two clusters; members are URLs (or visitor keys).
        new: the members of each new cluster, no member in two clusters.
        fresh: makes an id that was never given before.
        min_overlap: in (0, 1].

    Returns:
        One id per new cluster, in their order, no two the same.
    """
    ids = sorted(old)
    overlap, shared = _overlaps([old[i] for i in ids], new)
    shared[overlap < min_overlap] = 0
    rows, columns = linear_sum_assignment(shared, maximize=True)
    taken = {int(c): ids[r] for r, c in zip(rows, columns, strict=True) if shared[r, c]}
    return [taken.get(c) or fresh() for c in range(len(new))]


def _members(names_: Sequence[str], cluster_of: NDArray[np.int32]) -> list[AbstractSet[str]]:
    """The names in each cluster, by its number."""
    clusters: list[set[str]] = [set() for _ in range(int(cluster_of.max(initial=-1)) + 1)]
    for name, number in zip(names_, cluster_of.tolist(), strict=True):
        if number >= 0:
            clusters[number].add(name)
    return list(clusters)


def _overlaps(
    old: Sequence[AbstractSet[str]], new: Sequence[AbstractSet[str]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Jaccard index and number of shared members of each pair, both (n_old, n_new)."""
    row_of = {member: row for row, members in enumerate(old) for member in members}
    shared = np.zeros((len(old), len(new)), dtype=np.int64)
    for column, members in enumerate(new):
        for row, count in Counter(row_of[m] for m in members if m in row_of).items():
            shared[row, column] = count
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    return shared / np.maximum(union, 1), shared
