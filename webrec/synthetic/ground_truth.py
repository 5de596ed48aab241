"""What is drawn for a synthetic world: the truth that a clustering of its files should find again.

In: a `WorldSpec`. Out: a `GroundTruth`: pages, users, and who likes which pages.
"""

from __future__ import annotations

import zlib
from ipaddress import IPv6Address
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from webrec.synthetic.spec import WorldSpec
from webrec.synthetic.words import (
    BROWSERS,
    CHOICES,
    LOGINS,
    Document,
    PageWords,
    Subject,
    page_text,
    page_url,
    subject,
)

Ints: TypeAlias = NDArray[np.int32]
ROAMING = 0.15
"""Share of the visits that go anywhere, whatever the community's taste."""

TEXTLESS_EVERY = 100
"""Every so many pages one has no text, so that it cannot be categorised by words."""


class GroundTruth:
    """What was drawn for a world.

    Attributes:
        page_category: int32 (urls,), the category number of each page.
        user_community: int32 (users,), the community number of each user.
        preferred: for each community its categories, the dearest first.
    """

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        rng = self.stream("plan")  # the name is part of the seed: another one makes other worlds
        self.page_category = _unequal(rng, spec.urls, spec.categories)
        self.user_community = _unequal(rng, spec.users, spec.communities)
        self._words = rng.integers(0, CHOICES, (spec.urls, len(CHOICES)), dtype=np.int8)
        self._activity = np.cumsum(rng.exponential(size=spec.users))
        self._subjects = [subject(category) for category in range(spec.categories)]
        sizes = np.bincount(self.page_category, minlength=spec.categories)
        self._pages_by_category = np.argsort(self.page_category, kind="stable").astype(np.int32)
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        self.preferred = [self._preferred(community) for community in range(spec.communities)]
        self._taste = self._cumulative_taste(sizes / spec.urls)
        self._tag = f"{zlib.crc32(repr(spec).encode()):08x}"

    def stream(self, name: str) -> np.random.Generator:
        """The random numbers of one part of the world, which no other part moves on."""
        return np.random.default_rng([self.spec.seed, zlib.crc32(name.encode())])

    def event_id(self, kind: str, number: int) -> str:
        """An id that no other world's events have."""
        return f"{self._tag}-{kind}{number}"

    def _preferred(self, community: int) -> list[int]:
        """The community's categories: as many as make it share one with its neighbour."""
        categories, communities = self.spec.categories, self.spec.communities
        first = community * categories // communities
        width = min(categories, -(-categories // communities) + 1)
        return [(first + step) % categories for step in range(width)]

    def _cumulative_taste(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Float64 (communities * categories,): community g's distribution function, plus g."""
        taste = np.tile(ROAMING * shares, (self.spec.communities, 1))
        for row, preferred in zip(taste, self.preferred, strict=True):
            weights = 0.75 ** np.arange(len(preferred))
            row[preferred] += (1 - ROAMING) * weights / weights.sum()
        cumulative = np.cumsum(taste, axis=1)
        cumulative[:, -1] = 1
        return (cumulative + np.arange(self.spec.communities)[:, None]).ravel()

    def draw_users(self, rng: np.random.Generator, count: int) -> Ints:
        """Users by their activity: int32 (count,)."""
        at = rng.random(count) * self._activity[-1]
        return _positions_of(self._activity, at, np.full(count, self.spec.users - 1))

    def draw_pages(self, rng: np.random.Generator, communities: Ints) -> Ints:
        """One page for each community of the argument, by its taste: int32, of its length."""
        first = communities * self.spec.categories
        last = first + self.spec.categories - 1
        found = _positions_of(self._taste, communities + rng.random(len(communities)), last)
        return self.draw_popular(rng, found - first)

    def draw_popular(self, rng: np.random.Generator, categories: Ints) -> Ints:
        """One page of each category of the argument: int32, of its length.

        The rank is the whole part of a log-uniform number, so its chance falls as 1 / rank.
        """
        sizes = self._starts[categories + 1] - self._starts[categories]
        ranks = np.exp(rng.random(len(categories)) * np.log(sizes + 1)).astype(np.int64)
        positions = self._starts[categories] + np.minimum(ranks, sizes) - 1
        drawn: Ints = self._pages_by_category[positions]
        return drawn

    def url(self, page: int) -> str:
        """Canonical URL of a page."""
        words = PageWords(*self._words[page].tolist())
        return page_url(self._subjects[self.page_category[page]], words, page)

    def urls(self, pages: Ints) -> list[str]:
        """Canonical URLs of many pages."""
        subjects = [self._subjects[category] for category in self.page_category[pages].tolist()]
        words = map(PageWords._make, self._words[pages].tolist())
        return [page_url(*each) for each in zip(subjects, words, pages.tolist(), strict=True)]

    def text(self, page: int) -> Document:
        """What a page says of itself: title, keywords, description; nothing without text."""
        if page % TEXTLESS_EVERY == TEXTLESS_EVERY - 1:
            return {}
        words = PageWords(*self._words[page].tolist())
        return page_text(self._subjects[self.page_category[page]], words)

    def identity(self, user: int) -> Document:
        """How a user is known: by login id, every tenth by address."""
        if user % 10 == 9:
            return {"ip": str(IPv6Address("2001:db8::") + user)}
        return {"user": f"{LOGINS[user % len(LOGINS)]}{user}"}

    def browser(self, user: int) -> Document:
        """The environment a user's events come from."""
        return {"user_agent": BROWSERS[user % len(BROWSERS)]}

    def subject_of(self, category: int) -> Subject:
        """What a category is about."""
        return self._subjects[category]


def _positions_of(
    cumulative: NDArray[np.float64], at: NDArray[np.float64], last: NDArray[np.integer[Any]]
) -> Ints:
    """Where the numbers fall in a distribution function; rounding leads no further than `last`."""
    found: Ints = np.minimum(np.searchsorted(cumulative, at, "right"), last).astype(np.int32)
    return found


def _unequal(rng: np.random.Generator, things: int, groups: int) -> Ints:
    """A group for each thing, in random order: none empty, the first ones larger.

    Returns:
        int32 (things,), group numbers.
    """
    weights = (np.arange(groups) + 3.0) ** -0.5
    sizes = 1 + rng.multinomial(things - groups, weights / weights.sum())
    members: Ints = np.repeat(np.arange(groups, dtype=np.int32), sizes)
    rng.shuffle(members)
    return members
