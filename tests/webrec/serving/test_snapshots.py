"""What a worker answers from, and how it follows what others write."""

from __future__ import annotations

import threading
from dataclasses import replace
from random import Random

import pytest

from hbase_schema import names as t
from tests.support.worlds import publish
from tests.webrec.serving.asking import WORLD, A, B, C, D, ask, campaign, urls
from webrec.domain.answers import Answer
from webrec.errors import NotFound
from webrec.serving.engine import Engine
from webrec.storage import Swap


def test_campaigns_of_another_process_are_seen(engine: Engine, other: Engine) -> None:
    """New ones, changed ones, and those that are gone; the unchanged stay as they are."""
    other.tables.campaigns.put([campaign("k1", 0.5, B), campaign("k2", 0.2, A)])
    engine.refresh()
    assert urls(ask(engine, C, mode="sponsored")) == [B, A]
    other.tables.campaigns.put([campaign("k2", 0.9, A)])
    engine.refresh()
    assert urls(ask(engine, C, mode="sponsored")) == [A, B]
    other.tables.campaigns.delete("k1")
    engine.refresh()
    assert urls(ask(engine, C, mode="sponsored")) == [A]


def test_a_campaign_that_cannot_be_read_stops_no_other(engine: Engine) -> None:
    """It is left out until it is uploaded again."""
    engine.tables.campaigns.put([campaign("good", 0.4, B), campaign("torn", 0.9, B)])
    row = {b"torn": Swap(engine.tables.store.get(t.CAMPAIGNS, b"torn")[t.DOCUMENT], b"{")}
    assert engine.tables.store.check_and_put(t.CAMPAIGNS, t.DOCUMENT, row) == [True]
    engine.refresh()
    shown = {"mode": "sponsored", "filter": "content", "repeat": True}
    assert [item.campaign for item in ask(engine, A, **shown).items] == ["good"]  # type: ignore[arg-type]
    engine.tables.campaigns.put([campaign("torn", 0.9, B)])
    engine.refresh()
    assert [item.campaign for item in ask(engine, A, **shown).items] == ["torn"]  # type: ignore[arg-type]


def test_labels_of_another_process_are_seen(engine: Engine, other: Engine) -> None:
    """In answers, at the next refresh."""
    other.tables.labels.put("c1", "Good food")
    assert ask(engine).items[0].category.label == "Label of c1"
    engine.refresh()
    assert ask(engine).items[0].category.label == "Good food"


def test_models_of_another_process_are_seen(engine: Engine, other: Engine) -> None:
    """Forward and back, with the campaigns on their pages."""
    engine.tables.campaigns.put([campaign("k", 0.5, D)])
    engine.refresh()
    assert urls(ask(engine, C, mode="sponsored")) == []
    publish(other.tables, replace(WORLD, category={**WORLD.category, D: "c2"}), Random(2), "000002")
    assert ask(engine).model == "000001"
    engine.refresh()
    assert ask(engine).model == "000002"
    assert urls(ask(engine, C, mode="sponsored")) == [D]
    other.tables.generations.activate("000001", "000002")
    engine.refresh()
    assert ask(engine).model == "000001"
    assert urls(ask(engine, C, mode="sponsored")) == []


def test_a_refresh_without_news_changes_nothing(engine: Engine) -> None:
    """The snapshot is the same one."""
    snapshot = engine.snapshot
    engine.refresh()
    assert engine.snapshot is snapshot


def test_an_incomplete_model_is_refused(engine: Engine, other: Engine) -> None:
    """The one before goes on answering, and a repaired one is taken in."""
    publish(other.tables, WORLD, Random(2), "000002")
    table = "g000002.categories"
    rows = list(other.tables.store.scan(table))
    other.tables.store.delete_many(table, [(rows[0][0], None)])
    with pytest.raises(NotFound, match="000002 is incomplete"):
        engine.refresh()
    assert ask(engine).model == "000001"
    other.tables.store.put_many(table, rows)
    engine.refresh()
    assert ask(engine).model == "000002"


def test_requests_of_many_threads_see_whole_models(engine: Engine, other: Engine) -> None:
    """While the model is switched back and forth, each answer is of one of them."""
    bigger = replace(WORLD, category=dict.fromkeys(WORLD.category, "c9"))
    publish(other.tables, bigger, Random(2), "000002")
    stop = threading.Event()
    wrong: list[Answer] = []

    def keep_asking() -> None:
        while not stop.is_set():
            answer = ask(engine, user="ann", repeat=True, explain=True, limit=100)
            expected = {"000001": [A, B], "000002": [A, B, C, D]}[answer.model]  # type: ignore[index]
            categories = {item.category.id for item in answer.items}
            if urls(answer) != expected[1:] or len(categories) != 1:
                wrong.append(answer)

    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(20):
        pair = ("000002", "000001") if turn % 2 else ("000001", "000002")
        if turn:
            other.tables.generations.activate(pair[1], pair[0])
        engine.refresh()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
