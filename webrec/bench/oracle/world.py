"""The world of the oracle: everything an answer depends on besides the request, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

Counts = tuple[int, int]
"""Visits and accepts."""

Scores = dict[str, float]
"""A list L: canonical URL to the affinity that its source list holds."""


@dataclass(frozen=True)
class Campaign:
    """One campaign: it runs while it is active and ``starts_ms <= now < ends_ms``.

    Attributes:
        priority: in [0, 1].
        ads: pairs of the URL as the campaign gave it and its canonical form, in document order.
        starts_ms, ends_ms: None is unbounded.
    """

    priority: float
    ads: list[tuple[str, str]]
    starts_ms: int | None = None
    ends_ms: int | None = None
    active: bool = True


@dataclass(frozen=True)
class NearestCentroid:
    """Tells the community of a visitor to whom the batch gave none (generation).

    Attributes:
        idf: how informative a URL or a category is; URLs that are not here count for nothing.
        centroids: community id to URL or category id to weight, their squares sum to 1; of
            communities with the same cosine the first one is taken.
        min_visits: visits it takes.
    """

    idf: dict[str, float]
    centroids: dict[str, dict[str, float]]
    min_visits: int


@dataclass(frozen=True)
class World:
    """Everything an answer depends on besides the request. URLs are canonical.

    Attributes:
        category: every page the generation knows, to its category id or None.
        totals: URL to (visits, accepts) of all visitors, anonymous ones too (generation).
        community: visitor key to community id; a visitor without community is absent (generation).
        profiles: visitor key to URL to (visits, accepts) (generation).
        recent: the same for what is newer than the generation, which may not know the URLs; in
            the order in which the visitor first opened them since.
        last: visitor key to the URLs the visitor opened last, the last one first (generation).
        similar: URL to the URLs similar to it, with their weights (generation).
        intercept: URLs that anybody may like, with weights: similar before a page is seen
            (generation).
        co_visits: URL to the URLs that are visited with it, with weights (generation).
        campaigns: campaign id to campaign.
        online_ads: categories of landing pages that the generation has none for, by what the
            campaigns say of them.
        online_pages: categories of pages that the generation has none for, by the text that was
            sent of them since; "" where it is like none.
        w_ads, w_aff, w_sim: weights of campaign priority, affinity and similarity; not all 0.
        accept_weight: what one accept counts, in visits.
        user_classifier: None where there is none.
        online: whether a visitor without community gets the nearest, and categories by text
            count.
    """

    category: dict[str, str | None] = field(default_factory=dict)
    totals: dict[str, Counts] = field(default_factory=dict)
    community: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, dict[str, Counts]] = field(default_factory=dict)
    recent: dict[str, dict[str, Counts]] = field(default_factory=dict)
    last: dict[str, list[str]] = field(default_factory=dict)
    similar: dict[str, Scores] = field(default_factory=dict)
    intercept: Scores = field(default_factory=dict)
    co_visits: dict[str, Scores] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    online_ads: dict[str, str] = field(default_factory=dict)
    online_pages: dict[str, str] = field(default_factory=dict)
    w_ads: float = 0.5
    w_aff: float = 0.5
    w_sim: float = 0.0
    accept_weight: float = 3.0
    user_classifier: NearestCentroid | None = None
    online: bool = True

    @cached_property
    def rec_lists(self) -> dict[str, Scores]:
        """Every ``recL[c]``: the category's URLs with their total affinity, best first."""
        scores: dict[str, Scores] = {}
        for url, c in self.category.items():
            if c is not None:
                scores.setdefault(c, {})[url] = number(self, self.totals.get(url, (0, 0)))
        return {c: dict(best_first(found)) for c, found in scores.items()}

    @cached_property
    def col_lists(self) -> dict[str, Scores]:
        """Every ``colL[g]``: what its members visited, with their affinity, best first."""
        pairs: dict[str, dict[str, list[Counts]]] = {}
        for visitor, g in self.community.items():
            for url, counts in self.profiles.get(visitor, {}).items():
                pairs.setdefault(g, {}).setdefault(url, []).append(counts)
        summed = {g: {url: add(each) for url, each in urls.items()} for g, urls in pairs.items()}
        visited = {
            g: {url: number(self, counts) for url, counts in urls.items() if counts[0] >= 1}
            for g, urls in summed.items()
        }
        return {g: dict(best_first(scores)) for g, scores in visited.items()}


def number(world: World, counts: Counts) -> float:
    """One number for a pair: ``visits + accept_weight * accepts``."""
    visits, accepts = counts
    return visits + world.accept_weight * accepts


def add(pairs: list[Counts]) -> Counts:
    """The sum of pairs, component by component."""
    return sum(visits for visits, _ in pairs), sum(accepts for _, accepts in pairs)


def best_first(scores: Scores) -> list[tuple[str, float]]:
    """The pairs (URL, score), by score descending, then by URL ascending."""
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
