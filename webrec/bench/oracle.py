"""The six algorithms, slow and obviously right: what the fast ones are held against.

Written straight from the definitions, over whole lists and plain data, and sharing no code with
the product. Every step of a definition is a line here, in the definition's order; nothing is cut
before the one sort at the end. What depends on the world alone is worked out once a world.

Tests hold the fast ones against it, and so does `webrec bench`, under load.

In: a `World` (what one generation knows, what happened since, the campaigns) and a `Request`.
Out: an `Answer`: every algorithm entered, and the ordered list, cut to the limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import log1p, sqrt
from typing import NamedTuple

Counts = tuple[int, int]  # (visits, accepts)

CATEGORY_WEIGHT = 0.25
SAME = 1e-9  # cosines that differ by no more are equal


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
class Measure:
    """What users are measured by, to tell the community of one who had none (generation).

    Attributes:
        idf: what a thing tells of its users, by URL or category id; URLs that are not here say
            nothing.
        centroids: community id to URL or category id to weight, their squares sum to 1; in the
            order in which equally near communities come.
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
        totals: URL to (visits, accepts) of everybody, anonymous visitors too (generation).
        community: visitor key to community id; a visitor without community is absent (generation).
        profiles: visitor key to URL to (visits, accepts) (generation).
        recent: the same for what is newer than the generation, which may not know the URLs; in
            the order in which the visitor first opened them since.
        last: visitor key to the URLs the visitor opened last, the last one first (generation).
        similar: URL to the URLs similar to it, with their weights (generation).
        start: what is similar to nothing: URLs that anybody may like, with weights (generation).
        alone: URL to the URLs that are visited with it, with weights (generation).
        campaigns: campaign id to campaign.
        online_ads: categories of landing pages that the generation has none for, by what the
            campaigns say of them.
        said: categories of pages that the generation has none for, by the text that was sent of
            them since; "" where it is like none.
        w_ads, w_aff, w_sim: weights of campaign priority, affinity and similarity; not all 0.
        accept_weight: what one accept counts, in visits.
        measure: None where nobody can be measured.
        online: whether a visitor without community gets the nearest, and what is placed by its
            text counts.
    """

    category: dict[str, str | None] = field(default_factory=dict)
    totals: dict[str, Counts] = field(default_factory=dict)
    community: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, dict[str, Counts]] = field(default_factory=dict)
    recent: dict[str, dict[str, Counts]] = field(default_factory=dict)
    last: dict[str, list[str]] = field(default_factory=dict)
    similar: dict[str, Scores] = field(default_factory=dict)
    start: Scores = field(default_factory=dict)
    alone: dict[str, Scores] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    online_ads: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    w_ads: float = 0.5
    w_aff: float = 0.5
    w_sim: float = 0.0
    accept_weight: float = 3.0
    measure: Measure | None = None
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


@dataclass(frozen=True)
class Request:
    """One question.

    Attributes:
        url: canonical URL of the page being browsed.
        visitor: visitor key, or None for an anonymous visitor.
        mode: ``related`` or ``sponsored``.
        filter: ``content`` or ``collaborative``.
        limit: at most so many items.
        exclude: canonical URLs not wanted.
        campaigns: only these campaigns; None or empty: it names none, so all of them.
        repeat: whether visited URLs may come back; None: not in related mode, yes in sponsored.
        fill: whether a list shorter than the limit is filled up by the algorithms that follow.
        now_ms: the service's clock.
        online: the category of the page by its text, "" where that is like none, None where the
            request brings none; counts where the generation has no category.
    """

    url: str
    visitor: str | None = None
    mode: str = "related"
    filter: str = "content"
    limit: int = 10
    exclude: tuple[str, ...] = ()
    campaigns: tuple[str, ...] | None = None
    repeat: bool | None = None
    fill: bool = False
    now_ms: int = 0
    online: str | None = None


class Item(NamedTuple):
    """One recommendation.

    `campaign` and `ad_priority` are None in related mode, `algorithm` in a list that is not to be
    filled up.
    """

    shown: str
    url: str
    priority: float
    rank_score: float
    category: str | None
    campaign: str | None
    affinity: float
    ad_priority: float | None
    similarity: float = 0.0
    algorithm: str | None = None


@dataclass(frozen=True)
class Answer:
    """The recommendations, best first, and how they came about.

    Attributes:
        algorithm: the one that built the list: the first that gave any of it.
        path: every algorithm entered, in order.
        items: at most `limit` of them.
        size: length of the list that the algorithm built, before the cut.
        empty: there is nothing to recommend.
        community: the visitor's, and whether it is the batch's or was found since.
    """

    algorithm: str
    path: list[str]
    items: list[Item]
    size: int
    empty: bool
    community: str | None = None
    community_source: str | None = None


class Ad(NamedTuple):
    """A candidate of ``adUrls``: the campaign that wins the URL, and its spelling."""

    priority: float
    campaign: str
    shown: str


Scores = dict[str, float]  # a list L: canonical URL to the affinity its source list holds
List = tuple[str, Scores]  # an algorithm and a list of its, without X

MOST_SEEN = 10
DECAY = 0.95


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


def ad_category(world: World, url: str) -> str | None:
    """The category of a landing page: the generation's, or else by the campaign's text."""
    return world.category.get(url) or (world.online_ads.get(url) if world.online else None)


def page_category(world: World, request: Request) -> str | None:
    """The category of the page: the generation's, else by the newest text that there is of it.

    Text that was sent, with this request or before, comes before what an active campaign says.
    """
    known = world.category.get(request.url)
    if known is not None or not world.online:
        return known
    sent = world.said.get(request.url) if request.online is None else request.online
    if sent is not None:
        return sent or None
    active = [campaign.ads for campaign in world.campaigns.values() if campaign.active]
    is_landing_page = any(url == request.url for ads in active for _, url in ads)
    return world.online_ads.get(request.url) if is_landing_page else None


def ads_of(world: World, ads: dict[str, Ad], categories: set[str]) -> Scores:
    """The ads with one of the categories, with their total affinity."""
    return {
        url: number(world, world.totals.get(url, (0, 0)))
        for url in ads
        if ad_category(world, url) in categories
    }


def rec_list(world: World, category: str | None) -> Scores:
    """``recL[c]``; None is no category and has none."""
    return {} if category is None else world.rec_lists.get(category, {})


def rec_union(world: World, categories: set[str]) -> Scores:
    """The union of ``recL[c]`` over the categories; a URL has one category, so none collide."""
    return {url: score for c in categories for url, score in rec_list(world, c).items()}


def col_list(world: World, community: str | None) -> Scores:
    """``colL[g]``; a visitor without community has none."""
    return {} if community is None else world.col_lists.get(community, {})


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
    if world.measure is None or visits < world.measure.min_visits:
        return None
    preferred = preferences(world, world.measure.idf, visitor)
    cosines = {
        g: sum(weight * centroid.get(thing, 0.0) for thing, weight in preferred.items())
        for g, centroid in world.measure.centroids.items()
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


def running(world: World, request: Request) -> dict[str, Campaign]:
    """The campaigns active now, and named in the request, where it names some."""
    return {
        id_: campaign
        for id_, campaign in world.campaigns.items()
        if campaign.active
        and (campaign.starts_ms is None or campaign.starts_ms <= request.now_ms)
        and (campaign.ends_ms is None or request.now_ms < campaign.ends_ms)
        and (not request.campaigns or id_ in request.campaigns)
    }


def ad_urls(world: World, request: Request) -> dict[str, Ad]:
    """``adUrls``: each canonical URL with the ad that wins it.

    The highest priority wins, then the smallest campaign id, then the campaign's first spelling.
    """
    offers = [
        (-campaign.priority, id_, place, shown, url)
        for id_, campaign in running(world, request).items()
        for place, (shown, url) in enumerate(campaign.ads)
    ]
    winners: dict[str, Ad] = {}
    for minus_priority, id_, _, shown, url in sorted(offers):
        winners.setdefault(url, Ad(-minus_priority, id_, shown))
    return winners


def excluded(world: World, request: Request) -> set[str]:
    """``X``: the request's URL, its exclude list and, unless repeated, what the user visited."""
    repeat = request.mode == "sponsored" if request.repeat is None else request.repeat
    visited = {url for url, (visits, _) in counts_of(world, request.visitor) if visits >= 1}
    return {request.url} | set(request.exclude) | (set() if repeat else visited)


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

    Below 0 is 0, and the greatest is 1. Of one page alone, what is visited with it counts. To have
    seen nothing makes nothing similar.
    """
    pages = seen(world, request)
    sums = dict(world.start) if len(pages) > 1 else {}
    lists = world.similar if len(pages) > 1 else world.alone
    for place, page in enumerate(pages):
        for url, weight in lists.get(page, {}).items():
            sums[url] = sums.get(url, 0.0) + weight * DECAY**place
    greatest = max(sums.values(), default=0.0)
    return {url: total / greatest for url, total in sums.items() if total > 0}


class Algorithms:
    """The six, for one request. Each gives its lists, in the order in which they are tried."""

    def __init__(self, world: World, request: Request) -> None:
        self.world = world
        self.c = page_category(world, request)
        self.g, self.source = community_of(world, request.visitor)
        self.ads = ad_urls(world, request)
        self.x = excluded(world, request)
        self.all_categories = set(world.rec_lists) | set(world.online_ads.values())
        self.col = col_list(world, self.g)
        self.col_categories = {c for url in self.col if (c := world.category.get(url)) is not None}

    def without_x(self, urls: Scores) -> Scores:
        """The list without ``X``."""
        return {url: score for url, score in urls.items() if url not in self.x}

    def only_ads(self, urls: Scores) -> Scores:
        """``adUrls`` ∩ the list."""
        return {url: score for url, score in urls.items() if url in self.ads}

    def ads_in(self, categories: set[str]) -> Scores:
        """``adUrls`` ∩ ``recL[c]`` for each c, and landing pages placed there since."""
        return ads_of(self.world, self.ads, categories)

    def sp_cont(self) -> Iterator[List]:
        """WebR.Sp.Cont: ads of the page's category."""
        yield "WebR.Sp.Cont", {} if self.c is None else self.ads_in({self.c})
        yield from self.sp_default() if self.g is None else self.sp_col()

    def rel_cont(self) -> Iterator[List]:
        """WebR.Rel.Cont: pages of the page's category."""
        yield "WebR.Rel.Cont", rec_list(self.world, self.c)
        yield from self.rel_default() if self.g is None else self.rel_col()

    def sp_col(self) -> Iterator[List]:
        """WebR.Sp.Col: ads the community visited, else ads of the categories it visited."""
        if self.g is None:
            yield "WebR.Sp.Col", {}
            yield from self.sp_cont()
            return
        yield "WebR.Sp.Col", self.only_ads(self.col)
        yield "WebR.Sp.Col", self.ads_in(self.col_categories)
        yield from self.sp_default()

    def rel_col(self) -> Iterator[List]:
        """WebR.Rel.Col: pages the community visited, else pages of the categories it visited."""
        if self.g is None:
            yield "WebR.Rel.Col", {}
            yield from self.rel_cont()
            return
        yield "WebR.Rel.Col", self.col
        yield "WebR.Rel.Col", rec_union(self.world, self.col_categories)
        yield from self.rel_default()

    def sp_default(self) -> Iterator[List]:
        """WebR.Sp.Default: every ad that has a category."""
        yield "WebR.Sp.Default", self.ads_in(self.all_categories)

    def rel_default(self) -> Iterator[List]:
        """WebR.Rel.Default: every page that has a category."""
        yield "WebR.Rel.Default", rec_union(self.world, self.all_categories)


def recommend(world: World, request: Request) -> Answer:
    """The answer the definitions give."""
    six = Algorithms(world, request)
    first = {
        ("sponsored", "content"): six.sp_cont,
        ("sponsored", "collaborative"): six.sp_col,
        ("related", "content"): six.rel_cont,
        ("related", "collaborative"): six.rel_col,
    }
    ads = six.ads if request.mode == "sponsored" else {}
    aff, sim = affinities(world, request.visitor), similarities(world, request)
    items: list[Item] = []
    path: list[str] = []
    builder, size = "", 0
    for name, whole in first[request.mode, request.filter]():
        path = [*path, name] if name not in path[-1:] else path
        given = {item.url for item in items}
        found = {url: s for url, s in six.without_x(whole).items() if url not in given}
        if found and not items:
            builder, size = name, len(found)
        by = name if request.fill else None
        more = [item(world, aff, sim, url, s, ads.get(url), by) for url, s in found.items()]
        items += sorted(more, key=lambda each: (-each.priority, -each.rank_score, each.url))
        if len(items) >= (request.limit if request.fill else 1):
            break
    items, empty = items[: request.limit], not items
    return Answer(builder or path[-1], path, items, size, empty, six.g, six.source)


def item(
    world: World,
    affinity: dict[str, float],
    similarity: Scores,
    url: str,
    rank_score: float,
    ad: Ad | None,
    algorithm: str | None,
) -> Item:
    """One recommendation with its priority: of the ad, or without one of a related page."""
    category = world.category.get(url) if ad is None else ad_category(world, url)
    aff = 0.0 if category is None else affinity.get(category, 0.0)
    sim = similarity.get(url, 0.0) if world.w_sim else 0.0
    if ad is None and not world.w_sim:
        return Item(url, url, aff, rank_score, category, None, aff, None, sim, algorithm)
    if ad is None:
        priority = (world.w_aff * aff + world.w_sim * sim) / (world.w_aff + world.w_sim)
        return Item(url, url, priority, rank_score, category, None, aff, None, sim, algorithm)
    sums = world.w_ads * ad.priority + world.w_aff * aff + world.w_sim * sim
    priority = sums / (world.w_ads + world.w_aff + world.w_sim)
    return Item(
        ad.shown,
        url,
        priority,
        rank_score,
        category,
        ad.campaign,
        aff,
        ad.priority,
        sim,
        algorithm,
    )
