"""The fast answers, held against the slow and obvious ones over random worlds in a real store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms import Candidates, Item, Weights, rank
from tests.support.random_worlds import NOW_MS, random_request, random_world
from tests.support.worlds import answer_of, published, telling
from webrec.admin.pages import get_pages
from webrec.bench import oracle
from webrec.domain.types import Page
from webrec.serving.engine import Engine
from webrec.serving.signals import Excluded, Query, RequestSignals
from webrec.serving.snapshots import Snapshot
from webrec.tables.rows import ProfileRow
from webrec.tables.visitors import Recent

Branches = Counter[tuple[str, bool]]


def compare(home: Path, seeds: Sequence[int], requests: int) -> Branches:
    """Ask every world of these seeds so many requests, and both sides for the answer.

    Returns:
        How often each path came up, with a list and without.
    """
    branches: Branches = Counter()
    for seed in seeds:
        rng = Random(seed)
        world = random_world(rng)
        with published(world, home / str(seed), rng) as engine:
            for number in range(requests):
                request = random_request(rng, world)
                wanted, found = oracle.recommend(world, request), answer_of(engine, request)
                assert found == wanted, f"compare(seeds=[{seed}]): request {number}, {request}"
                branches[" > ".join(found.path), found.empty] += 1
            assert_pages(engine, world)
    return branches


def assert_pages(engine: Engine, world: oracle.World) -> None:
    """Operators see the category that requests without text have, of every page there is."""
    urls = [*world.category, *world.online_pages, *world.online_ads, "https://never.example/"]
    shown = {
        url: page and page["category"]
        for url, page in zip(urls, get_pages(engine, urls), strict=True)
    }
    assert {url: category and category["id"] for url, category in shown.items()} == {
        url: oracle.page_category(world, oracle.Request(url)) for url in urls
    }


def test_answers_are_those_of_the_definitions(tmp_path: Path) -> None:
    """URLs, order, priorities, scores, path, campaign and size are exactly the oracle's."""
    compare(tmp_path, range(8), 200)


@pytest.mark.slow
def test_answers_are_those_of_the_definitions_everywhere(tmp_path: Path) -> None:
    """The same over 64 worlds and 12,800 requests, which come by every branch."""
    branches = compare(tmp_path, range(1_000, 1_064), 200)
    assert len(branches) == 16 + 8


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    """Engines on a few worlds, with and without a weight of campaign priority."""
    home = tmp_path_factory.mktemp("worlds")
    with ExitStack() as stack:
        opened = []
        for seed in (0, 3, 4, 6, 8):
            rng = Random(seed)
            world = random_world(rng)
            opened.append(stack.enter_context(published(world, home / str(seed), rng)))
        assert {engine.settings.w_ads > 0 for engine in opened} == {True, False}
        yield opened


def sets_of(engine: Engine) -> list[Candidates]:
    """Every set an algorithm may ask for in this engine's world."""
    model = engine.snapshot.model
    ads = engine.snapshot.ads.at(NOW_MS)
    categories = range(len(model.generation.category_ids))
    communities = range(len(model.generation.community_ids))
    return [
        model.rec_all,
        ads.in_rec_all(),
        *(model.rec(c) for c in categories),
        *(ads.in_rec(c) for c in categories),
        *(model.col(g) for g in communities),
        *(model.rec_of(g) for g in communities),
        *(ads.in_col(g) for g in communities),
        *(ads.in_rec_of(g) for g in communities),
    ]


def sorted_whole(
    candidates: Candidates,
    affinities: Mapping[int, float],
    weights: Weights,
    excluded: Excluded,
    limit: int,
) -> list[Item]:
    """What `rank` promises, by sorting everything."""
    items = [
        Item(
            c.page,
            c.category,
            weights.priority(c.ad_priority, affinities.get(c.category, 0.0)),
            -c.rank,
            affinities.get(c.category, 0.0),
            c.ad_priority,
        )
        for _, run in candidates.whole()
        for c in run
        if c.page not in excluded
    ]
    return sorted(items, key=lambda i: (-i.priority, -i.rank_score, i.page))[:limit]


@settings(deadline=None)
@given(data=st.data())
def test_ranking_is_a_plain_sort(engines: list[Engine], data: st.DataObject) -> None:
    """Whatever the affinities, weights and exclusions, the best of every set come in order."""
    engine = data.draw(st.sampled_from(engines))
    affinity = st.sampled_from([0.0, 1.0, 0.5, 1 / 3, 0.1 + 0.2, 0.3])
    affinities = data.draw(st.dictionaries(st.integers(0, 5), affinity))
    w_ads = engine.settings.w_ads and data.draw(st.sampled_from([0.5, 0.3, 1e-17]))
    weights = Weights(w_ads, data.draw(st.sampled_from([0.5, 1.0] + [0.0] * (w_ads > 0))))
    numbers = st.integers(0, 23)
    excluded = Excluded(data.draw(st.sets(numbers)), tuple(sorted(data.draw(st.sets(numbers)))))
    limit = data.draw(st.integers(1, 30))
    for candidates in sets_of(engine):
        found = rank(candidates, affinities, weights, excluded, limit)
        assert found == sorted_whole(candidates, affinities, weights, excluded, limit)


def test_every_set_says_the_same_by_category_and_as_a_whole(engines: list[Engine]) -> None:
    """The URLs of a set are those of its categories, and no other category has any."""
    for engine in engines:
        for candidates in sets_of(engine):
            whole = Counter(c for _, run in candidates.whole() for c in run)
            parts = Counter(
                c
                for category in candidates.categories()
                for _, run in candidates.of(category)
                for c in run
            )
            assert whole == parts
            assert max(whole.values(), default=1) == 1


class CountingReads:
    """The row reads of an engine, counted."""

    def __init__(self, engine: Engine) -> None:
        self._tables = engine.tables
        self.made: Counter[str] = Counter()

    def profile(self, generation_id: str, visitor: str) -> ProfileRow | None:
        """Count and read."""
        self.made["profile"] += 1
        return self._tables.profiles.get(generation_id, visitor)

    def recent(self, visitor: str, covers: object) -> Recent:
        """Count and read."""
        self.made["recent"] += 1
        return self._tables.visitors.recent(visitor, covers)  # type: ignore[arg-type]

    def page_text(self, url: str) -> Page | None:
        """Count and read."""
        self.made["page_text"] += 1
        return self._tables.page_texts.get(url)

    def has_time(self) -> bool:
        """Always."""
        return True


def signals_of(
    snapshot: Snapshot, reads: CountingReads, visitor: str | None, *, is_new: bool = False
) -> RequestSignals:
    """The signals of a visitor's request on a page of the world, or on one it does not know."""
    model = snapshot.model
    urls = map(model.url, range(model.size))
    url = (
        "https://new.example/"
        if is_new
        else next(u for u in urls if snapshot.model.has_category(u))
    )
    query = Query(url, visitor, (), None, False, NOW_MS)
    return RequestSignals(snapshot, query, reads, 3.0, online=True)


def test_nothing_is_read_twice(engines: list[Engine]) -> None:
    """However often an algorithm asks, each row is read once."""
    reads = CountingReads(engines[0])
    signals = signals_of(engines[0].snapshot, reads, "u:user0")
    for _ in range(3):
        signals.category()
        signals.community()
        signals.affinities()
        assert len(list(signals.excluded())) > 0
    assert reads.made == {"profile": 1, "recent": 1}


def test_a_new_page_costs_one_row(engines: list[Engine]) -> None:
    """The text sent of it before, once; none where the request says all, or the setting is off."""
    snapshot = engines[0].snapshot
    reads = CountingReads(engines[0])
    signals = signals_of(snapshot, reads, None, is_new=True)
    for _ in range(3):
        signals.category()
    assert reads.made == {"page_text": 1}
    reads.made.clear()
    query = Query("https://new.example/", None, (), None, False, NOW_MS)
    described = query._replace(
        page=Page(query.url, telling(snapshot.categories[1].id), ("all",), "All.")
    )
    assert RequestSignals(snapshot, described, reads, 3.0, online=True).category() == 1
    off = replace(snapshot, page_classifier=None)
    assert RequestSignals(off, query, reads, 3.0, online=False).category() is None
    assert not reads.made


def test_nothing_is_read_before_it_is_asked_for(engines: list[Engine]) -> None:
    """The page's category costs no row; an anonymous visitor never costs one."""
    reads = CountingReads(engines[0])
    signals_of(engines[0].snapshot, reads, "u:user0").category()
    nobody = signals_of(engines[0].snapshot, reads, None)
    assert nobody.community() is None
    assert nobody.affinities() == {}
    assert list(nobody.excluded())
    assert reads.made == {}
