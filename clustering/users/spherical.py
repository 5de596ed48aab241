"""[2] Spherical k-means: rows of users' features in, communities and the members of each out.

A row belongs to the centroid at the smallest angle (Dhillon and Modha 2001).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustering import kmeans
from clustering.users.features import entries
from webrec.features.user_classifier import Rows, nearest

_NUMBERS_AT_ONCE = 1 << 22
"""Of users' entries times communities, that are worked out at once: 16 MB of shares, twice."""


def communities(
    rows: sparse.csr_array[np.float64], k: int, seed: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Put users into at most ``k`` communities.

    Returns:
        The community of each row, none empty, and the centroids, see `UserClassifier`: a row's
        community is the nearest of them.
    """
    centroids = _directions(kmeans.fit(_float32(rows), k, seed).centroids)
    used, labels = np.unique(assign(rows, centroids), return_inverse=True)
    return labels.astype(np.int32), np.ascontiguousarray(centroids[:, used])


def assign(rows: sparse.csr_array[np.float64], centroids: NDArray[np.float32]) -> NDArray[np.int32]:
    """The community of each row.

    A row that has nothing in common with any community goes to the largest, where it changes the
    least.
    """
    whole = entries(rows)
    most = max(1, _NUMBERS_AT_ONCE // centroids.shape[1])
    parts = (_part(whole, *part) for part in _parts(whole.ends, most))
    labels = np.concatenate([nearest(part, centroids) for part in parts])
    labels[labels < 0] = np.bincount(labels[labels >= 0], minlength=1).argmax()
    return labels


def _directions(means: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means (k, n_columns) as directions: (n_columns, k), of length 1.

    The length of a mean says how alike its members are. With it, a user of few visits
    would come to the most diffuse community, which is near to everything.
    """
    wide = means.astype(np.float64)
    lengths = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
    return np.asarray((wide / np.where(lengths > 0, lengths, 1)).T, dtype=np.float32)


def _parts(ends: NDArray[np.integer[Any]], most: int) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) of rows with at most so many entries, or of one row with more."""
    first, count = 0, len(ends) - 1
    while first < count:
        fitting = int(np.searchsorted(ends, ends[first] + most, side="right")) - 1
        last = max(first + 1, min(fitting, first + most))
        yield first, last
        first = last


def _part(rows: Rows, first: int, last: int) -> Rows:
    """Some rows, one after the other."""
    ends = rows.ends[first : last + 1]
    within = slice(int(ends[0]), int(ends[-1]))
    return Rows(ends - ends[0], rows.columns[within], rows.values[within])


def _float32(rows: sparse.csr_array[np.float64]) -> sparse.csr_array[np.float32]:
    """The same rows as scikit-learn takes them: it refuses 64-bit indices."""
    parts = (
        rows.data.astype(np.float32),
        rows.indices.astype(np.int32),
        rows.indptr.astype(np.int32),
    )
    return sparse.csr_array(parts, shape=rows.shape)
