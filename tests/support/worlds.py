"""Oracle worlds as published generations of a real store, and one engine's answers in their terms.

`published` writes an oracle's `World` through `webrec.tables`, as a batch would, and opens an
`Engine` on it. `answer_of` asks the engine and gives what the oracle would give, item by item.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.learners import default_learners
from hbase_schema import row_keys as keys
from hbase_schema.cells import PageCell, RecentCell
from tests.support import world as known
from webrec import config
from webrec.admin.users import get_user
from webrec.batch import job
from webrec.batch.options import BatchOptions
from webrec.bench import oracle
from webrec.bench.oracle import World
from webrec.domain.answers import AnswerItem
from webrec.domain.progress import Progress, no_progress
from webrec.domain.types import AdPage, Arrays, Campaign, Event, Page
from webrec.errors import NotFound
from webrec.features.page_classifier import hashes_of
from webrec.features.user_classifier import UserClassifier
from webrec.formats.campaigns import parse_campaign
from webrec.formats.events import parse_event
from webrec.formats.requests import parse_request
from webrec.rawlog import Watermark
from webrec.serving.engine import Engine
from webrec.tables.generations import Generation
from webrec.tables.page_texts import PageText
from webrec.tables.rows import CategoryRow, Counts, ProfileRow
from webrec.tables.tables import Tables

NOW_MS = 1_790_000_000_000
GENERATION = "000001"
CUT_US = 1_000
ABSORBED = "00000000-absorbed-spool"
PAST = "00000001-left-behind-spool"
WATERMARK = Watermark({"spool": 0})
"""Of the first cut of a log."""


@contextmanager
def opened(home: Path, **settings: object) -> Iterator[Engine]:
    """An engine on the store and the log in ``home``; nothing runs in its background.

    The published priority orders its lists, unless ``settings`` give similarity a weight.
    """
    # a read that a busy machine makes slowly is left out of no test's answer
    engine = Engine(config.load(home=home, **{"tmax": 60_000, "w_sim": 0, **settings}))
    try:
        engine.tables.create()
        engine.refresh()
        yield engine
    finally:
        engine.close()


def ingest_known(engine: Engine) -> None:
    """Record the known-answer world and write its campaigns."""
    engine.recorder.record([parse_event(e, NOW_MS) for e in (*known.PAGES, *known.VISITS)])
    engine.tables.campaigns.put([parse_campaign(c) for c in known.CAMPAIGNS])
    engine.refresh()


def batch(engine: Engine, progress: Progress = no_progress, **options: Any) -> Generation:
    """Run a batch with the default learners, and let the engine take in its generation.

    Args:
        options: see `webrec.batch.options.BatchOptions`.
    """
    given = BatchOptions(**options)
    learners = default_learners(given, engine.settings)
    parts = (engine.tables, engine.log, engine.recorder, engine.settings)
    generation = job.run(*parts, learners, given, progress).generation
    engine.refresh()
    return generation


def seen(engine: Engine, visitor: str) -> dict[str, oracle.Counts]:
    """What a visitor did, by URL: of the batch and since, as an operator sees it."""
    try:
        found = get_user(engine, visitor)
    except NotFound:
        return {}
    return {each["url"]: (each["visits"], each["accepts"]) for each in found["urls"]}


@contextmanager
def published(world: World, home: Path, rng: Random, store: str = "") -> Iterator[Engine]:
    """An engine on a new store that holds the world.

    Args:
        rng: decides what may not matter: the order of ids, and how recent visits came in.
        store: the store's URI, for one that is not in ``home``.
    """
    names = ("w_ads", "w_aff", "w_sim", "accept_weight")
    given = {name: getattr(world, name) for name in names}
    given["online"] = "on" if world.online else "off"
    with opened(home, store=store, **given) as engine:
        engine.recorder.cut(0)  # what is recorded from here on is newer than the generation
        publish(engine.tables, world, rng)
        put_campaigns(engine.tables, world)
        _say(engine, world)
        _happen(engine, world, rng)
        engine.refresh()
        yield engine


@contextmanager
def serving(home: Path, world: World, **settings: object) -> Iterator[Engine]:
    """An engine on a new store that holds the world's generation, and nothing newer."""
    with opened(home, **settings) as engine:
        engine.recorder.cut(0)
        publish(engine.tables, world, Random(1))
        engine.refresh()
        yield engine


def publish(
    tables: Tables, world: World, rng: Random, generation_id: str = GENERATION
) -> Generation:
    """Write a world's pages, categories, communities and profiles, and activate them."""
    category_ids = sorted({c for c in world.category.values() if c is not None})
    community_ids = sorted(set(world.community.values()))
    rng.shuffle(category_ids)
    rng.shuffle(community_ids)
    if world.user_classifier is not None:  # whose order decides between equally near ones
        community_ids = list(world.user_classifier.centroids)
    number = {url: n for n, url in enumerate(sorted(world.category))}
    generation = Generation(
        id=generation_id,
        created_ms=1,
        cut_us=CUT_US,
        watermark=WATERMARK,
        accept_weight=world.accept_weight,
        category_ids=tuple(category_ids),
        community_ids=tuple(community_ids),
        suggested_labels=tuple(f"Label of {c}" for c in category_ids),
        counts={"pages": len(number)},
    )
    tables.generations.create(generation_id)
    tables.pages.put(generation_id, _pages(world, number, category_ids))
    tables.categories.put(generation_id, _categories(world, number, category_ids))
    tables.communities.put(generation_id, _communities(world, number, category_ids, community_ids))
    tables.profiles.put(generation_id, _profiles(world, number, category_ids, community_ids))
    spaces = {"similar": _similar(world, number)}
    if world.user_classifier is not None:
        spaces["users"] = users_of(world.user_classifier, number, category_ids).arrays()
    if category_ids:
        spaces["pages"] = space_of(category_ids)
    tables.arrays.put(generation_id, spaces)
    tables.generations.put(generation)
    active = tables.generations.active()
    tables.generations.activate(generation_id, None if active is None else active.id)
    return generation


def space_of(category_ids: list[str]) -> Arrays:
    """A space in which each category has one word, see `telling`, and nothing else is known."""
    hashes = hashes_of([telling(c) for c in category_ids])
    order = np.argsort(hashes)
    one = np.eye(len(category_ids), dtype=np.float32)
    return {
        "words": hashes[order],
        "idf": np.ones(len(hashes), np.float32),
        "centroids": one[:, order],
        "radii": np.full(len(hashes), 0.5, np.float32),
        "known": np.zeros(1, np.float32),
        "templates": np.empty(0, np.uint64),
    }


def telling(category: str) -> str:
    """The word that all new pages of a category have for their title."""
    return f"word{category}"


def put_campaigns(tables: Tables, world: World) -> None:
    """Write a world's campaigns."""
    tables.campaigns.put([_campaign(world, id_, c) for id_, c in world.campaigns.items()])


def answer_of(engine: Engine, request: oracle.Request) -> oracle.PlainAnswer:
    """What the engine answers, in the oracle's terms; nothing is recorded."""
    document = {
        "url": request.url,
        "mode": request.mode,
        "filter": request.filter,
        "limit": request.limit,
        "exclude": list(request.exclude),
        "campaigns": None if request.campaigns is None else list(request.campaigns),
        "repeat": request.repeat,
        "fill": request.fill,
        "track": False,
        "explain": True,
        "title": None if request.online is None else telling(request.online or "nothing"),
        **({} if request.visitor is None else identity(request.visitor)),
    }
    found = engine.recommend(parse_request(document, request.now_ms), request.now_ms)
    spelled = {}
    if request.mode == "sponsored":
        spelled = {ad.shown: ad.page.url for c in engine.tables.campaigns.all() for ad in c.ads}
    items = [_item_of(item, spelled.get(item.url, item.url)) for item in found.items]
    assert request.mode == "related" or all(item.url in spelled for item in found.items)
    for item in items:
        assert engine.snapshot.ads.find(item.url) is not None
    if not request.fill:
        assert found.path[-1] == found.algorithm
    assert (found.empty_reason is None) == bool(items)
    assert found.explanation is not None
    return oracle.PlainAnswer(
        found.algorithm,
        list(found.path),
        items,
        found.explanation.size,
        found.empty_reason is not None,
        found.explanation.community,
        found.explanation.community_source,
    )


def _item_of(item: AnswerItem, url: str) -> oracle.Item:
    """An item in the oracle's terms.

    Args:
        url: its canonical form.
    """
    assert item.explanation is not None
    return oracle.Item(
        shown=item.url,
        url=url,
        priority=item.priority,
        rank_score=item.explanation.rank_score,
        category=None if item.category is None else item.category.id,
        campaign=item.campaign,
        affinity=item.explanation.affinity,
        ad_priority=item.explanation.ad_priority,
        similarity=item.explanation.similarity,
        algorithm=item.algorithm,
    )


def identity(visitor: str) -> dict[str, str]:
    """The fields of a document that give a visitor key."""
    space, _, name = visitor.partition(":")
    return {{"u": "user", "i": "ip"}[space]: name}


def users_of(
    measure: oracle.NearestCentroid, number: dict[str, int], category_ids: list[str]
) -> UserClassifier:
    """What users are measured by, as the service has it."""
    pages = sorted(set(measure.idf) & set(number))
    things = [*pages, *category_ids]
    centroids = [[c.get(thing, 0.0) for c in measure.centroids.values()] for thing in things]
    return UserClassifier(
        np.array([number[url] for url in pages], np.uint32),
        np.array([measure.idf[thing] for thing in things], np.float64),
        np.array(centroids, np.float32).reshape(len(things), len(measure.centroids)),
        measure.min_visits,
    )


def _pages(world: World, number: dict[str, int], category_ids: list[str]) -> Iterator[PageCell]:
    for url, category in world.category.items():
        place = -1 if category is None else category_ids.index(category)
        yield PageCell(url, number[url], place, *world.totals.get(url, (0, 0)))


def _categories(
    world: World, number: dict[str, int], category_ids: list[str]
) -> Iterator[tuple[str, CategoryRow]]:
    for category in category_ids:
        rec = oracle.rec_list(world, category)
        urls = np.array([number[url] for url in rec], np.uint32)
        yield category, CategoryRow(urls, [], float(sum(rec.values())))


def _communities(
    world: World, number: dict[str, int], category_ids: list[str], community_ids: list[str]
) -> Iterator[tuple[str, ProfileRow, int]]:
    for place, community in enumerate(community_ids):
        members = [v for v, g in world.community.items() if g == community]
        profiles = [world.profiles.get(member, {}) for member in members]
        summed = {
            url: oracle.add([profile[url] for profile in profiles if url in profile])
            for url in sorted({url for profile in profiles for url in profile})
        }
        row = _row(world, summed, number, category_ids, place)
        col = [(number[url], summed[url][0]) for url in oracle.col_list(world, community)]
        yield community, row._replace(urls=_counts(col)), len(members)


def _profiles(
    world: World, number: dict[str, int], category_ids: list[str], community_ids: list[str]
) -> Iterator[tuple[str, ProfileRow]]:
    for visitor in {*world.profiles, *world.community}:
        community = world.community.get(visitor)
        place = None if community is None else community_ids.index(community)
        row = _row(world, world.profiles.get(visitor, {}), number, category_ids, place)
        last = [number[url] for url in world.last.get(visitor, [])]
        yield visitor, row._replace(last=np.array(last, np.uint32))


def _similar(world: World, number: dict[str, int]) -> Arrays:
    """The similar pages of every page, end to end."""
    return {
        **_end_to_end("", world.similar, number),
        "start_pages": np.array([number[url] for url in world.intercept], np.uint32),
        "start_weights": np.array(list(world.intercept.values()), np.float32),
        **_end_to_end("alone_", world.co_visits, number),
    }


def _end_to_end(
    which: str, lists: dict[str, dict[str, float]], number: dict[str, int]
) -> dict[str, NDArray[Any]]:
    """The lists of all pages in the order of their numbers, and where each ends."""
    each = [lists.get(url, {}) for url in sorted(number)]
    return {
        f"{which}pages": np.array([number[url] for one in each for url in one], np.uint32),
        f"{which}weights": np.array([w for one in each for w in one.values()], np.float32),
        f"{which}ends": np.cumsum([len(one) for one in each], dtype=np.int64),
    }


def _row(
    world: World,
    urls: dict[str, oracle.Counts],
    number: dict[str, int],
    category_ids: list[str],
    community: int | None,
) -> ProfileRow:
    """A profile's four families, each in the order of its numbers."""
    categories = {world.category[url] for url in urls} - {None}
    cats = {
        category_ids.index(str(category)): oracle.add(
            [pair for url, pair in urls.items() if world.category[url] == category]
        )
        for category in categories
    }
    pages = {number[url]: pair for url, pair in urls.items()}
    families = [
        _counts(sorted((n, pair[which]) for n, pair in things.items() if pair[which]))
        for which in (0, 1)
        for things in (pages, cats)
    ]
    return ProfileRow(families[0], families[1], families[2], families[3], community)


def _counts(pairs: list[tuple[int, int]]) -> Counts:
    numbers, counts = np.array(pairs, np.uint32).reshape(-1, 2).T
    return Counts(numbers, counts)


def _campaign(world: World, campaign_id: str, campaign: oracle.Campaign) -> Campaign:
    starts_ms, ends_ms = campaign.starts_ms, campaign.ends_ms
    if starts_ms is not None and ends_ms is not None and ends_ms <= starts_ms:
        # no document may end before it starts; such a campaign never runs, and neither does one
        # that is long over
        starts_ms, ends_ms = 0, 1
    return Campaign(
        campaign_id,
        _ads(world, campaign),
        campaign.priority,
        starts_ms=starts_ms,
        ends_ms=ends_ms,
        active=campaign.active,
    )


def _ads(world: World, campaign: oracle.Campaign) -> tuple[AdPage, ...]:
    title = {url: telling(category) for url, category in world.online_ads.items()}
    return tuple(AdPage(shown, Page(url, title.get(url, ""))) for shown, url in campaign.ads)


def _say(engine: Engine, world: World) -> None:
    """Let the texts come in that were sent of pages."""
    engine.tables.page_texts.put(
        (PAST, url, PageText((0, telling(category or "nothing"))))
        for url, category in world.online_pages.items()
    )


def _happen(engine: Engine, world: World, rng: Random) -> None:
    """Let the recent part come in by one of its ways, and noise that counts for nothing."""
    way = rng.choice(["cells", "overlay", "flushed", "half flushed"])
    order = 0
    for visitor, urls in world.recent.items():
        for url, (visits, accepts) in urls.items():
            order += 1
            if way == "cells":
                cell = RecentCell(CUT_US + 1, order, visits, accepts, url)
                column = keys.recent_column(PAST, url)
                engine.tables.visitors.put_recent([(visitor, column, cell)])
            else:
                events = [Event("visit", url, visitor, 0)] * visits
                events += [Event("accept", url, visitor, 0)] * accepts
                engine.recorder.record(events)
                if way == "half flushed" and rng.random() < 0.3:
                    engine.recorder.flush()
    for visitor in world.profiles:  # the generation has absorbed these
        for url in rng.sample(sorted(world.category), min(2, len(world.category))):
            cell = RecentCell(CUT_US, 1, 5, 5, url)
            engine.tables.visitors.put_recent([(visitor, keys.recent_column(ABSORBED, url), cell)])
    if way == "flushed":
        engine.recorder.flush()
