"""Who has which community between two batches."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.support.random_worlds import random_world
from tests.support.worlds import NOW_MS, batch, opened, serving, users_of
from webrec.admin.users import get_user
from webrec.bench.oracle import NearestCentroid, World, counts_of, nearest_community
from webrec.domain.types import Event
from webrec.formats.events import parse_event
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine
from webrec.serving.membership import membership
from webrec.synthetic.events import pages, visits
from webrec.synthetic.spec import WorldSpec

A, B, C, D, E, LONE = (f"https://site.example/{name}" for name in ("a", "b", "c", "d", "e", "lone"))
NEW = "https://site.example/new"
WORLD = World(
    category={A: "c1", B: "c1", C: "c2", D: "c1", E: "c2", LONE: None},
    community={"u:ann": "g1", "u:eve": "g2"},
    profiles={
        "u:ann": {A: (3, 0)},
        "u:eve": {C: (3, 0), B: (1, 0)},
        "u:two": {C: (2, 0)},
        "u:fan": {A: (0, 9), C: (2, 0)},
    },
    user_classifier=NearestCentroid(
        idf={A: 1.0, B: 2.0, C: 1.5, "c1": 1.0, "c2": 1.0},
        centroids={"g1": {A: 0.7, B: 0.7, "c1": 0.1}, "g2": {C: 0.9, "c2": 0.2}},
        min_visits=3,
    ),
)


@pytest.fixture(name="engine")
def _engine(tmp_path: Path) -> Iterator[Engine]:
    """The world, published."""
    # the setting is for the next batch: what this one asked for counts
    with serving(tmp_path, WORLD, min_visits=1) as engine:
        yield engine


def happens(engine: Engine, visitor: str | None, *urls: str, kind: str = "visit") -> None:
    """Something that the visitor does."""
    engine.recorder.record([Event(kind, url, visitor, NOW_MS) for url in urls])  # type: ignore[arg-type]


def explained(engine: Engine, **identity: str) -> tuple[str | None, str | None, str]:
    """Community, its source and the algorithm of a collaborative answer."""
    document = {"url": NEW, "filter": "collaborative", "explain": True, "track": False, **identity}
    found = engine.recommend(parse_request(document, NOW_MS), NOW_MS)
    assert found.explanation is not None
    return found.explanation.community, found.explanation.community_source, found.algorithm


def test_enough_visits_make_a_community(engine: Engine) -> None:
    """Nobody with two; with the third, wherever it goes, the visitor gets the nearest."""
    happens(engine, "u:new", C, C)
    assert explained(engine, user="new") == (None, None, "WebR.Rel.Default")
    happens(engine, "u:new", NEW)
    assert explained(engine, user="new") == ("g2", "online", "WebR.Rel.Col")


def test_accepts_are_no_visits_but_weigh(engine: Engine) -> None:
    """Nine accepts do not make a community, and then decide which it is."""
    happens(engine, "u:new", *[A] * 9, kind="accept")
    happens(engine, "u:new", C, C)
    assert explained(engine, user="new")[0] is None
    happens(engine, "u:new", C)
    assert explained(engine, user="new")[:2] == ("g1", "online")


def test_profile_and_recent_count_together(engine: Engine) -> None:
    """Two visits before the batch and one since are three."""
    assert explained(engine, user="two")[0] is None
    happens(engine, "u:two", NEW)
    assert explained(engine, user="two")[:2] == ("g2", "online")


def test_accepts_before_and_since_are_added(engine: Engine) -> None:
    """Nine accepts before the batch still decide when a visit of the same page comes since."""
    happens(engine, "u:fan", A)
    assert explained(engine, user="fan")[:2] == ("g1", "online")


def test_categories_decide_where_pages_tell_nothing(engine: Engine) -> None:
    """By visits, and by accepts; these pages are no columns, their categories are."""
    happens(engine, "u:new", D, D, D)
    assert explained(engine, user="new")[0] == "g1"
    happens(engine, "u:new", E, E, kind="accept")
    assert explained(engine, user="new")[0] == "g2"


def test_the_batch_stands_until_the_next(engine: Engine) -> None:
    """Whatever a user visits since."""
    happens(engine, "u:ann", *[C] * 9)
    assert explained(engine, user="ann")[:2] == ("g1", "batch")


def test_pages_that_tell_nothing_make_no_community(engine: Engine) -> None:
    """Unknown ones, and known ones without category that are no column."""
    happens(engine, "u:new", NEW, NEW, LONE, LONE)
    assert explained(engine, user="new")[:2] == (None, None)


def test_an_anonymous_visitor_has_none(engine: Engine) -> None:
    """What anonymous visitors did is nobody's."""
    happens(engine, None, A, A, A, A)
    assert explained(engine)[:2] == (None, None)


def test_a_forgotten_visitor_starts_again(engine: Engine) -> None:
    """Visits from before count no more."""
    happens(engine, "u:new", A, A, A)
    engine.recorder.forget("u:new")
    assert explained(engine, user="new")[0] is None


def test_off_is_the_published_definition(engine: Engine, tmp_path: Path) -> None:
    """Nobody has a community but from the batch; an operator sees the same."""
    happens(engine, "u:new", A, A, A)
    assert explained(engine, user="new")[0] == "g1"
    engine.recorder.flush()
    with opened(tmp_path, online="off") as other:
        assert explained(other, user="new")[:2] == (None, None)
        assert get_user(other, "u:new")["community"] is None
        assert explained(other, user="ann")[:2] == ("g1", "batch")


def test_an_operator_sees_the_same(engine: Engine) -> None:
    """Community and source, for the user that has one and for those who have none yet."""
    happens(engine, "u:new", C, C, C)
    happens(engine, "u:young", C)
    seen = {v: get_user(engine, v) for v in ("u:ann", "u:new", "u:young")}
    assert {v: (each["community"], each["community_source"]) for v, each in seen.items()} == {
        "u:ann": ("g1", "batch"),
        "u:new": ("g2", "online"),
        "u:young": (None, None),
    }


def test_a_model_of_before_gives_none(tmp_path: Path) -> None:
    """A generation that does not say what users were measured by is served as ever."""
    with serving(tmp_path, World(WORLD.category, community=WORLD.community)) as engine:
        happens(engine, "u:new", A, A, A)
        assert explained(engine, user="new")[:2] == (None, None)


def test_the_nearest_is_the_definitions() -> None:
    """Over random worlds, also where everybody is placed anew."""
    compared: Counter[bool] = Counter()
    for seed in range(400):
        world = random_world(Random(seed))
        if world.user_classifier is None:
            continue
        anew = replace(world, user_classifier=replace(world.user_classifier, min_visits=0))
        pages = sorted(world.category)
        categories = sorted({c for c in world.category.values() if c is not None})
        numbers = {url: number for number, url in enumerate(pages)}
        space, groups = (
            users_of(world.user_classifier, numbers, categories),
            [*world.user_classifier.centroids],
        )
        for visitor in {*world.profiles, *world.recent}:
            found = space.nearest_to(*affinities(world, visitor, pages, categories))
            right = nearest_community(anew, visitor)
            assert right == (None if found is None else groups[found]), f"{visitor} of {seed}"
            compared[right is None] += 1
    assert compared[False] > 1_000
    assert compared[True] > 50


def affinities(
    world: World, visitor: str, pages: list[str], categories: list[str]
) -> tuple[dict[int, float], dict[int, float]]:
    """Of a visitor, by page number and by category number."""
    of_page: dict[int, float] = defaultdict(float)
    of_category: dict[int, float] = defaultdict(float)
    for url, (seen, followed) in counts_of(world, visitor):
        if url in pages:
            affinity = seen + world.accept_weight * followed
            of_page[pages.index(url)] += affinity
            category = world.category[url]
            if category is not None:
                of_category[categories.index(category)] += affinity
    return of_page, of_category


def test_everybody_would_come_to_their_own_community_again(tmp_path: Path) -> None:
    """From what a generation keeps of them, online as in the batch."""
    spec = WorldSpec(now_ms=NOW_MS, urls=300, users=120, categories=6, communities=4, campaigns=0)
    with opened(tmp_path, accept_weight=0.1) as engine:
        for documents in (pages(spec), visits(spec)):
            engine.recorder.record([parse_event(document, NOW_MS) for document in documents])
        generation = batch(engine, features="tfidf")
        model, members = engine.snapshot.model, 0
        for visitor, community in engine.tables.profiles.communities(generation.id):
            profile = engine.tables.profiles.get(generation.id, visitor)
            assert profile is not None
            alone = profile._replace(community=None)
            found = membership(model, alone, [], online=True)
            assert found.community == community
            members += community is not None
        assert members > 100
        assert len(generation.community_ids) > 1
