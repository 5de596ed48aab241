"""Users with known tastes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

SETTINGS: dict[str, Any] = {"k": None, "seed": 0, "accept_weight": 3.0, "min_visits": 3}


def world() -> tuple[sparse.csr_matrix, sparse.csr_matrix, np.ndarray]:
    """12 users, 30 pages in 3 categories; user u reads pages of category u % 3 only."""
    rng = np.random.default_rng(0)
    visits = np.zeros((12, 30), int)
    for user in range(12):
        theme = user % 3
        visits[user, 10 * theme : 10 * theme + 10] = rng.poisson(1, 10) + (np.arange(10) < 3)
    category = np.repeat(np.arange(3), 10).astype(np.int32)
    return sparse.csr_matrix(visits), sparse.csr_matrix(np.zeros((12, 30), int)), category


def affinities(counts: Any) -> sparse.csr_array:
    """Counts as affinities."""
    return sparse.csr_array(counts, dtype=float)


def many_communities(
    groups: int, visits: int = 6, size: int = 20
) -> tuple[sparse.csr_array, np.ndarray]:
    """1,000 users in groups that share no page, so many visits each in so many pages."""
    rng = np.random.default_rng(0)
    pages = rng.integers(0, size, (1_000, visits)) + size * (np.arange(1_000) % groups)[:, None]
    users = np.repeat(np.arange(1_000), visits)
    shape = (1_000, size * groups)
    seen = sparse.csr_array((np.ones(len(users)), (users, pages.ravel())), shape)
    return seen, np.full(size * groups, -1, np.int32)
