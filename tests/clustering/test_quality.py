"""Tests of clustering.quality."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from clustering import quality


def test_known_answer():
    """Two tight groups far apart: silhouette near 1, shares as counted."""
    rows = np.array([[1, 0], [1, 0.01], [1, 0.02], [0, 1]], np.float32)
    figures = quality.page_quality(rows, np.array([0, 0, 0, 1], np.int32), seed=0)
    assert figures["clusters"] == 2
    assert figures["largest_share"] == pytest.approx(0.75)
    assert figures["smallest_share"] == pytest.approx(0.25)
    assert figures["silhouette"] == pytest.approx(0.75, abs=0.01)


def test_distance_is_of_angles():
    """By hand: cosine distances 0.4, 1 and 0.2 make (0.6 - 0.5 + 0) / 3."""
    rows = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    figures = quality.page_quality(rows, np.array([0, 0, 1], np.int32), seed=0)
    assert figures["silhouette"] == pytest.approx(0.1 / 3, abs=1e-4)


def test_unplaced_rows_do_not_count():
    """Rows without a cluster are in no figure."""
    rows = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2]]
    figures = quality.page_quality(rows, np.array([0, 0, 1, 1, -1], np.int32), seed=0)
    assert figures == {
        "clusters": 2,
        "largest_share": 0.5,
        "smallest_share": 0.5,
        "silhouette": pytest.approx(1),
    }


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_no_silhouette_of_one_cluster_or_of_single_rows(labels):
    """Where the silhouette has no meaning it is 0."""
    figures = quality.page_quality(np.eye(3, dtype=np.float32), np.array(labels, np.int32), seed=0)
    assert figures["silhouette"] == 0


def test_nothing_placed():
    """No row placed, no figures."""
    assert quality.page_quality(np.eye(2, dtype=np.float32), np.full(2, -1, np.int32), 0) == {}


def test_sample_is_seeded(monkeypatch):
    """A large input is judged on a sample, the same for the same seed; sparse rows do as well."""
    monkeypatch.setattr(quality, "SAMPLE_ROWS", 20)
    rows = sparse.csr_array(np.random.default_rng(0).random((200, 6), np.float32))
    labels = (np.arange(200) % 4).astype(np.int32)
    first, second, other = (quality.page_quality(rows, labels, seed) for seed in (1, 1, 2))
    assert first == second != other
