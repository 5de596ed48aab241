"""Tests of clustering.features."""

from __future__ import annotations

import logging
import subprocess
import sys

import numpy as np
import pytest

from clustering.features import embed, features_of, semantic, text_of, tfidf, words
from webrec.types import Page


def test_text_of_joins_what_the_author_says():
    """Title, keywords and description, whichever are there."""
    page = Page("http://a/", "Cats", ("pets", "fur"), "All about cats")
    assert text_of(page) == "Cats. pets, fur. All about cats"
    assert text_of(Page("http://a/", description="Only this")) == "Only this"


@pytest.mark.parametrize("page", [Page("u"), Page("u", "  "), Page("u", "", ("", " "), "\n")])
def test_text_of_nothing_is_empty(page):
    """White space and empty keywords are no text."""
    assert text_of(page) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Cats and the 42 dogs", ["cats", "dogs"]),
        ("http://www.example.com C++ o'brien's", ["example", "c++", "o'brien"]),
        ("Don't I'm café naïve", ["café", "naïve"]),
        ("😀 123 4th 10-12 1990s", []),
        ("3D print of 0x10c", ["3d", "print", "0x10c"]),
    ],
)
def test_words(text, expected):
    """Telling words only: no stop words, numbers, parts of addresses or possessives."""
    assert words(text) == expected


def test_semantic_knows_meaning():
    """Car is nearer to automobile than to banana; rows have length 1."""
    rows = semantic(["car repair", "automobile maintenance", "banana bread recipe"])
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.1


def test_semantic_without_tokens_is_zero_and_finite():
    """An empty text is a row of zeros, an emoji is finite, none at all is an empty matrix."""
    rows = semantic(["", "😀"])
    assert not rows[0].any()
    assert np.isfinite(rows).all()
    assert semantic([]).shape == (0, rows.shape[1])


def test_semantic_learns_from_company():
    """A made-up word is near to what it is mentioned with, nearer than by its letters alone."""
    texts = ["zorblax python code", "zorblax code library", "zorblax", "python code"]
    texts += ["wine cheese", "wine bread", "cheese recipe", "football match"]
    rows, letters = semantic(texts), embed(texts)
    assert rows[2] @ rows[3] > rows[2] @ rows[4] + 0.5
    assert rows[2] @ rows[3] > letters[2] @ letters[3] + 0.1


def test_embed_does_not_depend_on_the_other_texts():
    """A text has the same row alone and beside a much longer one."""
    alone, beside = embed(["solar power"]), embed(["solar power", "wind " * 500])
    assert np.allclose(alone[0], beside[0], atol=1e-6)


def test_semantic_tells_its_progress(monkeypatch):
    """After each chunk the number of texts done so far, the last being all."""
    monkeypatch.setattr("clustering.features.CHUNK", 2)
    told: list[int] = []
    semantic(["a"] * 5, told.append)
    assert told == [2, 4, 5]


def test_tfidf_knows_words():
    """Rows of length 1 that share a word are near, rows that share none are not."""
    rows = tfidf(["red car", "red cars", "green tea", "the of"])
    cosines = (rows @ rows.T).toarray()
    assert rows.dtype == np.float32
    assert np.allclose(cosines.diagonal(), [1, 1, 1, 0])
    assert cosines[0, 1] > 0.3
    assert cosines[0, 2] == 0


@pytest.mark.parametrize("texts", [[], ["the", "😀"]])
def test_tfidf_without_words_is_zero(texts):
    """No telling words anywhere, no columns."""
    assert tfidf(texts).shape == (len(texts), 0)


def test_many_tfidf_rows_become_few_dimensions(monkeypatch):
    """Past a few texts, rows of length 1 or 0, near where words go together; the same twice."""
    monkeypatch.setattr("clustering.features.FEW_TEXTS", 5)
    monkeypatch.setattr("clustering.features.DIMENSIONS", 2)
    texts = ["red car", "car engine", "engine oil", "green tea", "tea cup", "cup milk", "the"]
    rows = features_of(texts, "tfidf")
    assert rows.shape == (7, 2)
    assert np.allclose(np.linalg.norm(rows, axis=1), [1] * 6 + [0], atol=1e-5)
    assert rows[0] @ rows[2] > 0.9 > 0.1 > rows[0] @ rows[4]
    assert np.array_equal(rows, features_of(texts, "tfidf"))


def test_the_model_leaves_logging_alone():
    """Loading the model neither adds a handler to the root logger nor changes its level."""
    script = (
        "import logging; from clustering.features import semantic; semantic(['x']); "
        "print(logging.getLogger().handlers, logging.getLogger().level)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[]", str(logging.WARNING)]
