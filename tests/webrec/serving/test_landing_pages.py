"""Landing pages that the model has no category for, by the text of their campaigns."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tests.support.worlds import publish, put_campaigns, telling
from tests.webrec.serving.asking import WORLD, A, B, C, ask, urls
from webrec.batch.history import replay
from webrec.batch.log_cut import LogCut
from webrec.bench.oracle import Campaign
from webrec.domain.progress import no_progress
from webrec.domain.types import AdPage, Page
from webrec.domain.types import Campaign as Uploaded
from webrec.serving.engine import Engine
from webrec.serving.landing_pages import LandingPages

NEW, NEWER = "https://site.example/bb", "https://new.example/"


def test_a_new_landing_page_is_in_the_lists_of_its_category(engine: Engine) -> None:
    """With total affinity 0, in the order of URLs among those of the model."""
    campaigns = {"k": Campaign(0.5, [(B, B), (NEW, NEW), (NEWER, NEWER), (A, A)])}
    world = replace(WORLD, campaigns=campaigns, online_ads={NEW: "c1"}, totals={})
    publish(engine.tables, world, Random(2), "000002")
    put_campaigns(engine.tables, world)
    engine.refresh()
    asked = ask(engine, mode="sponsored", url=C, title="")
    assert urls(asked) == [A, B, NEW]
    content = ask(engine, A, mode="sponsored")
    assert urls(content) == [B, NEW]
    assert content.items[1].category.id == "c1"
    assert urls(ask(engine, A, mode="sponsored", exclude=[NEW])) == [B]
    own = ask(engine, NEW, mode="sponsored", title=telling("c1"))
    assert urls(own) == [A, B]


def test_landing_pages_are_categorised_some_at_a_time(engine: Engine) -> None:
    """When the time for it is over the rest waits, and nothing is categorised twice."""
    model = engine.snapshot.model
    ads = tuple(
        AdPage(url, Page(url, telling("c2")))
        for url in (f"https://shop.example/{n:04}" for n in range(1_000))
    )
    landing = LandingPages(model.has_category, model.page_classifier)
    landing.follow([Uploaded("k", ads, 0.5)])
    landing.categorise(0)
    assert landing.categories() == {}
    while not landing.are_categorised:
        before = len(landing.categories())
        landing.categorise(1e-3)
        assert 0 < len(landing.categories()) - before <= 256
    assert len(landing.categories()) == 1_000
    landing.follow([Uploaded("k", ads[:10], 0.5)])
    assert landing.are_categorised
    assert len(landing.categories()) == 10


def test_what_had_to_wait_follows_in_the_next_looks(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to write anything for it."""
    campaigns = {"k": Campaign(0.5, [(NEW, NEW)])}
    world = replace(WORLD, campaigns=campaigns, online_ads={NEW: "c1"})
    put_campaigns(engine.tables, world)
    monkeypatch.setattr("webrec.serving.snapshots._CATEGORISING_S", 0)
    engine.refresh()
    assert ask(engine, A, mode="sponsored").items == []
    monkeypatch.undo()
    engine.refresh()
    assert urls(ask(engine, A, mode="sponsored")) == [NEW]


def test_a_command_waits_for_all(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that answers has no next look."""
    world = replace(WORLD, campaigns={"k": Campaign(0.5, [(NEW, NEW)])}, online_ads={NEW: "c1"})
    put_campaigns(engine.tables, world)
    monkeypatch.setattr("webrec.serving.snapshots._CATEGORISING_S", 0)
    engine.refresh(wait=True)
    assert urls(ask(engine, A, mode="sponsored")) == [NEW]


def test_a_campaign_that_stops_takes_its_pages_along(engine: Engine) -> None:
    """As any other ad."""
    campaigns = {"k": Campaign(0.5, [(NEW, NEW)])}
    put_campaigns(engine.tables, replace(WORLD, campaigns=campaigns, online_ads={NEW: "c1"}))
    engine.refresh()
    assert len(ask(engine, A, mode="sponsored").items) == 1
    engine.tables.campaigns.delete("k")
    engine.refresh()
    assert ask(engine, A, mode="sponsored").items == []


def test_a_new_board_is_made_when_it_shows_enough_more(engine: Engine) -> None:
    """Half as many again, or all: a board of many ads takes longer than a few more are worth."""
    model = engine.snapshot.model
    pages = [Page(f"https://shop.example/{n}", telling("c2")) for n in range(2_000)]
    landing = LandingPages(model.has_category, model.page_classifier)
    landing.follow([Uploaded("k", tuple(AdPage(page.url, page) for page in pages), 0.5)])
    worth = []
    while not landing.are_categorised:
        landing.categorise(1e-3)
        worth.append(landing.are_worth_a_board)
        if worth[-1]:
            landing.categories()
    assert worth == [True, True, True, False, True, False, False, True]
    landing.follow([Uploaded("k", tuple(AdPage(page.url, page) for page in pages[:1_999]), 0.5)])
    assert landing.are_worth_a_board


@pytest.mark.parametrize("seed", range(20))
def test_the_campaign_that_categorises_a_page_is_the_batchs(engine: Engine, seed: int) -> None:
    """The first by id with a text, though it be off; pages of campaigns that are off wait."""
    model, rng = engine.snapshot.model, Random(seed)
    urls = [f"https://shop.example/{n}" for n in range(6)]
    campaigns = [
        Uploaded(
            f"k{number}",
            tuple(
                AdPage(url, Page(url, rng.choice(["", telling("c1"), telling("c2")])))
                for url in rng.sample(urls, 3)
            ),
            0.5,
            active=rng.random() < 0.6,
        )
        for number in range(5)
    ]
    watermark = engine.recorder.cut(0)
    read = replay(LogCut(engine.log, watermark), campaigns, no_progress).pages
    active = {ad.page.url for campaign in campaigns if campaign.active for ad in campaign.ads}
    assert model.page_classifier is not None
    landing = LandingPages(model.has_category, model.page_classifier)
    landing.follow(rng.sample(campaigns, 5))
    landing.categorise(60)
    assert landing.categories() == {
        page.url: model.page_classifier.category(page) for page in read if page.url in active
    }
