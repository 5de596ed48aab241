"""Worlds of any size: exact, as large as asked, and the same for the same spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.random_worlds import random_request
from tests.support.worlds import NOW_MS, answer_of, opened
from webrec.bench import oracle
from webrec.bench.oracle import World
from webrec.bench.stored_world import similar_lists
from webrec.bench.synthetic_model import GENERATION, SyntheticModelSpec, requests, write_model
from webrec.domain.progress import no_progress
from webrec.errors import UsageError
from webrec.formats.requests import RequestDocument, parse_request
from webrec.serving.engine import Engine
from webrec.storage import open_store
from webrec.tables.rows import ProfileRow
from webrec.tables.tables import Tables

SPEC = SyntheticModelSpec(
    urls=300, users=80, ads=60, profile_urls=12, categories=10, communities=4, seed=7
)
"""Small; the profiles of a community overlap."""
MOST_EXCLUDED = 100
"""Of a request document."""


def written(folder: Path, spec: SyntheticModelSpec = SPEC) -> Tables:
    """The tables of a new store that a synthetic model was written to."""
    tables = Tables(open_store(f"sqlite:///{folder}/webrec.db"))
    write_model(tables, spec, no_progress)
    return tables


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine on the small world."""
    with opened(tmp_path_factory.mktemp("synthetic"), w_sim=32) as engine:
        write_model(engine.tables, SPEC, no_progress)
        engine.refresh()
        yield engine


@pytest.fixture(scope="module")
def world(engine: Engine) -> World:
    """The small world as the oracle knows it: of the profiles, every sum worked out anew."""
    pages = list(engine.tables.pages.all(GENERATION))
    generation = engine.snapshot.model.generation
    urls = {page.number: page.url for page in pages}
    rows = profiles(engine.tables)
    space = engine.snapshot.model.learned("similar")
    by_url = {visitor: _histories(row, urls) for visitor, row in rows.items()}
    of_all: dict[str, list[oracle.Counts]] = {}
    for history in by_url.values():
        for url, counts in history.items():
            of_all.setdefault(url, []).append(counts)
    return World(
        category={page.url: generation.category_ids[page.category] for page in pages},
        totals={url: oracle.add(counts) for url, counts in of_all.items()},
        community={
            visitor: generation.community_ids[row.community]
            for visitor, row in rows.items()
            if row.community is not None
        },
        profiles=by_url,
        last={visitor: [urls[p] for p in row.last.tolist()] for visitor, row in rows.items()},
        similar=similar_lists(space, "", urls),
        co_visits=similar_lists(space, "alone_", urls),
        intercept=_weights(urls, space["start_pages"], space["start_weights"]),
        w_sim=engine.settings.w_sim,
        campaigns={
            campaign.id: oracle.Campaign(
                campaign.priority, [(ad.shown, ad.page.url) for ad in campaign.ads]
            )
            for campaign in engine.tables.campaigns.all()
        },
    )


def _weights(
    urls: dict[int, str], pages: NDArray[np.uint32], weights: NDArray[np.float32]
) -> dict[str, float]:
    pairs = zip(pages.tolist(), weights.tolist(), strict=True)
    return {urls[page]: weight for page, weight in pairs}


def profiles(tables: Tables) -> dict[str, ProfileRow]:
    """Every profile by visitor key."""
    rows = {visitor: tables.profiles.get(GENERATION, visitor) for visitor, _ in visitors(tables)}
    return {visitor: row for visitor, row in rows.items() if row is not None}


def visitors(tables: Tables) -> list[tuple[str, int | None]]:
    """Every visitor with a profile, and the number of the community."""
    return list(tables.profiles.communities(GENERATION))


def _histories(row: ProfileRow, urls: dict[int, str]) -> dict[str, oracle.Counts]:
    accepts = dict(zip(*(part.tolist() for part in row.accepted_urls), strict=True))
    visits = zip(*(part.tolist() for part in row.urls), strict=True)
    return {urls[page]: (count, accepts.get(page, 0)) for page, count in visits}


def asked(request: RequestDocument) -> oracle.Request:
    """A request in the oracle's terms."""
    return oracle.Request(
        url=request.url,
        visitor=request.visitor,
        mode=request.mode,
        filter=request.filter or "content",
        limit=request.limit,
        now_ms=NOW_MS,
    )


def test_the_measured_requests_are_answered_as_the_definitions_say(
    engine: Engine, world: World
) -> None:
    """Two hundred of the requests that a measurement sends, each as the oracle answers it."""
    for document in requests(SPEC, 200, NOW_MS):
        request = asked(parse_request(document, NOW_MS))
        assert answer_of(engine, request) == oracle.recommend(world, request)


def test_any_request_is_answered_as_the_definitions_say(engine: Engine, world: World) -> None:
    """Two hundred requests with exclusions, limits and named campaigns, each as the oracle's."""
    rng = Random(1)
    for _ in range(200):
        drawn = random_request(rng, world)
        request = replace(drawn, exclude=drawn.exclude[:MOST_EXCLUDED])
        assert answer_of(engine, request) == oracle.recommend(world, request)


def test_every_number_is_the_sum_of_the_profiles(engine: Engine, world: World) -> None:
    """Totals of pages and categories, and the four parts of users and communities."""
    tables, generation = engine.tables, engine.snapshot.model.generation
    for page in tables.pages.all(GENERATION):
        assert (page.visits, page.accepts) == world.totals.get(page.url, (0, 0))
    for category_id in generation.category_ids:
        row = tables.categories.get(GENERATION, category_id)
        assert row is not None
        assert row.value == sum(oracle.rec_list(world, category_id).values())
    rows = profiles(tables)
    category = {page.number: page.category for page in tables.pages.all(GENERATION)}
    for number, community_id in enumerate(generation.community_ids):
        members = [row for row in rows.values() if row.community == number]
        found = tables.communities.get(GENERATION, community_id)
        assert found is not None
        assert found[1] == len(members)
        for part in range(4):
            assert _sums([found[0]], part) == _sums(members, part)
    for row in rows.values():  # type: ignore[assignment]
        for pages, cats in ((row.urls, row.cats), (row.accepted_urls, row.accepted_cats)):
            by_category: Counter[int] = Counter()
            for page, count in zip(pages.numbers.tolist(), pages.counts.tolist(), strict=True):
                by_category[category[page]] += count
            assert dict(zip(cats.numbers.tolist(), cats.counts.tolist(), strict=True)) == (
                by_category
            )


def _sums(rows: list[ProfileRow], part: int) -> Counter[int]:
    """What is in one of the four parts of all the rows together."""
    sums: Counter[int] = Counter()
    for row in rows:
        sums.update(dict(zip(*(array.tolist() for array in row[part]), strict=True)))
    return sums


def test_there_is_as_much_of_each_as_asked(engine: Engine) -> None:
    """Pages, users, profile sizes, ads, categories and communities; no ad is there twice."""
    tables, generation = engine.tables, engine.snapshot.model.generation
    rows = profiles(tables)
    ads = [ad.page.url for campaign in tables.campaigns.all() for ad in campaign.ads]
    assert len(list(tables.pages.all(GENERATION))) == SPEC.urls
    assert len(rows) == SPEC.users
    assert {len(row.urls.numbers) for row in rows.values()} == {SPEC.profile_urls}
    assert len(ads) == len(set(ads)) == SPEC.ads
    assert [len(campaign.ads) for campaign in tables.campaigns.all()] == [10] * 6
    assert all(round(each.priority, 2) == each.priority for each in tables.campaigns.all())
    assert len(generation.category_ids) == SPEC.categories
    assert {community for _, community in visitors(tables)} == set(range(SPEC.communities))


def test_large_profiles_are_filled_up(tmp_path: Path) -> None:
    """Half of all pages are in each profile, although popularity would hardly get there."""
    spec = replace(SPEC, users=5, communities=2, profile_urls=SPEC.urls // 2)
    rows = profiles(written(tmp_path, spec))
    assert [len(row.urls.numbers) for row in rows.values()] == [150] * 5


def test_communities_differ_and_a_few_pages_are_popular(world: World) -> None:
    """Members agree more than strangers do, and a tenth of the pages has most of the visits."""
    by_community: dict[str, list[set[str]]] = {}
    for visitor, community in world.community.items():
        by_community.setdefault(community, []).append(set(world.profiles[visitor]))
    agreed = Counter[bool]()
    pairs = Counter[bool]()
    for one, ours in by_community.items():
        for other, theirs in by_community.items():
            for mine in ours:
                agreed[one == other] += sum(len(mine & yours) for yours in theirs)
                pairs[one == other] += len(theirs)
    assert agreed[True] / pairs[True] > 2 * agreed[False] / pairs[False]
    visits = sorted((visits for visits, _ in world.totals.values()), reverse=True)
    assert sum(visits[: SPEC.urls // 10]) > 0.4 * sum(visits)


def test_the_same_spec_gives_the_same_tables(tmp_path: Path) -> None:
    """Every cell of a generation and its campaigns; another seed gives others."""
    one, same = _cells(written(tmp_path / "one")), _cells(written(tmp_path / "same"))
    other = _cells(written(tmp_path / "other", replace(SPEC, seed=8)))
    assert one == same
    assert not one.keys() - other.keys()
    assert all(one[table] != other[table] for table in one)


def _cells(tables: Tables) -> dict[str, list[tuple[bytes, dict[bytes, bytes]]]]:
    """All rows of the tables that a synthetic model is written to."""
    store = tables.store
    return {
        name: list(store.scan(name))
        for name in store.tables()
        if name.startswith("g") or name == "campaigns"
    }


def test_a_store_that_holds_a_model_is_left_alone(tmp_path: Path) -> None:
    """Writing there would mix two models."""
    tables = written(tmp_path)
    before = _cells(tables)
    with pytest.raises(UsageError, match="holds a model"):
        write_model(tables, replace(SPEC, seed=8), no_progress)
    assert _cells(tables) == before


def test_no_world_is_taken_for_another(tmp_path: Path) -> None:
    """What processes share of one world is not read for a world in another store."""
    for seed in (7, 8):
        spec = replace(SPEC, seed=seed)
        with opened(tmp_path, store=f"sqlite:///{tmp_path}/{seed}.db") as engine:
            write_model(engine.tables, spec, no_progress)
            engine.refresh()
            known = engine.snapshot.model.find
            assert all(known(page.url) is not None for page in engine.tables.pages.all(GENERATION))


@pytest.mark.parametrize(
    "wrong",
    [{"urls": 0}, {"ads": 0}, {"ads": 301}, {"profile_urls": 0}, {"profile_urls": 151}],
)
def test_numbers_that_make_no_world_are_refused(wrong: dict[str, int]) -> None:
    """Neither nothing, nor more ads than pages, nor profiles of nearly all pages."""
    with pytest.raises(UsageError):
        replace(SPEC, **wrong)


def test_requests_are_mixed_and_leave_nothing_behind() -> None:
    """Six in seven are of users of the world; modes and filters are even; nothing is tracked."""
    documents = list(requests(SPEC, 2_000, NOW_MS))
    parsed = [parse_request(document, NOW_MS) for document in documents]
    ways: Counter[Any] = Counter((each.mode, each.filter) for each in parsed)
    assert set(ways.values()) == {500}
    assert not any(each.track for each in parsed)
    assert {each.limit for each in parsed} == {10}
    strangers = sum((each.visitor or "").startswith("u:guest") for each in parsed)
    anonymous = sum(each.visitor is None for each in parsed)
    assert 140 < strangers < 260
    assert 60 < anonymous < 140
    assert documents == list(requests(SPEC, 2_000, NOW_MS))
