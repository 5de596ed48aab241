"""[2] Clustering: the text of pages in, one row of features per page out.

Two feature spaces with the same shape of answer: ``semantic`` knows that "car" and "automobile"
are close, ``tfidf`` (Salton and Buckley 1988) knows only equal words and needs no model.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from webrec.types import Page

FeatureKind: TypeAlias = Literal["semantic", "tfidf"]
Progress: TypeAlias = Callable[[int], None]

CHUNK = 4_096
LONGEST_TEXT = 2_000
VOCABULARY = 50_000

CONTEXT_WEIGHT = 2.0
FEW_TEXTS = 1_000
DIMENSIONS = 128

STOP_WORDS = ENGLISH_STOP_WORDS | frozenset(
    {"http", "https", "www", "com", "org", "net", "html", "htm", "php", "amp", "quot", "nbsp"}
    | {"gt", "lt", "la", "le", "les", "des", "du", "et", "une", "est", "dans", "avec", "sur"}
    | {"pour", "qui", "el", "los", "las", "del", "que", "en", "por", "una", "para", "und", "der"}
    | {"das", "ein", "eine", "mit", "von", "nicht", "ist", "auf", "zu", "für", "dem", "il", "di"}
    | {"che", "della", "og", "er", "på", "av", "det", "som", "ikke", "har", "til", "ett", "att"}
    | {"och", "het", "een", "voor", "niet", "não", "um", "uma", "os", "ao", "com", "em"}
)
"""English function words, the commonest of other European languages, and parts of addresses."""

_WORD = re.compile(r"[^\W_][\w+#]*(?:['’\-][^\W_][\w+#]*)*")  # noqa: RUF001 (apostrophe)
_ENDING = re.compile(r"['’](?:s|m|d|re|ve|ll)?$")  # noqa: RUF001 (apostrophe)
_NOTHING = re.compile(r"[\d\-]+(?:st|nd|rd|th|am|pm|s|k|m|x)?|.*n['’]t")  # noqa: RUF001 (apostrophe)


def text_of(page: Page) -> str:
    """Title, keywords and description as one text; empty where the author says nothing."""
    keywords = ", ".join(word.strip() for word in page.keywords if word.strip())
    parts = (page.title.strip(), keywords, page.description.strip())
    return ". ".join(part for part in parts if part)


def words(text: str) -> list[str]:
    """The telling words of a text, lower case, in its order: no numbers, no stop words."""
    found = (_ENDING.sub("", word) for word in _WORD.findall(text.lower()))
    return [word for word in found if _telling(word)]


def _telling(word: str) -> bool:
    return 1 < len(word) <= 30 and word not in STOP_WORDS and not _NOTHING.fullmatch(word)


def features_of(
    texts: Sequence[str], kind: FeatureKind, progress: Progress | None = None
) -> NDArray[np.float32] | sparse.csr_array[np.float32]:
    """The rows of ``texts`` in the feature space asked for, see `semantic`, `tfidf`, `latent`."""
    return semantic(texts, progress) if kind == "semantic" else latent(tfidf(texts))


def semantic(texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
    """What the texts mean, in general and among each other.

    The general meaning is `embed`. It knows common English; of names and jargon it sees
    fragments ("em", "acs"). So each text also gets the meaning of its words by the company they
    keep here (Harris 1954; as context vectors, Schütze 1998): a word's vector is the TF-IDF
    weighted mean of the embeddings of the texts that contain it, less the mean of all texts; a
    text's context is the TF-IDF weighted mean of its words' vectors and counts twice.

    Args:
        texts: any language; only the first 2,000 characters of each count for `embed`.
        progress: told after each chunk how many texts are embedded.

    Returns:
        float32 (n_texts, 256), rows of length 1; a text without tokens is a row of zeros.
    """
    rows = embed(texts, progress)
    if not len(texts):
        return rows
    counts = _shared_columns(tfidf(texts))
    context = counts.T @ rows - np.outer(counts.sum(axis=0), rows.mean(axis=0))
    to_unit(context)
    for start in range(0, len(texts), CHUNK):
        part = slice(start, start + CHUNK)
        rows[part] += CONTEXT_WEIGHT * to_unit(counts[part] @ context)
    return to_unit(rows)


def embed(texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
    """Mean of the WordLlama embeddings of each text's tokens, whatever the other texts are.

    Arguments and answer are those of `semantic`.
    """
    model = _model()
    rows = np.zeros((len(texts), model.embedding.shape[1]), dtype=np.float32)
    for start in range(0, len(texts), CHUNK):
        chunk = [text[:LONGEST_TEXT] for text in texts[start : start + CHUNK]]
        rows[start : start + len(chunk)] = model.embed(chunk)
        if progress is not None:
            progress(start + len(chunk))
    return to_unit(rows)


def tfidf(texts: Sequence[str]) -> sparse.csr_array[np.float32]:
    """Sublinear TF-IDF of the telling words.

    Returns:
        float32 CSR (n_texts, at most 50,000), rows of length 1; a text without telling words is
        a row of zeros. No columns where no text has any.
    """
    if not any(words(text) for text in texts):
        return sparse.csr_array(np.zeros((len(texts), 0), dtype=np.float32))
    vectorizer = TfidfVectorizer(
        analyzer=words, sublinear_tf=True, max_features=VOCABULARY, dtype=np.float32
    )
    return sparse.csr_array(vectorizer.fit_transform(texts))


def latent(
    counts: sparse.csr_array[np.float32],
) -> sparse.csr_array[np.float32] | NDArray[np.float32]:
    """Latent semantic analysis (Deerwester et al. 1990) of many TF-IDF rows.

    Short texts share few words: k-means on the words themselves puts most of a large set into
    one cluster. Up to 1,000 rows or 128 words are left as they are.

    Returns:
        float32 (n_texts, 128), rows of length 1 or 0.
    """
    if counts.shape[0] <= FEW_TEXTS or counts.shape[1] <= DIMENSIONS:
        return counts
    with threadpool_limits(limits=1):  # the order of sums, so the result, is the same everywhere
        reduced = TruncatedSVD(DIMENSIONS, random_state=0).fit_transform(counts)
    return to_unit(reduced.astype(np.float32))


def _shared_columns(counts: sparse.csr_array[np.float32]) -> sparse.csr_array[np.float32]:
    """The columns with at least two rows: a word of one text keeps no company but its own."""
    rows_of = np.bincount(counts.indices, minlength=counts.shape[1])
    return sparse.csr_array(counts[:, rows_of > 1])


def to_unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring every row but zeros to length 1, in place."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > 0, lengths, 1)
    return rows


@cache
def _model() -> Any:
    """The WordLlama model out of its own package: 32,000 tokens by 256, nothing is fetched."""
    with _logging_untouched():
        import wordllama
    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)


@contextmanager
def _logging_untouched() -> Iterator[None]:
    """Undo what WordLlama does to the root logger on import."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
