"""What a store says, in the words of the oracle: settings in, a `World` out.

Pages, profiles, similar pages and the members of communities are read from the tables of the active
generation, and the oracle works out its lists from them: an error of the batch is not found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from webrec.bench import oracle
from webrec.config import Settings
from webrec.domain.progress import Progress
from webrec.domain.types import Arrays, Campaign
from webrec.features.page_classifier import PageClassifier
from webrec.formats.requests import RequestDocument
from webrec.serving.landing_pages import LandingPages
from webrec.storage import open_store
from webrec.tables.generations import Generation
from webrec.tables.rows import Counts, ProfileRow
from webrec.tables.tables import Tables


def world_of(settings: Settings, progress: Progress) -> oracle.World:
    """What the active generation of a store says, with the campaigns, in the oracle's words."""
    store = open_store(settings.store_uri)
    try:
        return _world(Tables(store), settings, progress)
    finally:
        store.close()


def _world(tables: Tables, settings: Settings, progress: Progress) -> oracle.World:
    generation = tables.generations.active()
    if generation is None:
        raise ValueError("the store holds no model")
    pages = list(tables.pages.all(generation.id))
    campaigns = list(tables.campaigns.all())
    category = {
        page.url: None if page.category < 0 else generation.category_ids[page.category]
        for page in pages
    }
    urls = {page.number: page.url for page in pages}
    visitors = dict(tables.profiles.communities(generation.id))
    profiles, last = {}, {}
    for done, visitor in enumerate(visitors):
        progress("reading profiles", done, len(visitors))
        row = tables.profiles.get(generation.id, visitor)
        profiles[visitor] = {} if row is None else _history(row, urls)
        last[visitor] = [] if row is None else [urls[page] for page in row.last.tolist()]
    arrays = tables.arrays.all(generation.id)
    similar = arrays.get("similar")
    return oracle.World(
        category=category,
        totals={page.url: (page.visits, page.accepts) for page in pages},
        community={
            visitor: generation.community_ids[number]
            for visitor, number in visitors.items()
            if number is not None
        },
        profiles=profiles,
        last=last,
        similar={} if similar is None else similar_lists(similar, "", urls),
        co_visits={} if similar is None else similar_lists(similar, "alone_", urls),
        intercept={} if similar is None else _weights(similar, "start_", slice(None), urls),
        campaigns={campaign.id: _campaign(campaign) for campaign in campaigns},
        w_ads=settings.w_ads,
        w_aff=settings.w_aff,
        w_sim=settings.w_sim,
        accept_weight=settings.accept_weight,
        online_ads=_online_ads(tables, settings, category, campaigns),
        user_classifier=_user_classifier(arrays.get("users"), generation, urls),
        online=settings.online == "on",
    )


def _user_classifier(
    arrays: Arrays | None, generation: Generation, urls: dict[int, str]
) -> oracle.NearestCentroid | None:
    """What tells communities: the columns are pages, then categories."""
    if not arrays:
        return None
    things = [urls[number] for number in arrays["pages"].tolist()] + list(generation.category_ids)
    return oracle.NearestCentroid(
        idf=dict(zip(things, arrays["idf"].tolist(), strict=True)),
        centroids={
            community_id: {
                thing: weight
                for thing, weight in zip(things, weights.tolist(), strict=True)
                if weight
            }
            for community_id, weights in zip(
                generation.community_ids, arrays["centroids"].T, strict=True
            )
        },
        min_visits=int(arrays["min_visits"][0]),
    )


def similar_lists(arrays: Arrays, which: str, urls: dict[int, str]) -> dict[str, oracle.Scores]:
    """The similar pages of every page."""
    bounds = [0, *arrays[f"{which}ends"].tolist()]
    return {
        urls[page]: _weights(arrays, which, slice(*bounds[page : page + 2]), urls) for page in urls
    }


def _weights(arrays: Arrays, which: str, part: slice, urls: dict[int, str]) -> oracle.Scores:
    pages, weights = (
        arrays[f"{which}pages"][part].tolist(),
        arrays[f"{which}weights"][part].tolist(),
    )
    return {urls[page]: weight for page, weight in zip(pages, weights, strict=True)}


def _online_ads(
    tables: Tables,
    settings: Settings,
    category: Mapping[str, str | None],
    campaigns: Sequence[Campaign],
) -> dict[str, str]:
    ids, classifier = _page_classifier(tables, settings)
    landing = LandingPages(lambda url: category.get(url) is not None, classifier)
    landing.follow(campaigns)
    landing.categorise(inf)
    return {url: ids[number] for url, number in landing.categories().items()}


def categories_by_text(
    settings: Settings, world: oracle.World, requests: Sequence[RequestDocument]
) -> dict[int, str | None]:
    """The category of each request's page by the text that the request brings.

    Returns:
        By index of the request. A page is left out that is categorised by what another request
        sent of it, in any field, at whatever moment.
    """
    store = open_store(settings.store_uri)
    try:
        tables = Tables(store)
        ids, classifier = _page_classifier(tables, settings)
        found: dict[int, str | None] = {}
        for index, request in enumerate(requests):
            page, known = request.page, world.category.get(request.url) is not None
            sent = None if known or classifier is None else tables.page_texts.get(request.url)
            if page is None or classifier is None:
                if sent is None:
                    found[index] = None
            elif sent is None or page.filled(sent) == page:
                number = classifier.category(page)
                found[index] = "" if number is None else ids[number]
        return found
    finally:
        store.close()


def _page_classifier(
    tables: Tables, settings: Settings
) -> tuple[Sequence[str], PageClassifier | None]:
    """The active generation's category ids, and what categorises pages it does not know."""
    generation = tables.generations.active()
    arrays = {} if generation is None else tables.arrays.all(generation.id).get("pages", {})
    ids = () if generation is None else generation.category_ids
    return ids, PageClassifier(arrays) if arrays and settings.online == "on" else None


def _campaign(campaign: Campaign) -> oracle.Campaign:
    return oracle.Campaign(
        campaign.priority,
        [(ad.shown, ad.page.url) for ad in campaign.ads],
        campaign.starts_ms,
        campaign.ends_ms,
        campaign.active,
    )


def _history(row: ProfileRow, urls: dict[int, str]) -> dict[str, oracle.Counts]:
    """Visits and accepts by URL; a URL may have only one of them."""
    visits, accepts = _by_url(row.urls, urls), _by_url(row.accepted_urls, urls)
    return {
        url: (visits.get(url, 0), accepts.get(url, 0)) for url in dict.fromkeys([*visits, *accepts])
    }


def _by_url(counts: Counts, urls: dict[int, str]) -> dict[str, int]:
    pairs = zip(counts.numbers.tolist(), counts.counts.tolist(), strict=True)
    return {urls[number]: count for number, count in pairs}
