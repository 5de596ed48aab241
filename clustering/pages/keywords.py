"""[2] The texts of each category in, its informative words out, best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from webrec.features.text import words

MANY_TEXTS, RARE = 5_000, 3
"""Past so many texts a keyword is in so many of them at least: misspellings are in fewer."""

AUTHOR_WEIGHT = 2
"""What a keyword that the author chose counts beside each time a word is in the text."""


def category_keywords(
    texts: Sequence[str],
    labels: NDArray[np.int32],
    n: int = 10,
    *,
    authored: Sequence[Sequence[str]] | None = None,
) -> list[list[str]]:
    """The words that set each category apart.

    Class-based TF-IDF (Grootendorst 2022, BERTopic): ``tf(w, c) * log(1 + A / f(w))``, where
    ``tf`` is the share of w among the words of category c, ``f`` how often w occurs in all
    categories and ``A`` the mean number of words per category. A singular and its plural count
    as one word, shown as it is written most.

    Args:
        texts: one per page.
        labels: int32 (n_texts,), category numbers; -1 is left out.
        n: most keywords per category.
        authored: the author's own keywords of each page; each counts twice more than in the text.

    Returns:
        For each category number 0 … max(labels), at most ``n`` words in lower case, best first;
        ties in alphabetical order.
    """
    categories = int(labels.max(initial=-1)) + 1
    categorised = np.flatnonzero(labels >= 0).tolist()
    documents = [_document(texts[i], authored[i] if authored else ()) for i in categorised]
    if not any(documents):
        return [[] for _ in range(categories)]
    vectorizer = CountVectorizer(
        analyzer=_same, min_df=RARE if len(categorised) > MANY_TEXTS else 1
    )
    counts = sparse.csr_array(vectorizer.fit_transform(documents))
    sums = _sum_by(labels[categorised], categories, counts)
    sums, shown = _merge_plurals(sums, vectorizer.get_feature_names_out().tolist())
    weights = _class_tfidf(sums)
    return [_best(weights[[c]].toarray()[0], shown, n) for c in range(categories)]


def _document(text: str, authored: Sequence[str]) -> list[str]:
    return words(text) + words(" . ".join(authored)) * AUTHOR_WEIGHT


def _same(document: list[str]) -> list[str]:
    return document


def _sum_by(
    numbers: NDArray[np.integer], groups: int, counts: sparse.csr_array[Any]
) -> sparse.csr_array[np.float64]:
    """Rows with the same number added up: (n_groups, n_columns) out of (n_rows, n_columns)."""
    rows = len(numbers)
    member = sparse.csr_array((np.ones(rows), (numbers, np.arange(rows))), shape=(groups, rows))
    return sparse.csr_array(member @ counts)


def _class_tfidf(counts: sparse.csr_array[np.float64]) -> sparse.csr_array[np.float64]:
    per_category = np.maximum(counts.sum(axis=1), 1)
    per_word: NDArray[np.float64] = counts.sum(axis=0)
    idf = np.log1p(per_category.mean() / per_word)
    return sparse.csr_array(sparse.diags_array(1 / per_category) @ counts @ sparse.diags_array(idf))


def _merge_plurals(
    counts: sparse.csr_array[np.float64], vocabulary: Sequence[str]
) -> tuple[sparse.csr_array[np.float64], list[str]]:
    """Counts (n_categories, n_stems) and each stem's commonest form, in alphabetical order."""
    totals: NDArray[np.float64] = counts.sum(axis=0)
    shown: dict[str, str] = {}
    for column in np.argsort(-totals, kind="stable"):
        shown.setdefault(stem(vocabulary[column]), vocabulary[column])
    forms = sorted(shown.values())
    column_of = {form: column for column, form in enumerate(forms)}
    columns = np.array([column_of[shown[stem(word)]] for word in vocabulary])
    return sparse.csr_array(_sum_by(columns, len(forms), sparse.csr_array(counts.T)).T), forms


def _best(weights: NDArray[np.float64], shown: Sequence[str], n: int) -> list[str]:
    """The ``n`` heaviest words; equal ones in the order of ``shown``."""
    order = np.argsort(-weights, kind="stable")[:n]
    return [shown[i] for i in order if weights[i] > 0]


def stem(word: str) -> str:
    """One key for a regular English singular and its plural, no word to be shown."""
    if word.endswith(("ies", "ie")) and len(word) > 4:
        return word[: word.rindex("ie")] + "y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word
