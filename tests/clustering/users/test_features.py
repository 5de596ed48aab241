"""The features of users."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.users import features
from clustering.users.features import user_features
from tests.clustering.users.small_worlds import affinities, world


def test_features_are_bounded_and_of_length_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many URLs, the columns are the strongest URLs and the categories."""
    monkeypatch.setattr(features, "URL_COLUMNS", 5)
    visits, _, _ = world()
    by_category = np.add.reduceat(visits.toarray(), [0, 10, 20], axis=1)
    rows = user_features(affinities(visits), affinities(by_category)).rows
    assert rows.shape == (12, 5 + 3)
    assert np.allclose(np.sqrt(rows.power(2).sum(axis=1)), 1)


def test_a_page_that_all_users_read_tells_least() -> None:
    """The start page, which all visit, weighs less than a page of few."""
    visits = np.zeros((8, 5))
    visits[:, 0] = 1
    visits[np.arange(8), 1 + np.arange(8) // 2] = 1
    rows = user_features(affinities(visits), affinities(np.zeros((8, 0)))).rows.toarray()
    assert 0 < rows[0, 0] < rows[0, 1]
