"""Users and the nearest community."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from clustering.users import spherical
from webrec.features.user_classifier import Rows, nearest


def test_what_is_worked_out_at_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By entries times communities, however many a user has; the communities are the same."""
    rng = np.random.default_rng(5)
    sizes = [0, 3, 60, 0, 0, 1, 7, 7, 2, 0]
    columns = np.concatenate([np.sort(rng.permutation(80)[:n]) for n in sizes])
    rows = sparse.csr_array(
        (rng.random(len(columns)), columns, np.cumsum([0, *sizes])), shape=(len(sizes), 80)
    )
    centroids = rng.random((80, 4)).astype(np.float32)
    whole = spherical.assign(rows, centroids)
    parts: list[tuple[int, int]] = []

    def counted(part: Rows, centroids: NDArray[np.float32]) -> NDArray[np.int32]:
        parts.append((len(part.ends) - 1, len(part.columns)))
        return nearest(part, centroids)

    monkeypatch.setattr(spherical, "nearest", counted)
    monkeypatch.setattr(spherical, "_NUMBERS_AT_ONCE", 40)
    assert np.array_equal(spherical.assign(rows, centroids), whole)
    assert parts == [(2, 3), (1, 60), (4, 8), (3, 9)]
