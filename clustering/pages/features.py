"""[2] The text of pages in, one row of features per page out.

Two feature spaces with the same shape of answer: ``semantic`` knows that "car" and "automobile"
are close, ``tfidf`` (Salton and Buckley 1988) knows only equal words and needs no model. What is
learned here of words is kept, in the precision in which it is used here: a page that comes later
gets the very row it would have got.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from webrec.domain.progress import StepProgress, no_progress
from webrec.features.page_classifier import FeatureKind, InformativeText, hashes_of, with_context
from webrec.features.text import CHUNK, embed, to_unit, words

Rows: TypeAlias = "NDArray[np.float32] | sparse.csr_array[np.float32]"

VOCABULARY = 50_000
"""Words at most, the commonest: their vectors take 25 MB of a generation."""

FEW_TEXTS = 1_000
"""Texts up to which TF-IDF is clustered as it is, see `latent`."""

DIMENSIONS = 128
"""Of latent semantic analysis, where there are more texts."""


class PageFeatures(NamedTuple):
    """Features of texts, and what a later text's features need.

    Attributes:
        rows: float32 (n_texts, d), dense or CSR, rows of length 1 or 0.
        vocabulary: arrays of a `webrec.features.page_classifier.PageClassifier`.
    """

    rows: Rows
    vocabulary: dict[str, NDArray[Any]]


class TermWeights(NamedTuple):
    """Sublinear TF-IDF of the informative words.

    Attributes:
        counts: float32 CSR (n_texts, V), V at most 50,000; rows of length 1, or of zeros where a
            text has no informative words.
        words: uint64 (V,), their hashes, sorted.
        idf: float32 (V,).
    """

    counts: sparse.csr_array[np.float32]
    words: NDArray[np.uint64]
    idf: NDArray[np.float32]


def learn(
    texts: Sequence[InformativeText], kind: FeatureKind, progress: StepProgress = no_progress
) -> PageFeatures:
    """The rows of pages in the feature space asked for, see `semantic` and `latent`."""
    if kind == "semantic":
        return semantic(texts, progress)
    return latent(tfidf([each.text for each in texts]))


def semantic(
    texts: Sequence[InformativeText], progress: StepProgress = no_progress
) -> PageFeatures:
    """What the texts mean, in general and among each other.

    The general meaning is `embed`. It knows common English; of names and jargon it sees
    fragments ("em", "acs"). So each text also gets the meaning of its words by the company they
    keep here (Harris 1954; as context vectors, Schütze 1998): a word's vector is the TF-IDF
    weighted mean of the embeddings of the texts that contain it, less the mean of all texts; a
    text's context is the TF-IDF weighted mean of its words' vectors and counts twice. The words of
    a page's URL are in its context, too.

    Args:
        texts: in any language.
        progress: called after each chunk of texts that is embedded.

    Returns:
        rows of 256 columns; a text without tokens is a row of zeros.
    """
    rows = embed([each.text for each in texts], progress)
    counts, known, idf = _shared_columns(tfidf([" ".join(each) for each in texts]))
    learned = _context(counts, rows).astype(np.float16)
    context = learned.astype(np.float32)
    for start in range(0, len(texts), CHUNK):
        part = slice(start, start + CHUNK)
        rows[part] = with_context(rows[part], counts[part] @ context)
    return PageFeatures(rows, {"words": known, "idf": idf, "context": learned})


def _context(
    counts: sparse.csr_array[np.float32], rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The vector of each word, of length 1: (V, 256)."""
    if not len(rows):
        return np.zeros((counts.shape[1], rows.shape[1]), np.float32)
    return to_unit(counts.T @ rows - np.outer(counts.sum(axis=0), rows.mean(axis=0)))


def tfidf(texts: Sequence[str]) -> TermWeights:
    """Sublinear TF-IDF of the informative words; no columns where no text has any."""
    if not any(words(text) for text in texts):
        none = sparse.csr_array(np.zeros((len(texts), 0), dtype=np.float32))
        return TermWeights(none, np.empty(0, np.uint64), np.empty(0, np.float32))
    vectorizer = TfidfVectorizer(
        analyzer=words, sublinear_tf=True, max_features=VOCABULARY, dtype=np.float32
    )
    counts = sparse.csr_array(vectorizer.fit_transform(texts))
    hashes = hashes_of(vectorizer.get_feature_names_out())
    order = np.argsort(hashes)
    return TermWeights(sparse.csr_array(counts[:, order]), hashes[order], vectorizer.idf_[order])


def latent(weighed: TermWeights) -> PageFeatures:
    """Latent semantic analysis (Deerwester et al. 1990) of many TF-IDF rows.

    Short texts share few words: k-means on the words themselves puts most of a large set into
    one cluster. Up to 1,000 rows or 128 words are left as they are.

    Returns:
        rows of 128 columns.
    """
    counts, known, idf = weighed
    if counts.shape[0] <= FEW_TEXTS or counts.shape[1] <= DIMENSIONS:
        return PageFeatures(counts, {"words": known, "idf": idf})
    with threadpool_limits(limits=1):  # the order of sums, so the result, is the same everywhere
        found = TruncatedSVD(DIMENSIONS, random_state=0).fit(counts)
        learned = found.components_.T.astype(np.float16)
        rows = to_unit(np.asarray(counts @ learned.astype(np.float32)))
    return PageFeatures(rows, {"words": known, "idf": idf, "components": learned})


def _shared_columns(weighed: TermWeights) -> TermWeights:
    """The columns with at least two rows: a word of one text keeps no company but its own."""
    counts, known, idf = weighed
    rows_of = np.bincount(counts.indices, minlength=counts.shape[1])
    shared = np.flatnonzero(rows_of > 1)
    return TermWeights(sparse.csr_array(counts[:, shared]), known[shared], idf[shared])
