"""The ads of the campaigns that run now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from tests.support.worlds import publish
from webrec.bench.oracle import World
from webrec.domain.types import AdPage, Campaign, Page
from webrec.model.files import load
from webrec.model.model import Model
from webrec.serving.ads import Ad, AdBoard, AdIndex
from webrec.storage import open_store
from webrec.tables.tables import Tables

A, B, C, D = (f"https://site.example/{name}" for name in "abcd")
UNKNOWN = "https://elsewhere.example/"
WORLD = World(
    category={A: "c1", B: "c1", C: "c2", D: None},
    totals={A: (1, 0), B: (5, 0)},
    community={"u:ann": "g"},
    profiles={"u:ann": {A: (1, 0), D: (2, 0)}},
)
NOW = 1_000_000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """The world, loaded."""
    home = tmp_path_factory.mktemp("ads")
    with closing(open_store(f"sqlite:///{home}/webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        yield load(tables, publish(tables, WORLD, Random(1)), home / "cache")


def campaign(campaign_id: str, priority: float, *shown: str, **dates: Any) -> Campaign:
    """A campaign; the part of a URL before ``?`` is its canonical form."""
    ads = tuple(AdPage(url, Page(url.partition("?")[0])) for url in shown)
    return replace(Campaign(campaign_id, ads, priority), **dates)


def index(model: Model, *campaigns: Campaign, weigh_ads: bool = True) -> AdIndex:
    """What runs now."""
    return AdBoard(model, campaigns, {}, weigh_ads=weigh_ads).at(NOW)


def ads(found: AdIndex, model: Model) -> dict[str, Ad]:
    """The winning ad of each page."""
    return {model.url(page): ad for page, ad in found.ads.items()}  # type: ignore[arg-type]


def test_the_highest_priority_wins_a_page(model: Model) -> None:
    """Then the smallest campaign id, then the campaign's first spelling."""
    found = index(
        model,
        campaign("k3", 0.4, f"{A}?k3", f"{A}?again"),
        campaign("k1", 0.4, f"{B}?k1", f"{A}?k1"),
        campaign("k2", 0.9, f"{B}?k2", f"{B}?other"),
    )
    assert ads(found, model) == {A: Ad("k1", f"{A}?k1"), B: Ad("k2", f"{B}?k2")}


def test_ads_the_generation_does_not_know_are_in_no_set(model: Model) -> None:
    """One without category may still be in a community's list."""
    found = index(model, campaign("k", 0.5, UNKNOWN, C, D))
    assert set(ads(found, model)) == {C, D}
    assert [model.url(c.page) for _, run in found.in_rec_all().whole() for c in run] == [C]  # type: ignore[arg-type]
    assert [model.url(c.page) for _, run in found.in_col(0).whole() for c in run] == [D]  # type: ignore[arg-type]


def test_named_campaigns_compete_among_themselves(model: Model) -> None:
    """A page goes to the best of those that are named, in that campaign's spelling."""
    found = index(model, campaign("k1", 0.9, f"{A}?k1"), campaign("k2", 0.1, f"{A}?k2", B))
    assert ads(found.only(frozenset({"k2", "nobody"})), model) == {
        A: Ad("k2", f"{A}?k2"),
        B: Ad("k2", B),
    }
    assert ads(found.only(frozenset({"nobody"})), model) == {}
    (run,) = found.only(frozenset({"k2"})).in_col(0).whole()
    assert [candidate.ad_priority for candidate in run[1]] == [0.1]


def test_sets_go_by_priority_where_it_has_a_weight(model: Model) -> None:
    """Without a weight the rank score decides."""
    campaigns = [campaign("k1", 0.9, A), campaign("k2", 0.1, B), campaign("k3", 0.5, C)]
    for weigh_ads, order in ((True, [A, C, B]), (False, [B, A, C])):
        found = index(model, *campaigns, weigh_ads=weigh_ads).in_rec_all()
        assert [model.url(c.page) for _, run in found.whole() for c in run] == order  # type: ignore[arg-type]


@pytest.mark.parametrize("offset", [-1, 0, 1])
@pytest.mark.parametrize("asked_before", [None, NOW - 10_000, NOW + 10_000])
def test_a_campaign_runs_from_its_start_to_before_its_end(
    model: Model, offset: int, asked_before: int | None
) -> None:
    """To the millisecond, whatever moment was asked for before."""
    board = AdBoard(
        model,
        [
            campaign("starts", 0.5, A, starts_ms=NOW),
            campaign("ends", 0.5, B, ends_ms=NOW),
            campaign("brief", 0.5, C, starts_ms=NOW, ends_ms=NOW + 1),
            campaign("off", 0.9, D, active=False),
        ],
        {},
        weigh_ads=True,
    )
    if asked_before is not None:
        board.at(asked_before)
    expected = {-1: {B}, 0: {A, C}, 1: {A}}[offset]
    for _ in range(2):
        assert set(ads(board.at(NOW + offset), model)) == expected


def test_the_index_is_made_once_per_change(model: Model) -> None:
    """Until a campaign begins or ends, every request gets the same one."""
    board = AdBoard(
        model, [campaign("k", 0.5, A, starts_ms=NOW, ends_ms=NOW + 5)], {}, weigh_ads=True
    )
    assert board.at(NOW) is board.at(NOW + 4)
    assert board.at(NOW) is not board.at(NOW + 5)
    assert board.at(0).ads == board.at(NOW - 1).ads == board.at(NOW + 5).ads == {}


def test_threads_get_the_index_of_their_moment(model: Model) -> None:
    """Even where they ask for different ones at once."""
    board = AdBoard(model, [campaign("k", 0.5, A, starts_ms=NOW)], {}, weigh_ads=True)
    wrong: list[int] = []

    def ask(moment: int, expected: set[str]) -> None:
        found = (set(ads(board.at(moment), model)) for _ in range(300))
        wrong.extend(moment for urls in found if urls != expected)

    moments: list[tuple[int, set[str]]] = [(NOW, {A}), (NOW - 1, set())] * 2
    threads = [threading.Thread(target=ask, args=moment) for moment in moments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
