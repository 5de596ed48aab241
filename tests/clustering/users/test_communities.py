"""Tests of clustering.users.communities."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from clustering.users.communities import UserClusters, cluster_users
from tests.clustering.users.small_worlds import SETTINGS, world
from tests.support import msweb


def test_themes_become_communities() -> None:
    """Three kinds of readers are three communities, with the automatic number."""
    labels = cluster_users(*world(), **SETTINGS).labels
    assert labels.dtype == np.int32
    assert [len(set(labels[start::3])) for start in range(3)] == [1, 1, 1]
    assert set(labels) == {0, 1, 2}


def test_categories_join_readers_without_a_common_page() -> None:
    """Users who share no page but read the same category are together."""
    visits = sparse.csr_matrix(np.eye(12, dtype=int) * 3)
    category = (np.arange(12) % 3).astype(np.int32)
    labels = cluster_users(visits, visits * 0, category, **SETTINGS | {"k": 3}).labels
    assert [len(set(labels[start::3])) for start in range(3)] == [1, 1, 1]
    assert len(set(labels)) == 3


def test_min_visits_counts_repeats_and_not_accepts() -> None:
    """Three visits to one page are enough; two visits and nine accepts are not."""
    visits = sparse.csr_matrix([[3, 0], [1, 1], [1, 2], [0, 0]])
    accepts = sparse.csr_matrix([[0, 0], [9, 9], [0, 0], [0, 5]])
    labels = cluster_users(visits, accepts, np.zeros(2, np.int32), **SETTINGS).labels
    assert (labels >= 0).tolist() == [True, False, True, False]


def test_every_known_user_has_a_community() -> None:
    """Also who reads only uncategorised pages that nobody else reads."""
    visits, _, category = world()
    category[29] = -1
    alone = sparse.csr_matrix(([5], ([0], [29])), shape=(1, 30))
    others = sparse.csr_matrix(visits.toarray() * (np.arange(30) != 29))
    labels = cluster_users(
        sparse.vstack([others, alone], format="csr"),
        sparse.csr_matrix((13, 30), dtype=int),  # type: ignore[arg-type]
        category,
        **SETTINGS,
    ).labels
    assert (labels >= 0).all()


def test_only_lone_readers_of_uncategorised_pages() -> None:
    """Nothing to tell users by: they are all one community."""
    visits = sparse.csr_matrix(np.eye(4, dtype=int) * 5)
    labels = cluster_users(visits, visits * 0, np.full(4, -1, np.int32), **SETTINGS).labels
    assert labels.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_inputs(count: int) -> None:
    """Nobody, one, two."""
    visits = sparse.csr_matrix(np.full((count, 2), 3))
    labels = cluster_users(visits, visits, np.zeros(2, np.int32), **SETTINGS).labels
    assert labels.tolist() == [0] * count


def test_nobody_has_enough_visits() -> None:
    """Everyone stays without a community."""
    visits = sparse.csr_matrix(np.ones((2, 2), int))
    labels = cluster_users(visits, visits, np.zeros(2, np.int32), **SETTINGS).labels
    assert labels.tolist() == [-1, -1]


def test_same_seed_same_communities() -> None:
    """A second run gives the same labels; arrays and matrices count alike."""
    visits, accepts, category = world()
    first = cluster_users(visits, accepts, category, **SETTINGS)
    second = cluster_users(
        sparse.csr_array(visits), sparse.csr_array(accepts), category, **SETTINGS
    )
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.classifier.centroids, second.classifier.centroids)


def test_accepts_weigh() -> None:
    """What a user accepted draws him more than what he merely saw, if accepts weigh."""
    visits = np.zeros((10, 6), int)
    visits[:4, :3] = visits[4:8, 3:] = 2
    visits[8:] = 1
    accepts = np.zeros((10, 6), int)
    accepts[8, 3:] = accepts[9, :3] = 2
    category = np.array([0, 0, 0, 1, 1, 1], np.int32)
    labels = cluster_users(
        sparse.csr_matrix(visits), sparse.csr_matrix(accepts), category, **SETTINGS | {"k": 2}
    ).labels
    assert labels[8] == labels[4] != labels[0] == labels[9]


@pytest.mark.slow
def test_ten_thousand_users_of_two_hundred_thousand_pages() -> None:
    """The reference experiment's size takes less than half a minute."""
    rng = np.random.default_rng(0)
    rows, columns = np.repeat(np.arange(10_000), 40), rng.zipf(1.2, 400_000) % 200_000
    visits = sparse.csr_matrix((np.ones(400_000, int), (rows, columns)), shape=(10_000, 200_000))
    category = rng.integers(0, 100, 200_000, dtype=np.int32)
    start = time.perf_counter()
    labels = cluster_users(visits, visits * 0, category, **SETTINGS).labels
    assert time.perf_counter() - start < 30
    assert (labels >= 0).all()


def random_visits(seed: int) -> tuple[sparse.csr_array, sparse.csr_array, np.ndarray]:
    """Up to 80 users of up to 60 pages: ties, empty users, lone and uncategorised pages."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 80)), int(rng.integers(1, 60)))
    visits = rng.poisson(rng.choice([0.05, 0.2, 1.0]), shape) * rng.integers(1, 4, shape)
    accepts = rng.poisson(0.05, shape)
    category = rng.integers(-1, rng.integers(1, 6), shape[1]).astype(np.int32)
    return sparse.csr_array(visits), sparse.csr_array(accepts), category


def online(
    found: UserClusters, user: int, visits: Any, accepts: Any, category: Any, weight: float
) -> int | None:
    """The community of a user's own counts, one user at a time."""
    seen, followed = visits[[user]].toarray().ravel(), accepts[[user]].toarray().ravel()
    pages = {int(p): seen[p] + weight * followed[p] for p in np.flatnonzero(seen + followed)}
    of_category = {
        int(c): seen[category == c].sum() + weight * followed[category == c].sum()
        for c in {category[p] for p in pages} - {-1}
    }
    return found.classifier.nearest_to(pages, of_category)


@pytest.mark.parametrize("weight", [3.0, 0.1, 0.0])
def test_a_users_community_is_the_nearest_of_their_own_counts(weight: float) -> None:
    """A user with anything in common with others comes to the same community alone."""
    compared = 0
    for seed in range(60):
        given = random_visits(seed)
        found = cluster_users(*given, **SETTINGS | {"accept_weight": weight})
        if found.classifier is None:
            continue
        for user in np.flatnonzero(found.labels >= 0):
            alone = online(found, user, *given, weight)  # type: ignore[arg-type]
            assert alone in (found.labels[user], None), f"user {user} of seed {seed}"
            compared += alone is not None
        assert np.allclose(np.linalg.norm(found.classifier.centroids, axis=0), 1)
        assert found.classifier.min_visits == 3
    assert compared > 500


@pytest.mark.slow
def test_real_users_come_to_their_own_community(real_data: Path) -> None:
    """Every real user with enough visits, alone as in the batch."""
    areas, cases = msweb.read(real_data)
    number_of = {area: number for number, area in enumerate(sorted(areas))}
    pages = [number_of[area] for case in cases for area in case]
    ends = np.cumsum([0, *map(len, cases)])
    visits = sparse.csr_array((np.ones(len(pages), int), pages, ends), (len(cases), len(areas)))
    category = (np.arange(visits.shape[1]) % 8 - 1).astype(np.int32)
    found = cluster_users(visits, visits * 0, category, **SETTINGS)
    known = np.flatnonzero(found.labels >= 0)
    assert len(known) > 14_000
    for user in known:
        own = dict.fromkeys(visits[[user]].indices.tolist(), 1.0)
        numbers, counts = np.unique(category[list(own)], return_counts=True)
        of_category = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
        of_category.pop(-1, None)
        assert found.classifier.nearest_to(own, of_category) == found.labels[user]


def test_who_visited_little_does_not_come_to_those_who_visit_everything() -> None:
    """A reader of one theme's page is with that theme, not with a crowd without direction."""
    rng = np.random.default_rng(1)
    visits = np.zeros((120, 40), int)
    for user in range(90):
        theme = user % 3
        visits[user, 10 * theme + rng.choice(10, 6, replace=False)] = 1
    for user in range(90, 120):
        visits[user, rng.choice(40, 4, replace=False)] = 1
    given = sparse.csr_array(visits)
    found = cluster_users(given, given * 0, np.full(40, -1, np.int32), **SETTINGS | {"k": 4})
    themes = [np.bincount(found.labels[theme:90:3]).argmax() for theme in range(3)]
    came = [found.classifier.nearest_to({p: 1.0}, {}) for p in range(30)]
    assert sum(at == themes[p // 10] for p, at in enumerate(came)) >= 29
