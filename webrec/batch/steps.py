"""[2] The steps that learn: the history of a site in, what each learner made of it out.

A learner turns the history into arrays of a generation. The batch runs a list of them, one after
the other, and each is given what those before it found. What other parts of the batch need of a
learner (the category of a page, the community of a visitor, the labels of categories) has a typed
place in `Learned`; all else are arrays under the learner's name, which the generation keeps as
they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from webrec.batch.history import SiteHistory
from webrec.domain.progress import Progress
from webrec.domain.types import Arrays


@dataclass(frozen=True, slots=True)
class PageCategories:
    """Which pages belong together by what they say (P pages).

    Attributes:
        of_page: int32 (P,), category numbers 0 … k-1; -1 is a page without a category.
        keywords: of each of the k categories, the most informative first.
    """

    of_page: NDArray[np.int32]
    keywords: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class UserCommunities:
    """Which visitors belong together by what they visit (U visitors).

    Attributes:
        of_visitor: int32 (U,), community numbers 0 … k-1, none of them empty; -1 is a visitor
            without a community.
    """

    of_visitor: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Learned:
    """What one learner learned.

    Attributes:
        arrays: what the generation keeps under the learner's name, for the service to read; may
            be empty.
        counts, quality: figures of the batch's report, beside those that every batch has.
        categories: of a learner that puts pages into categories, else None; so are the next two.
        communities: of a learner that puts visitors into communities.
        suggested_labels: of a learner that names categories: a label for each of them, by number,
            none empty and no two the same.
    """

    arrays: Arrays = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    quality: Mapping[str, float] = field(default_factory=dict)
    categories: PageCategories | None = None
    communities: UserCommunities | None = None
    suggested_labels: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What all learners found so far; as `Learned`, but for all of them together.

    Attributes:
        categories, communities: without any until a learner finds some.
        suggested_labels: empty until a learner suggests some.
        arrays: by learner.
    """

    categories: PageCategories
    communities: UserCommunities
    suggested_labels: Sequence[str] = ()
    arrays: Mapping[str, Arrays] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    quality: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def empty(cls, history: SiteHistory) -> Findings:
        """What is known before the first learner: no categories, no communities."""
        return cls(
            PageCategories(np.full(len(history.pages), -1, np.int32), ()),
            UserCommunities(np.full(len(history.visitors), -1, np.int32)),
        )

    def plus(self, name: str, learned: Learned) -> Findings:
        """These findings, and those of one learner more.

        Raises:
            ValueError: a learner before it has the same name.
        """
        if name in self.arrays:
            raise ValueError(f"two learners are called {name}")
        labels = learned.suggested_labels
        return replace(
            self,
            categories=learned.categories or self.categories,
            communities=learned.communities or self.communities,
            suggested_labels=self.suggested_labels if labels is None else labels,
            arrays={**self.arrays, name: learned.arrays},
            counts={**self.counts, **learned.counts},
            quality={**self.quality, **learned.quality},
        )


class Learner(Protocol):
    """One step of a batch that learns; `tests/contracts/learner.py` says what it must do."""

    @property
    def name(self) -> str:
        """The name its arrays have in a generation: ASCII letters, no two learners the same."""

    def learn(
        self, history: SiteHistory, so_far: Findings, seed: int, progress: Progress
    ) -> Learned:
        """Learn from the history of a site.

        Args:
            history: what the log says, by numbers of pages and visitors; also the log itself, for
                a learner on an engine of its own.
            so_far: what the learners before this one found.
            seed: the same history, findings and seed give the same arrays, to the last bit.
            progress: called with what is being done as soon as it begins.

        Returns:
            What was learned; of a history without pages or visitors empty arrays, or none.
        """


def learn_all(
    learners: Sequence[Learner], history: SiteHistory, seed: int, progress: Progress
) -> Findings:
    """Let every learner learn, in order.

    Raises:
        ValueError: two learners have the same name.
    """
    found = Findings.empty(history)
    for learner in learners:
        found = found.plus(learner.name, learner.learn(history, found, seed, progress))
    return found
