"""The oracle on candidates: categories, the lists of categories and communities, and ads."""

from __future__ import annotations

from typing import NamedTuple

from webrec.bench.oracle.request import Request
from webrec.bench.oracle.visitor import counts_of
from webrec.bench.oracle.world import Campaign, Scores, World, number


class Ad(NamedTuple):
    """A candidate of ``adUrls``: the campaign that wins the URL, and its spelling."""

    priority: float
    campaign: str
    shown: str


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
    sent = world.online_pages.get(request.url) if request.online is None else request.online
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
        (-campaign.priority, id_, position, shown, url)
        for id_, campaign in running(world, request).items()
        for position, (shown, url) in enumerate(campaign.ads)
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
