"""[2] The learner of labels: a tree of topics and categories' keywords in, a label for each out.

A label is the topic that fits the keywords best, or the first keywords themselves where none fits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from clustering.pages.keywords import stem
from clustering.pages.taxonomy import Topic
from webrec.batch.history import SiteHistory
from webrec.batch.steps import Findings, Learned
from webrec.domain.progress import Progress
from webrec.features.text import embed, to_unit, words

MIN_FIT = 0.62
"""The least fit of a topic that names a category; where none has it, its keywords do."""

MIN_SUPPORT = 0.2
"""The least support of each word of a topic's name, see `_support`."""

SUPPORT_WEIGHT = 0.5
"""What support counts beside nearness."""

FADE = 0.06
"""What each keyword after the first supports less: the tenth counts less than half."""

NEARLY = 0.75
"""The most that a word is supported by another word than itself."""

NAMED_BY_KEYWORDS = 3
"""Keywords in a label that is made of them."""

ALIKE = 5
"""Letters by which two keywords that have them in common at their beginning are one."""

NAMELESS = "Miscellaneous"
"""The label of a category without any keyword."""


@dataclass(frozen=True, slots=True)
class LabelLearner:
    """Suggests labels for the categories that a learner before it found.

    Attributes:
        topics: what categories may be named after, at least one.
    """

    name: ClassVar = "labels"
    topics: tuple[Topic, ...]

    def learn(
        self,
        history: SiteHistory,  # noqa: ARG002 - the protocol's
        so_far: Findings,
        seed: int,  # noqa: ARG002 - nothing is left to chance
        progress: Progress,
    ) -> Learned:
        """Suggest a label for each category; none where there is no category."""
        progress("naming categories", 0, 0)
        keywords = so_far.categories.keywords
        return Learned(suggested_labels=self.suggest(keywords) if keywords else ())

    def suggest(self, keywords: Sequence[Sequence[str]]) -> list[str]:
        """Suggest a label for each category.

        The topic that fits the keywords best, or the first keywords themselves where none fits
        well enough. Where several categories come to the same topic, each but the best fitting
        adds its first informative keyword: "Travel (hotels)".

        Args:
            keywords: of each category, best first; may be empty.

        Returns:
            One label per category, in their order, none empty and no two the same.
        """
        best, fit = self._best_topics(keywords)
        labels = [""] * len(keywords)
        used: set[str] = set()
        for i in np.argsort(-fit, kind="stable"):
            topic = self.topics[best[i]] if fit[i] >= MIN_FIT else None
            labels[i] = _unused(_candidates(topic, keywords[i]), used)
            used.add(labels[i].casefold())
        return labels

    def _best_topics(
        self, keywords: Sequence[Sequence[str]]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Index of the best fitting topic of each category, and its fit.

        The fit is the nearness of the topic as a whole to the keywords as a whole, plus
        `SUPPORT_WEIGHT` times the support of its name (see `_support`); 0 below `MIN_SUPPORT`.
        "Women's Glasses" is near "women, female, girl" as a whole, but nothing supports glasses.
        """
        support = _support([topic.name for topic in self.topics], keywords)
        fit = self._nearness(keywords) + SUPPORT_WEIGHT * support
        fit[support < MIN_SUPPORT] = 0
        return fit.argmax(axis=1), fit.max(axis=1)

    def _nearness(self, keywords: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """Cosines (n_categories, n_topics), the mean of the topic's name and of its whole path.

        Taken around the mean of all paths, so that no topic is near everything.
        """
        paths = embed([" ".join(topic.path) for topic in self.topics])
        names = embed([topic.name for topic in self.topics])
        wanted = embed([" ".join(words_of) for words_of in keywords])
        middle = paths.mean(axis=0)
        topics = to_unit(paths - middle) + to_unit(names - middle)
        cosines: NDArray[np.float32] = to_unit(wanted - middle) @ topics.T
        cosines /= 2
        return cosines


def _support(names: Sequence[str], keywords: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """How well the keywords bear out each word of a name, by its worst word.

    A word is borne out by the keyword nearest to it, the first keyword in full and each later
    one by `FADE` less; fully by its own singular or plural, at most to `NEARLY` by another word.

    Returns:
        float32 (n_categories, n_names), in [0, 1].
    """
    parts = [words(name) or [name.casefold()] for name in names]
    asked = [word for part in parts for word in part]
    starts = np.cumsum([0] + [len(part) for part in parts[:-1]])
    meanings = embed(asked)
    support = np.zeros((len(keywords), len(names)), dtype=np.float32)
    for row, given in zip(support, keywords, strict=True):
        if given:
            row[:] = np.minimum.reduceat(_borne_out(asked, meanings, given), starts)
    return support


def _borne_out(
    asked: Sequence[str], meanings: NDArray[np.float32], given: Sequence[str]
) -> NDArray[np.float64]:
    """Support (n_asked,) of each word, with its embedding in ``meanings``, by given keywords."""
    middle = meanings.mean(axis=0)
    cosines = to_unit(meanings - middle) @ to_unit(embed(given) - middle).T
    same = np.array([stem(word) for word in asked])[:, None] == [stem(word) for word in given]
    rank = np.maximum(1 - FADE * np.arange(len(given)), 0)
    best: NDArray[np.float64] = (np.where(same, 1, cosines.clip(0, NEARLY)) * rank).max(axis=1)
    return best


def _candidates(topic: Topic | None, keywords: Sequence[str]) -> Iterator[str]:
    """Labels for a category, best first, without end."""
    base = topic.name if topic else _sentence(_different(keywords)[:NAMED_BY_KEYWORDS]) or NAMELESS
    yield base
    in_base = words(base)
    others = _different([*in_base, *keywords])[len(_different(in_base)) :]
    yield from (f"{base} ({word})" for word in others)
    yield from (f"{base} ({number})" for number in itertools.count(2))


def _different(keywords: Iterable[str]) -> list[str]:
    """The keywords less those that begin like an earlier one: "canada" makes "canadian" idle."""
    chosen: list[str] = []
    for word in keywords:
        if not any(word[:ALIKE] == other[:ALIKE] for other in chosen):
            chosen.append(word)
    return chosen


def _sentence(keywords: Sequence[str]) -> str:
    """``["solar", "wind", "energy"]`` as "Solar, wind, energy"."""
    text = ", ".join(keywords)
    return text[:1].upper() + text[1:]


def _unused(candidates: Iterator[str], used: set[str]) -> str:
    return next(label for label in candidates if label.casefold() not in used)
