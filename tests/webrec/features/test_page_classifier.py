"""Pages categorised one by one as the batch categorised them all."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from clustering.pages import features
from clustering.pages.categories import PageClusters, cluster_pages
from webrec.domain.types import Page
from webrec.features.boilerplate import Templates
from webrec.features.page_classifier import (
    FeatureKind,
    InformativeText,
    PageClassifier,
    informative_text,
)
from webrec.features.text import words

KINDS: list[FeatureKind] = ["semantic", "tfidf"]
THEMES = {
    "pets": "dog puppy kitten cat fur paw collar leash vet breed",
    "football": "football match league goal stadium referee penalty striker keeper cup",
    "code": "python code library compiler function variable software bug class loop",
}


def pages_of(rng: np.random.Generator, per_theme: int) -> list[Page]:
    """Pages of four words of their theme each, and a word that all themes have."""
    return [
        Page(f"https://a.example/{theme}/{n}", " ".join([*rng.choice(there.split(), 4), "news"]))
        for theme, there in THEMES.items()
        for n in range(per_theme)
    ]


def batch_of(
    pages: list[Page], kind: FeatureKind, k: int = 3
) -> tuple[PageClusters, PageClassifier]:
    """What the batch makes of pages, and the classifier it keeps."""
    found = cluster_pages(pages, k=k, seed=0, kind=kind)
    return found, PageClassifier(found.arrays)


def few_dimensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few pages be many enough for latent dimensions."""
    monkeypatch.setattr("clustering.pages.features.FEW_TEXTS", 10)
    monkeypatch.setattr("clustering.pages.features.DIMENSIONS", 8)


@pytest.mark.parametrize("is_latent", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_gets_the_category_that_the_batch_gave_it(
    monkeypatch: pytest.MonkeyPatch, kind: FeatureKind, is_latent: bool
) -> None:
    """Every page of a batch has its own category by its text alone, near enough to be in it."""
    if is_latent:
        few_dimensions(monkeypatch)
    pages = pages_of(np.random.default_rng(1), 40)
    found, classifier = batch_of(pages, kind, k=9)
    categorised = [classifier.category(page) for page in pages]
    refused = categorised.count(None)
    assert [p for p in categorised if p is not None] == [
        label for label, p in zip(found.labels.tolist(), categorised, strict=True) if p is not None
    ]
    assert refused <= 0.03 * len(pages)
    assert list(classifier.categories(pages)) == categorised


@pytest.mark.parametrize("is_latent", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_the_batchs(
    monkeypatch: pytest.MonkeyPatch, kind: FeatureKind, is_latent: bool
) -> None:
    """The same features to the last digits of single precision, kept in half as many."""
    if is_latent:
        few_dimensions(monkeypatch)
    pages = pages_of(np.random.default_rng(2), 30)
    found, classifier = batch_of(pages, kind)
    texts = [informative_text(page, Templates(found.arrays["templates"])) for page in pages]
    rows = features.learn(texts, kind).rows
    dense = rows if isinstance(rows, np.ndarray) else rows.toarray()
    np.testing.assert_allclose(classifier.rows(texts), dense, atol=2e-6)


def test_words_weigh_as_scikit_learn_weighs_them() -> None:
    """Sublinear TF-IDF of length 1, of a text the vocabulary was not made from."""
    texts = [page.title for page in pages_of(np.random.default_rng(3), 20)]
    known = TfidfVectorizer(analyzer=words, sublinear_tf=True, dtype=np.float32).fit(texts)
    _, classifier = batch_of(
        [Page(f"https://a.example/{n}", text) for n, text in enumerate(texts)], "tfidf"
    )
    text = "puppy puppy puppy match unheard-of code puppy"
    wanted = known.transform([text]).toarray()
    assert sorted(classifier.rows([InformativeText(text, "")])[0].tolist()) == pytest.approx(
        sorted(wanted[0].tolist())
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_page_goes_to_its_theme(kind: FeatureKind) -> None:
    """In words that the theme's pages have, and some of its own."""
    pages = pages_of(np.random.default_rng(4), 20)
    found, classifier = batch_of(pages, kind)
    for number, (theme, there) in enumerate(THEMES.items()):
        title = f"Zorblax {' '.join(there.split()[:5])}"
        category = classifier.category(Page(f"https://b.example/{theme}", title))
        assert category == np.bincount(found.labels[number * 20 : number * 20 + 20]).argmax()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text", ["", " ", "the of and", "xqzt blorf wumpus grumf", "12 345 6789", "😀", "这是一个页面"]
)
def test_a_text_without_known_words_has_no_category(kind: FeatureKind, text: str) -> None:
    """No text, only stop words, random letters, numbers, a language that no page is in."""
    _, classifier = batch_of(pages_of(np.random.default_rng(5), 20), kind)
    assert classifier.category(Page("https://b.example/", text)) is None


def test_too_far_has_no_category() -> None:
    """A text about something else, though one of its words is known."""
    _, classifier = batch_of(pages_of(np.random.default_rng(6), 20), "semantic")
    text = "Baking rye bread at home, with sourdough, butter, jam and olive oil: the news"
    assert classifier.category(Page("https://b.example/", text)) is None


def test_templates_are_part_of_the_classifier() -> None:
    """A site's name in a new page's title counts as little as in the batch's titles."""
    rng = np.random.default_rng(7)
    pages = [Page(page.url, f"{page.title} | Python Code Library") for page in pages_of(rng, 20)]
    _, classifier = batch_of(pages, "semantic")
    dogs = Page("https://a.example/new", "dog puppy kitten")
    named = Page("https://a.example/new", "dog puppy kitten | Python Code Library")
    assert classifier.category(dogs) == classifier.category(named) == classifier.category(pages[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("titles", [["x"], ["😀"], ["the"], ["dog dog"] * 5])
def test_tiny_batches(kind: FeatureKind, titles: list[str]) -> None:
    """One page, pages without informative words, all alike: each is in category 0 or in none."""
    _, classifier = batch_of(
        [Page(f"https://a.example/{n}", t) for n, t in enumerate(titles)], kind
    )
    assert classifier.category(Page("https://a.example/new", titles[0])) in (0, None)
    assert classifier.category(Page("https://a.example/new", "something else")) is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_real_pages_get_the_categories_that_the_batch_gave_them(kind: FeatureKind) -> None:
    """20,000 links of the web: each in its category or (one in a hundred) in none."""
    folder = os.environ.get("WEBREC_TEST_DATA")
    if not folder:
        pytest.skip("WEBREC_TEST_DATA names no folder with real links")
    with gzip.open(Path(folder) / "links.csv.gz", "rt", encoding="utf-8") as file:
        rows = [row for _, row in zip(range(20_000), csv.DictReader(file), strict=False)]
    pages = [Page(row["url"], row["title"]) for row in rows]
    found, classifier = batch_of(pages, kind, k=40)
    categorised = np.array([-1 if c is None else c for c in classifier.categories(pages)])
    has_one = categorised >= 0
    assert np.array_equal(categorised[has_one], found.labels[has_one])
    assert has_one.mean() > 0.97


def test_a_radius_is_a_categorys_own() -> None:
    """A page is in the nearest category as far as its radius reaches, and then in none."""
    pages = pages_of(np.random.default_rng(8), 20)
    found, classifier = batch_of(pages, "semantic")
    new = Page("https://b.example/", "dog puppy collar and a shed")
    category = classifier.category(new)
    assert category == found.labels[0]
    text = informative_text(new, Templates(found.arrays["templates"]))
    (distance,) = classifier.nearest(classifier.rows([text]))[1].tolist()
    for reach, expected in ((1.001, category), (0.999, None)):
        radii = found.arrays["radii"].copy()
        radii[category] = distance * reach
        assert PageClassifier({**found.arrays, "radii": radii}).category(new) == expected


def test_categories_of_texts_are_cached_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long they are; a cached text is not categorised again."""
    _, classifier = batch_of(pages_of(np.random.default_rng(9), 20), "semantic")
    monkeypatch.setattr("webrec.features.page_classifier._CACHED_TEXTS", 3)
    categorised: list[str] = []

    def counted(texts: list[InformativeText]) -> list[int | None]:
        categorised.extend(each.text for each in texts)
        return [len(categorised)]

    monkeypatch.setattr(classifier, "_categorise", counted)
    asked = ["a" * 2_000, "b", "c", "b", "d", "b", "c", "a" * 2_000]
    found = [classifier.category(Page("https://b.example/", title)) for title in asked]
    assert found == [1, 2, 3, 2, 4, 2, 3, 5]
    assert sum(map(len, classifier._cache)) <= 3 * 16
    assert classifier.category(Page("https://b.example/words-of-the-path", "b")) == 6
