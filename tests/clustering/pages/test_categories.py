"""Tests of clustering.pages."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.pages.categories import auto_k, cluster_pages
from webrec.domain.types import Page
from webrec.features.page_classifier import FeatureKind

KINDS = ["semantic", "tfidf"]
THEMES = {
    "pets": ["dog food", "puppy dog training", "dog breeds", "dog walking"],
    "football": ["football match", "football league", "football goals", "football stadium"],
    "code": ["python code", "python programming code", "python software", "python library"],
}

HEADLINES = ["today", "record", "people", "first", "week", "report", "plan", "story", "call"]


def pages(texts: list[str]) -> list[Page]:
    """One page per title."""
    return [Page(f"http://a/{number}", text) for number, text in enumerate(texts)]


@pytest.mark.parametrize("kind", KINDS)
def test_themes_become_categories(kind: FeatureKind) -> None:
    """Three themes are three categories."""
    found = cluster_pages(
        pages([text for texts in THEMES.values() for text in texts]), k=3, seed=0, kind=kind
    )
    assert [len(set(found.labels[i : i + 4])) for i in (0, 4, 8)] == [1, 1, 1]
    assert (
        len(set(found.labels)) == 3 == len(found.arrays["centroids"]) == found.quality["clusters"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_with_text_has_a_category(kind: FeatureKind) -> None:
    """Stop words, emoji and Chinese are text; only a page that says nothing has none."""
    texts = ["dogs", "cats", "the and of", "😀", "日本語のページ", "42", ".", "", "  "]
    labels = cluster_pages(pages(texts), k=3, seed=0, kind=kind).labels
    assert labels.dtype == np.int32
    assert (labels[:7] >= 0).all()
    assert labels[7:].tolist() == [-1, -1]
    assert set(labels) == set(range(-1, labels.max() + 1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [None, 3])
@pytest.mark.parametrize(
    ("texts", "expected"),
    [([], []), ([""], [-1]), (["x"], [0]), (["cat", ""], [0, -1]), (["cat"] * 9, [0] * 9)],
)
def test_tiny_inputs(
    kind: FeatureKind, k: int | None, texts: list[str], expected: list[int]
) -> None:
    """Nothing, one page, and many that say the same."""
    found = cluster_pages(pages(texts), k=k, seed=0, kind=kind)
    assert found.labels.tolist() == expected
    assert len(found.arrays.get("centroids", ())) == max(expected, default=-1) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_categories(kind: FeatureKind) -> None:
    """A second run gives the same labels."""
    texts = [f"{a} {b}" for a in ("red", "green", "blue") for b in ("car", "tea", "dog")]
    first, second = (cluster_pages(pages(texts), k=4, seed=7, kind=kind) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)
    assert first.arrays.keys() == second.arrays.keys()
    assert all(np.array_equal(first.arrays[name], second.arrays[name]) for name in first.arrays)
    assert first.quality == second.quality


@pytest.mark.parametrize(
    ("count", "expected"), [(0, 1), (1, 1), (30, 3), (1_000, 12), (10_000, 30), (200_000, 99)]
)
def test_auto_k(count: int, expected: int) -> None:
    """The documented numbers of categories."""
    assert auto_k(count) == expected


def test_auto_k_counts_pages_with_text() -> None:
    """Pages without text do not add categories."""
    texts = [f"word{chr(97 + i)}" for i in range(10)] + [""] * 500
    assert cluster_pages(pages(texts), k=None, seed=0).labels.max() + 1 == auto_k(10)


def test_progress_counts_pages_with_text() -> None:
    """At the end all pages with text are done."""
    calls: list[tuple[int, int]] = []
    cluster_pages(pages(["a", "b", ""]), k=2, seed=0, progress=lambda *each: calls.append(each))
    assert calls[-1] == (2, 2)


def test_a_series_of_one_site_counts_as_one_page() -> None:
    """Hundreds of pages that differ by a number alone draw no centroid to themselves."""
    rng = np.random.default_rng(0)
    themes = [
        Page(f"http://b/{theme}/{n}", " ".join(rng.choice(there, 2, replace=False)))
        for theme, there in THEMES.items()
        for n in range(8)
    ]
    comics = [Page(f"http://a/{n}", f"dog food comic strip #{n}") for n in range(300)]
    labels = cluster_pages([*themes, *comics], k=3, seed=0).labels
    assert [len(set(labels[i : i + 8])) for i in (0, 8, 16)] == [1, 1, 1]
    assert len(set(labels[:24])) == 3
    assert set(labels[24:]) == {labels[0]}


@pytest.mark.parametrize("kind", KINDS)
def test_the_names_of_sites_make_no_categories(kind: FeatureKind) -> None:
    """Two sites write about two themes, and name themselves at length in every title."""
    sites = {"a": "Roses Tulips Gardening Weekly", "b": "Engines Motors Driving Monthly"}
    both = {theme: THEMES[theme] for theme in ("pets", "code")}
    found = cluster_pages(
        [
            Page(f"http://{host}.example/{n}/{i}", f"{title} | {name}")
            for n, titles in enumerate(both.values())
            for host, name in sites.items()
            for i, title in enumerate([*titles, *titles[:2]])
        ],
        k=2,
        seed=0,
        kind=kind,
    )
    assert [len(set(found.labels[i : i + 12])) for i in (0, 12)] == [1, 1]
    assert len(set(found.labels)) == 2
    assert not any("Weekly" in text or "Monthly" in text for text in found.texts)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sections_of_one_site_become_its_categories(kind: FeatureKind) -> None:
    """Their names, in titles and paths, are no templates: they are on a fifth of the pages each."""
    rng = np.random.default_rng(3)
    sections = ["Football", "Politics", "Cooking", "Science", "Travel"]
    found = cluster_pages(
        [
            Page(
                f"https://news.example/{section.lower()}/{number}",
                " ".join(rng.choice(HEADLINES, 3)) + f" | {section} | The Daily Planet",
            )
            for section in sections
            for number in range(60)
        ],
        k=5,
        seed=0,
        kind=kind,
    )
    of_sections = found.labels.reshape(5, 60)
    assert [len(set(labels)) for labels in of_sections.tolist()] == [1] * 5
    assert len(set(of_sections[:, 0].tolist())) == 5
