"""The oracle's six algorithms, their fallbacks, and the one sort that orders a list."""

from __future__ import annotations

from collections.abc import Iterator

from webrec.bench.oracle.candidates import (
    Ad,
    ad_category,
    ad_urls,
    ads_of,
    col_list,
    excluded,
    page_category,
    rec_list,
    rec_union,
)
from webrec.bench.oracle.request import Item, PlainAnswer, Request
from webrec.bench.oracle.visitor import affinities, community_of, similarities
from webrec.bench.oracle.world import Scores, World

List = tuple[str, Scores]
"""An algorithm, and a list of its before ``X`` is taken out."""


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
        """``adUrls`` ∩ ``recL[c]`` for each c, and landing pages that belong there by text."""
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


def recommend(world: World, request: Request) -> PlainAnswer:
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
    return PlainAnswer(builder or path[-1], path, items, size, empty, six.g, six.source)


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
