"""Tests of clustering.kmeans."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from clustering import kmeans


def blobs(rows: int, centres: int = 3) -> np.ndarray:
    """Rows in turn around ``centres`` corners far from each other."""
    noise = np.random.default_rng(0).normal(0, 0.05, (rows, 8))
    return (np.eye(8)[np.arange(rows) % centres] + noise).astype(np.float32)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_finds_separate_groups(form: Any) -> None:
    """Three groups far from each other are three clusters, dense or sparse."""
    labels = kmeans.fit(form(blobs(60)), 3, seed=0).labels
    assert labels.dtype == np.int32
    assert sorted(len(set(labels[start::3])) for start in range(3)) == [1, 1, 1]
    assert set(labels) == {0, 1, 2}


def test_settles_all_rows_when_there_are_more_than_the_sample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Past the sample every row gets a cluster, of the same groups."""
    monkeypatch.setattr(kmeans, "SAMPLE_ROWS", 30)
    found = kmeans.fit(blobs(300), 3, seed=0)
    assert [len(set(found.labels[start::3])) for start in range(3)] == [1, 1, 1]
    assert np.allclose(found.centroids[found.labels[:3]], np.eye(8)[:3], atol=0.05)


def test_same_seed_same_clusters_whatever_the_threads() -> None:
    """Neither a second run nor another number of threads changes a label."""
    rows = np.random.default_rng(1).normal(size=(2_000, 16)).astype(np.float32)
    first = kmeans.fit(rows, 9, seed=4)
    with threadpool_limits(limits=1):
        second = kmeans.fit(rows, 9, seed=4)
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.centroids, second.centroids)


def test_fewer_distinct_rows_than_clusters() -> None:
    """Equal rows share a cluster; numbers have no gap and no cluster is empty."""
    rows = np.repeat(np.eye(2, dtype=np.float32), 4, axis=0)
    found = kmeans.fit(rows, 5, seed=0)
    assert set(found.labels) == {0, 1}
    assert found.centroids.shape == (2, 2)


def test_no_columns() -> None:
    """Rows that say nothing are all one cluster."""
    assert kmeans.fit(np.zeros((3, 0), np.float32), 2, seed=0).labels.tolist() == [0, 0, 0]


def test_more_clusters_than_rows() -> None:
    """One row is one cluster, however many are wanted."""
    assert kmeans.fit(np.ones((1, 3), np.float32), 7, seed=0).labels.tolist() == [0]
