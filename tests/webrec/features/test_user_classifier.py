"""The features of users, and their nearest community."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from webrec.features.user_classifier import CATEGORY_WEIGHT, Rows, UserClassifier, features, nearest

IDF = np.array([1.0, 2.0, 1.0, 4.0])  # two pages, two categories


def rows(*users: dict[int, float]) -> Rows:
    """Users by their affinity for each column."""
    ends = np.cumsum([0, *map(len, users)])
    columns = np.array([column for user in users for column in user], np.intp)
    return Rows(ends, columns, np.array([a for user in users for a in user.values()], float))


def featured(*users: dict[int, float]) -> Rows:
    """Their features."""
    given = rows(*users)
    return given._replace(values=features(given, IDF, 2))


def classifier(**changed: object) -> UserClassifier:
    """Pages 3 and 7, two categories, three communities: of page 3, of page 7, of category 1."""
    centroids = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]], np.float32)
    fields = {"pages": np.array([3, 7], np.uint32), "idf": IDF, "centroids": centroids}
    return UserClassifier(**{**fields, "min_visits": 3, **changed})  # type: ignore[arg-type]


def test_a_feature_is_the_damped_affinity_by_what_the_column_tells() -> None:
    """Within pages, and within categories: log(1 + affinity) times idf, at any common scale."""
    page, other, category, rare = featured({0: 1, 1: 3, 2: 7, 3: 7}).values
    assert other / page == pytest.approx(2 * log(4) / log(2))
    assert rare / category == pytest.approx(4)


def test_categories_count_a_quarter_of_pages_and_rows_have_length_one() -> None:
    """Both halves have a length of their own first, however many entries there are."""
    values = featured({0: 5, 1: 1, 3: 9}).values
    assert values[2] / np.hypot(*values[:2]) == pytest.approx(CATEGORY_WEIGHT)
    assert np.square(values).sum() == pytest.approx(1)
    assert featured({3: 2}).values.tolist() == [1]


def test_users_do_not_touch_each_other() -> None:
    """The features of many users are exactly those of each alone."""
    users: list[dict[int, float]] = [{0: 1, 2: 1}, {}, {1: 4.3, 3: 0.1}, {0: 2, 1: 2, 2: 3}]
    together = featured(*users).values
    assert together.tolist() == [v for user in users for v in featured(user).values.tolist()]
    labels = nearest(featured(*users), classifier().centroids)
    assert labels.tolist() == [nearest(featured(u), classifier().centroids)[0] for u in users]


def test_nearest_is_the_smallest_angle() -> None:
    """Not the smallest distance: how much a user visited does not matter."""
    centroids = np.array([[1, 0.6], [0, 0.8]], np.float32)
    found = nearest(
        Rows(np.array([0, 1, 3]), np.array([0, 0, 1]), np.array([9, 0.5, 0.5])), centroids
    )
    assert found.tolist() == [0, 1]


def test_of_equally_near_communities_the_first() -> None:
    """Also where floating point sums differ by their order."""
    centroids = np.array([[0, 0.6, 0.6], [0, 0.8, 0.8]], np.float32)
    assert nearest(rows({0: 1, 1: 1}), centroids).tolist() == [1]
    slightly = np.array([[1e-11, 0]])
    row = rows({0: 1})
    assert nearest(row, np.array([[0.5, 0.5]]) + slightly[:, ::-1]).tolist() == [0]
    assert nearest(row, np.array([[0.5, 0.5]]) + 1e6 * slightly[:, ::-1]).tolist() == [1]  # type: ignore[arg-type]


def test_nothing_in_common_is_no_community() -> None:
    """No entries, or entries that no community has."""
    assert nearest(rows({}, {2: 1}, {3: 1}), classifier().centroids).tolist() == [-1, -1, 2]


def test_one_user_by_page_and_category_numbers() -> None:
    """Pages that are no column, and what weighs nothing, are as if they were not there."""
    assert classifier().nearest_to({3: 1.0}, {0: 1.0}) == 0
    assert classifier().nearest_to({7: 1.0, 5: 99.0, 8: 99.0, 0: 9.0}, {}) == 1
    assert classifier().nearest_to({3: 0.0}, {1: 2.0, 0: 0.0}) == 2
    assert classifier().nearest_to({3: 0.0}, {}) is None
    assert classifier().nearest_to({4: 1.0}, {}) is None
    assert classifier().nearest_to({}, {}) is None


def test_without_pages_categories_decide() -> None:
    """As where no page has two readers."""
    alone = classifier(
        pages=np.array([], np.uint32), idf=IDF[2:], centroids=classifier().centroids[2:]
    )
    assert alone.nearest_to({3: 1.0}, {1: 1.0}) == 2


def test_arrays_there_and_back() -> None:
    """A generation holds the classifier as arrays."""
    back = UserClassifier.of(classifier().arrays())
    assert back.min_visits == 3
    assert back.nearest_to({7: 1.0}, {}) == 1
    assert {name: a.tolist() for name, a in back.arrays().items()} == {
        name: a.tolist() for name, a in classifier().arrays().items()
    }
