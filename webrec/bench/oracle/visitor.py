"""The oracle on visitors: affinities, community, and what is similar to the pages they saw."""

from __future__ import annotations

from math import log1p, sqrt

from webrec.bench.oracle.request import Request
from webrec.bench.oracle.world import Counts, Scores, World, add, number

CATEGORY_WEIGHT = 0.25
"""What the categories of a visitor count, URLs counting 1."""

SAME = 1e-9
"""Cosines that differ by no more are equal."""

MOST_SEEN = 10
"""Pages seen last whose similar pages count."""

DECAY = 0.95
"""What a page counts, to one seen just after it."""


def counts_of(world: World, visitor: str | None) -> list[tuple[str, Counts]]:
    """Every (URL, counts) of the user: the generation's profile and the recent part."""
    if visitor is None:
        return []
    profile, recent = world.profiles.get(visitor, {}), world.recent.get(visitor, {})
    return [*profile.items(), *recent.items()]


def affinities(world: World, visitor: str | None) -> dict[str, float]:
    """``aff(u, c) = w(u, c) / max over c' of w(u, c')`` of the categories the user touched."""
    touched: dict[str, list[Counts]] = {}
    for url, counts in counts_of(world, visitor):
        if (c := world.category.get(url)) is not None:
            touched.setdefault(c, []).append(counts)
    weights = {c: number(world, add(pairs)) for c, pairs in touched.items()}
    strongest = max(weights.values(), default=0.0)
    return {c: weight / strongest for c, weight in weights.items()} if strongest else {}


def community_of(world: World, visitor: str | None) -> tuple[str | None, str | None]:
    """The user's community: the batch's, or, where it gave none, the nearest; and which it is."""
    if visitor is None:
        return None, None
    if visitor in world.community:
        return world.community[visitor], "batch"
    nearest = nearest_community(world, visitor) if world.online else None
    return nearest, None if nearest is None else "online"


def nearest_community(world: World, visitor: str) -> str | None:
    """The community whose centroid has the largest cosine with what the user prefers."""
    visits = sum(visits for _, (visits, _) in counts_of(world, visitor))
    if world.user_classifier is None or visits < world.user_classifier.min_visits:
        return None
    preferred = preferences(world, world.user_classifier.idf, visitor)
    cosines = {
        g: sum(weight * centroid.get(thing, 0.0) for thing, weight in preferred.items())
        for g, centroid in world.user_classifier.centroids.items()
    }
    largest = max(cosines.values())
    if largest == 0:
        return None  # the user has nothing in common with any
    return next(g for g, cosine in cosines.items() if cosine >= largest - SAME)


def preferences(world: World, idf: dict[str, float], visitor: str) -> Scores:
    """A user's URLs and categories, each half of length 1, categories a quarter, in all 1."""
    known = [(url, counts) for url, counts in counts_of(world, visitor) if url in world.category]
    urls = weighed(world, [(url, counts) for url, counts in known if url in idf], idf)
    of = [(world.category[url], counts) for url, counts in known]
    categories = weighed(world, [(c, counts) for c, counts in of if c is not None], idf)
    return unit(urls | {c: CATEGORY_WEIGHT * weight for c, weight in categories.items()})


def weighed(world: World, touched: list[tuple[str, Counts]], idf: dict[str, float]) -> Scores:
    """``log(1 + number) * idf`` of each thing, at length 1."""
    counts: dict[str, list[Counts]] = {}
    for thing, pair in touched:
        counts.setdefault(thing, []).append(pair)
    return unit(
        {thing: log1p(number(world, add(pairs))) * idf[thing] for thing, pairs in counts.items()}
    )


def unit(weights: Scores) -> Scores:
    """The same direction at length 1, without what weighs nothing."""
    length = sqrt(sum(weight * weight for weight in weights.values()))
    return {thing: weight / length for thing, weight in weights.items() if weight}


def seen(world: World, request: Request) -> list[str]:
    """The pages that similar ones are sought for, the last one seen first: at most 10.

    The page being viewed, then what the user visited since the generation, then before.
    """
    visitor = request.visitor or ""
    since = [url for url, (visits, _) in world.recent.get(visitor, {}).items() if visits >= 1]
    pages = [request.url, *reversed(since), *world.last.get(visitor, [])]
    return [url for url in dict.fromkeys(pages) if url in world.category][:MOST_SEEN]


def similarities(world: World, request: Request) -> Scores:
    """``sim(u, url)``: weights summed over the pages seen, those seen last counting most.

    Below 0 is 0, and the greatest is 1. Of one page alone, its co-visits count. To have seen
    nothing makes nothing similar.
    """
    pages = seen(world, request)
    sums = dict(world.intercept) if len(pages) > 1 else {}
    lists = world.similar if len(pages) > 1 else world.co_visits
    for position, page in enumerate(pages):
        for url, weight in lists.get(page, {}).items():
            sums[url] = sums.get(url, 0.0) + weight * DECAY**position
    greatest = max(sums.values(), default=0.0)
    return {url: total / greatest for url, total in sums.items() if total > 0}
