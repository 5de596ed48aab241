"""Tests of clustering.pages.keywords."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.pages import keywords
from clustering.pages.keywords import category_keywords


def labels(*numbers: int) -> np.ndarray:
    """Category numbers."""
    return np.array(numbers, np.int32)


def test_known_answer() -> None:
    """What only one category says comes first; what all say comes last."""
    texts = ["news dogs barking dogs", "news dogs", "news football", "news football goal"]
    assert category_keywords(texts, labels(0, 0, 1, 1)) == [
        ["dogs", "barking", "news"],
        ["football", "goal", "news"],
    ]


def test_weights_are_class_tfidf() -> None:
    """By hand, tf * log(1 + A / f): "rare" (1/4, f = 1) beats "common" (2/4, f = 6), A = 5."""
    texts = ["rare common common solo", "common common common common other other"]
    assert category_keywords(texts, labels(0, 1))[0] == ["rare", "solo", "common"]


def test_no_junk() -> None:
    """No stop words, numbers or parts of addresses."""
    texts = ["the 2013 http://www.dogs.com and 42 dogs of it"]
    assert category_keywords(texts, labels(0)) == [["dogs"]]


def test_singular_and_plural_count_as_one() -> None:
    """A word and its plural are one keyword, shown as it is written most."""
    texts = ["recipe recipes recipes berry berries boxes box box glass status"]
    assert category_keywords(texts, labels(0)) == [["box", "recipes", "berries", "glass", "status"]]


def test_limit_and_gaps() -> None:
    """At most n words; a category without words has none; texts without category do not count."""
    texts = ["dog cat bird", "😀", "fish"]
    assert category_keywords(texts, labels(0, 1, -1), n=2) == [["bird", "cat"], []]


@pytest.mark.parametrize("texts", [[], ["the"], ["dogs"]])
def test_nothing_to_say(texts: list[str]) -> None:
    """No categorised text with an informative word: as many empty lists as categories."""
    numbers = labels(*[0 if text == "the" else -1 for text in texts])
    assert category_keywords(texts, numbers) == [
        [] for _ in range(int(numbers.max(initial=-1)) + 1)
    ]


def test_the_author_knows_best() -> None:
    """A word the author chose goes before one that is in the text twice."""
    texts = ["alpha alpha zeta"]
    assert category_keywords(texts, labels(0)) == [["alpha", "zeta"]]
    assert category_keywords(texts, labels(0), authored=[["zeta"]]) == [["zeta", "alpha"]]


def test_rare_words_of_many_texts_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past many texts a word needs a few pages to be a keyword."""
    monkeypatch.setattr(keywords, "MANY_TEXTS", 3)
    texts = ["dogs typo", "dogs", "dogs", "dogs"]
    assert category_keywords(texts, labels(0, 0, 0, 0)) == [["dogs"]]
