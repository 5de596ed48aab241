"""How many communities there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clustering.users.communities import cluster_users
from clustering.users.community_count import auto_k, choose_k
from clustering.users.features import user_features
from tests.clustering.users.small_worlds import SETTINGS, affinities, many_communities


@pytest.mark.parametrize(
    ("count", "expected"), [(0, 1), (1, 2), (12, 3), (100, 4), (10_000, 8), (1_000_000, 16)]
)
def test_auto_k(count: int, expected: int) -> None:
    """The documented numbers of communities."""
    assert auto_k(count) == expected


@pytest.mark.parametrize(
    ("groups", "visited", "size", "expected"),
    [(12, 6, 20, 12), (6, 6, 20, 6), (1, 6, 320, 6), (3, 2, 10, 6)],
)
def test_twice_as_many_where_they_predict_better(
    groups: int, visited: Any, size: int, expected: int
) -> None:
    """12 communities out of 1,000 users are found where there are so many, else the rule's 6."""
    visits, category = many_communities(groups, visited, size)
    measured = user_features(visits, affinities(np.zeros((1_000, 0))))
    assert choose_k(visits, category, measured, 0) == expected


def test_few_users_are_no_validation() -> None:
    """The rule stands where a handful of pages left out would decide."""
    visits, category = many_communities(16)
    visits = visits[:200]
    measured = user_features(visits, affinities(np.zeros((200, 0))))
    assert choose_k(visits, category, measured, 0) == auto_k(200)


def test_a_number_given_is_not_tried() -> None:
    """What is asked for is what there is."""
    visits, category = many_communities(16)
    found = cluster_users(visits, visits * 0, category, **SETTINGS | {"k": 5})
    assert found.labels.max() + 1 == found.classifier.centroids.shape[1] == 5
