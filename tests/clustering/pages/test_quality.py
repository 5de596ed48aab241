"""Tests of clustering.pages.quality."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from clustering.pages import quality


def test_known_answer() -> None:
    """Two tight groups far apart: silhouette near 1, shares as counted."""
    rows = np.array([[1, 0], [1, 0.01], [1, 0.02], [0, 1]], np.float32)
    figures = quality.page_quality(rows, np.array([0, 0, 0, 1], np.int32), seed=0)
    assert figures["clusters"] == 2
    assert figures["largest_share"] == pytest.approx(0.75)
    assert figures["smallest_share"] == pytest.approx(0.25)
    assert figures["silhouette"] == pytest.approx(0.75, abs=0.01)


def test_distance_is_of_angles() -> None:
    """By hand: cosine distances 0.4, 1 and 0.2 make (0.6 - 0.5 + 0) / 3."""
    rows = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    figures = quality.page_quality(rows, np.array([0, 0, 1], np.int32), seed=0)
    assert figures["silhouette"] == pytest.approx(0.1 / 3, abs=1e-4)


def test_rows_without_a_cluster_do_not_count() -> None:
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
def test_no_silhouette_of_one_cluster_or_of_single_rows(labels: list[int]) -> None:
    """Where the silhouette has no meaning it is 0."""
    figures = quality.page_quality(np.eye(3, dtype=np.float32), np.array(labels, np.int32), seed=0)
    assert figures["silhouette"] == 0


def test_nothing_in_a_cluster() -> None:
    """No row in a cluster, no figures."""
    assert quality.page_quality(np.eye(2, dtype=np.float32), np.full(2, -1, np.int32), 0) == {}


def test_sample_is_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large input is measured on a sample, the same for the same seed; sparse rows do as well."""
    monkeypatch.setattr(quality, "SAMPLE_ROWS", 20)
    rows = sparse.csr_array(np.random.default_rng(0).random((200, 6), np.float32))
    labels = (np.arange(200) % 4).astype(np.int32)
    first, second, other = (quality.page_quality(rows, labels, seed) for seed in (1, 1, 2))
    assert first == second != other


def test_sites_that_make_up_clusters() -> None:
    """Cluster 0 is nine tenths one small site: its ten rows of forty; the other two are mixed."""
    hosts = ["small"] * 9 + ["a"] + ["a", "b", "c"] * 10
    labels = np.array([0] * 10 + [1, 2, 1, 2, 1, 2] * 5, np.int32)
    assert quality.site_quality(hosts, labels)["site_share"] == pytest.approx(10 / 40)


def test_a_large_site_makes_no_clusters_of_its_own() -> None:
    """Where nearly all pages are of one site, so is every cluster, and nothing follows from it."""
    figures = quality.site_quality(["site"] * 19 + ["other"], np.arange(20, dtype=np.int32) % 4)
    assert figures["site_share"] == 0


def test_sites_and_clusters_in_common() -> None:
    """Their mutual information is 1 where they are the same, 0 where they are independent."""
    alternating = np.array([0, 1] * 4, np.int32)
    same = quality.site_quality(["a", "b"] * 4, alternating)
    independent = quality.site_quality(["a", "a", "b", "b"] * 2, alternating)
    assert same["site_nmi"] == pytest.approx(1)
    assert independent["site_nmi"] == pytest.approx(0, abs=1e-9)


def test_agreement_known_answer() -> None:
    """By hand: three of four in cluster 0 are x, both in 1 are y; the unlabelled do not count."""
    given = ["x", "x", "x", "y", "y", "y", None, "x"]
    labels = np.array([0, 0, 0, 0, 1, 1, 1, -1], np.int32)
    figures = quality.agreement(given, labels)
    assert figures["labelled"] == 6
    assert figures["labels_purity"] == pytest.approx(5 / 6)
    # entropies ln 2 (labels) and 0.6365 (clusters), mutual information 0.3183
    assert figures["labels_nmi"] == pytest.approx(0.3183 / ((0.6931 + 0.6365) / 2), abs=1e-3)
    # 4 pairs together in both, 6 by labels, 7 by clusters, of 15
    assert figures["labels_ari"] == pytest.approx((4 - 6 * 7 / 15) / (6.5 - 6 * 7 / 15))


def test_agreement_without_labels() -> None:
    """Nothing to compare, no figures but that."""
    assert quality.agreement([None, "x"], np.array([0, -1], np.int32)) == {"labelled": 0.0}
