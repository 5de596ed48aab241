"""Tests of clustering.pages.features."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from clustering.pages.features import PageFeatures, learn, semantic, tfidf
from webrec.features.page_classifier import InformativeText
from webrec.features.text import embed


def dense(features: PageFeatures) -> NDArray[np.float32]:
    """The rows of features that are no sparse matrix."""
    assert isinstance(features.rows, np.ndarray)
    return features.rows


def page_texts(texts: list[str]) -> list[InformativeText]:
    """Pages of these texts, with nothing in their URLs."""
    return [InformativeText(text, "") for text in texts]


def test_semantic_knows_meaning() -> None:
    """Car is nearer to automobile than to banana; rows have length 1."""
    rows = dense(
        semantic(page_texts(["car repair", "automobile maintenance", "banana bread recipe"]))
    )
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.1


def test_semantic_without_tokens_is_zero_and_finite() -> None:
    """An empty text is a row of zeros, an emoji is finite, none at all is an empty matrix."""
    rows = dense(semantic(page_texts(["", "😀"])))
    assert not rows[0].any()
    assert np.isfinite(rows).all()
    assert semantic([]).rows.shape == (0, rows.shape[1])


def test_semantic_learns_from_company() -> None:
    """A made-up word is near to what it is mentioned with, nearer than by its letters alone."""
    texts = ["zorblax python code", "zorblax code library", "zorblax", "python code"]
    texts += ["wine cheese", "wine bread", "cheese recipe", "football match"]
    rows, letters = dense(semantic(page_texts(texts))), embed(texts)
    assert rows[2] @ rows[3] > rows[2] @ rows[4] + 0.5
    assert rows[2] @ rows[3] > letters[2] @ letters[3] + 0.1


def test_semantic_tells_its_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each chunk the number of texts done so far, the last being all."""
    monkeypatch.setattr("webrec.features.text.CHUNK", 2)
    calls: list[tuple[int, int]] = []
    semantic(page_texts(["a"] * 5), lambda *each: calls.append(each))
    assert calls == [(2, 5), (4, 5), (5, 5)]


def test_tfidf_knows_words() -> None:
    """Rows of length 1 that share a word are near, rows that share none are not."""
    rows, _, _ = tfidf(["red car", "red cars", "green tea", "the of"])
    cosines = (rows @ rows.T).toarray()
    assert rows.dtype == np.float32
    assert np.allclose(cosines.diagonal(), [1, 1, 1, 0])
    assert cosines[0, 1] > 0.3
    assert cosines[0, 2] == 0


@pytest.mark.parametrize("texts", [[], ["the", "😀"]])
def test_tfidf_without_words_is_zero(texts: list[str]) -> None:
    """No informative words anywhere, no columns."""
    assert tfidf(texts).counts.shape == (len(texts), 0)


def test_many_tfidf_rows_become_few_dimensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past a few texts, rows of length 1 or 0, near where words go together; the same twice."""
    monkeypatch.setattr("clustering.pages.features.FEW_TEXTS", 5)
    monkeypatch.setattr("clustering.pages.features.DIMENSIONS", 2)
    texts = ["red car", "car engine", "engine oil", "green tea", "tea cup", "cup milk", "the"]
    rows = dense(learn(page_texts(texts), "tfidf"))
    assert rows.shape == (7, 2)
    assert np.allclose(np.linalg.norm(rows, axis=1), [1] * 6 + [0], atol=1e-5)
    assert rows[0] @ rows[2] > 0.9 > 0.1 > rows[0] @ rows[4]
    assert np.array_equal(rows, dense(learn(page_texts(texts), "tfidf")))


def test_the_words_of_a_url_are_company_too() -> None:
    """A title that says nothing is near to what its URL names, but for words alone."""
    texts = [
        InformativeText("python code", ""),
        InformativeText("python code library", ""),
        InformativeText("wine", ""),
    ]
    texts += [InformativeText("cheese and wine", ""), InformativeText("yes, it is", "python code")]
    rows = dense(semantic(texts))
    assert rows[4] @ rows[0] > rows[4] @ rows[2] + 0.3
    alone = learn(texts, "tfidf").rows
    assert (alone @ alone.T)[4, 0] == 0
