"""What operators and editors see and change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.worlds import NOW_MS, opened, publish, serving
from webrec.admin import admin
from webrec.admin.admin import Listing
from webrec.bench.oracle import World
from webrec.domain.types import Event
from webrec.errors import Conflict, InvalidDocument, NotFound, NotJson
from webrec.formats.json import read_json
from webrec.serving.engine import Engine

A, B, C, D, E = (f"https://site.example/{name}" for name in "abcde")
ANN = "u:ann"
WORLD = World(
    category={A: "c1", B: "c1", C: "c2", D: None, E: "c3"},
    totals={A: (4, 0), B: (2, 1), C: (1, 0)},
    community={ANN: "g1", "u:bob": "g1", "u:eve": "g2"},
    profiles={
        ANN: {A: (3, 0), C: (0, 1)},
        "u:bob": {A: (1, 0), B: (2, 1), D: (1, 0)},
        "u:eve": {C: (1, 0)},
    },
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The world, published."""
    with serving(tmp_path, WORLD) as engine:
        yield engine


def document(campaign_id: str = "k1", **fields: Any) -> dict[str, Any]:
    """A campaign document."""
    return {"id": campaign_id, "urls": [A], "priority": 0.5, **fields}


def statuses(engine: Engine, *documents: object, dry_run: bool = False) -> list[str]:
    """What becomes of an upload."""
    results = admin.apply_campaigns(engine.tables, documents, dry_run=dry_run)
    assert [result.index for result in results] == list(range(len(documents)))
    return [result.status for result in results]


def walked(part: Callable[[int, str], Listing], limit: int) -> list[dict[str, Any]]:
    """A whole listing, in parts of so many."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        items, after = part(limit, after)
        assert len(items) <= limit
        found += items
    return found


# --- campaigns -------------------------------------------------------------------------------


def test_an_upload_says_what_became_of_each(engine: Engine) -> None:
    """Created, updated, unchanged; the same upload again changes nothing."""
    upload = [document("k1"), document("k2", priority=0.1)]
    assert statuses(engine, *upload) == ["created", "created"]
    stored = list(engine.tables.campaigns.cells())
    assert statuses(engine, *upload) == ["unchanged", "unchanged"]
    assert list(engine.tables.campaigns.cells()) == stored
    assert statuses(engine, document("k1", priority=0.6), upload[1]) == ["updated", "unchanged"]
    assert list(engine.tables.campaigns.cells()) != stored


def test_a_repeated_upload_is_told_to_every_worker(engine: Engine) -> None:
    """The first try may have broken off before anybody was told, so the second tells again."""
    upload = [document("k1")]
    statuses(engine, *upload)
    version = engine.tables.meta.versions()
    assert statuses(engine, *upload) == ["unchanged"]
    assert engine.tables.meta.versions() != version
    with pytest.raises(NotFound):
        admin.delete_campaign(engine.tables, "never there")
    assert engine.tables.meta.versions().campaigns > (version.campaigns or b"")


def test_bad_documents_are_named_and_the_good_ones_kept(engine: Engine) -> None:
    """With every wrong field; what is no JSON has no field."""
    with pytest.raises(NotJson) as broken:
        read_json(b"{")
    results = admin.apply_campaigns(
        engine.tables,
        [document(priority=7, urls=[]), broken.value, "text", document("k2")],
        dry_run=False,
    )
    assert [r.status for r in results] == ["invalid", "invalid", "invalid", "created"]
    assert [r.id for r in results] == ["k1", None, None, "k2"]
    assert {e["field"] for e in results[0].errors} == {"priority", "urls"}
    assert results[1].errors[0]["field"] == ""
    assert [c.id for c in engine.tables.campaigns.all()] == ["k2"]


def test_a_later_document_of_an_upload_wins(engine: Engine) -> None:
    """Each is compared with what would be there by then."""
    upload = [document(priority=0.1), document(priority=0.2), document(priority=0.2)]
    assert statuses(engine, *upload) == ["created", "updated", "unchanged"]
    found = engine.tables.campaigns.get("k1")
    assert found is not None
    assert found.priority == 0.2


def test_there_and_back_again_is_written_as_it_ends(engine: Engine) -> None:
    """An upload that changes a campaign and changes it back leaves it as it was."""
    statuses(engine, document(priority=0.5))
    assert statuses(engine, document(priority=0.1), document(priority=0.5)) == ["updated"] * 2
    found = engine.tables.campaigns.get("k1")
    assert found is not None
    assert found.priority == 0.5


def test_a_dry_run_writes_nothing(engine: Engine) -> None:
    """It only says what would be done."""
    statuses(engine, document("k1"))
    upload = [document("k1", priority=0.9), document("k2"), document("k1", priority=0.9)]
    assert statuses(engine, *upload, dry_run=True) == ["updated", "created", "unchanged"]
    assert [(c.id, c.priority) for c in engine.tables.campaigns.all()] == [("k1", 0.5)]


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_campaigns_are_listed_in_parts(engine: Engine, limit: int) -> None:
    """In the order of their ids, each once, as they were given."""
    given = [document(i, active=True) for i in ("a", "b", "c")]
    statuses(engine, *given)
    assert walked(lambda n, after: admin.list_campaigns(engine.tables, n, after), limit) == given


def test_a_campaign_is_deleted_once(engine: Engine) -> None:
    """Afterwards there is none of its id."""
    statuses(engine, document())
    admin.delete_campaign(engine.tables, "k1")
    with pytest.raises(NotFound, match="k1"):
        admin.delete_campaign(engine.tables, "k1")


# --- models ----------------------------------------------------------------------------------


def test_models_are_listed_newest_first(engine: Engine) -> None:
    """With the active one marked."""
    publish(engine.tables, WORLD, Random(2), "000002")
    first, second = admin.list_models(engine.tables)
    assert (first["id"], first["active"]) == ("000002", True)
    assert (second["id"], second["active"]) == ("000001", False)
    assert first["created"] == "1970-01-01T00:00:00.001Z"
    assert first["counts"] == {"pages": 5}


def test_a_model_is_activated_at_once(engine: Engine) -> None:
    """Back and forth; an unknown one is refused, and changes nothing."""
    publish(engine.tables, WORLD, Random(2), "000002")
    for model_id in ("000001", "000002", "000002"):
        assert admin.activate_model(engine, model_id)["active"]
        assert engine.snapshot.model.generation.id == model_id
    with pytest.raises(NotFound):
        admin.activate_model(engine, "000009")
    with pytest.raises(Conflict):
        engine.tables.generations.activate("000001", "000001")
    assert engine.snapshot.model.generation.id == "000002"


# --- categories and communities --------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_categories_are_listed_in_parts(engine: Engine, limit: int) -> None:
    """Each once, with label, size and total affinity."""
    found = walked(lambda n, after: admin.list_categories(engine, n, after), limit)
    by_id = {each["id"]: each for each in found}
    assert len(found) == len(by_id) == 3
    assert by_id["c1"] == {
        "id": "c1",
        "label": "Label of c1",
        "label_source": "suggested",
        "keywords": [],
        "size": 2,
        "affinity": 9.0,
    }


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_a_category_shows_its_list_in_parts(engine: Engine, limit: int) -> None:
    """In `recL` order, with each page's total affinity."""

    def part(limit: int, after: str) -> Listing:
        found = admin.category(engine, "c1", limit, after)
        return Listing(found["urls"], found["next"])

    assert walked(part, limit) == [{"url": B, "affinity": 5.0}, {"url": A, "affinity": 4.0}]


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_communities_are_listed_in_parts(engine: Engine, limit: int) -> None:
    """Each once, with its size."""
    found = walked(lambda n, after: admin.list_communities(engine, n, after), limit)
    assert {each["id"]: each["size"] for each in found} == {"g1": 2, "g2": 1}


def test_a_community_shows_its_list(engine: Engine) -> None:
    """In `colL` order with visits and accepts, and its categories, most visited first."""
    found = admin.community(engine, "g1", 2, "")
    assert found["urls"] == [
        {"url": B, "visits": 2, "accepts": 1, "rank_score": 5.0},
        {"url": A, "visits": 4, "accepts": 0, "rank_score": 4.0},
    ]
    assert found["cats"] == [
        {"id": "c1", "label": "Label of c1", "visits": 6, "accepts": 1},
        {"id": "c2", "label": "Label of c2", "visits": 0, "accepts": 1},
    ]
    rest = admin.community(engine, "g1", 2, found["next"])
    assert [each["url"] for each in rest["urls"]] == [D]
    assert rest["next"] is None


@pytest.mark.parametrize("cursor", ["nowhere", "-1", "1.5", "²", "9" * 30])
def test_a_cursor_that_no_listing_gave_is_refused(engine: Engine, cursor: str) -> None:
    """With what to do about it."""
    asked: list[Callable[[], object]] = [
        lambda: admin.list_categories(engine, 10, cursor),
        lambda: admin.list_communities(engine, 10, cursor),
        lambda: admin.category(engine, "c1", 10, cursor),
        lambda: admin.community(engine, "g1", 10, cursor),
    ]
    for ask in asked:
        with pytest.raises(InvalidDocument, match="leave it out"):
            ask()


def test_what_the_model_does_not_have_is_not_found(engine: Engine) -> None:
    """Whatever is asked of it."""
    asked: list[Callable[[], object]] = [
        lambda: admin.category(engine, "c9", 10, ""),
        lambda: admin.community(engine, "g9", 10, ""),
        lambda: admin.set_label(engine, "c9", "Food"),
        lambda: admin.user(engine, "u:nobody"),
    ]
    for ask in asked:
        with pytest.raises(NotFound):
            ask()
    assert engine.tables.labels.all() == {}


def test_what_is_gone_from_the_store_is_not_found(engine: Engine) -> None:
    """A model that was dropped while its snapshot still answers."""
    for kind in ("categories", "communities"):
        rows = list(engine.tables.store.scan(f"g000001.{kind}"))
        engine.tables.store.delete_many(f"g000001.{kind}", [(row, None) for row, _ in rows])
    with pytest.raises(NotFound, match="is gone"):
        admin.category(engine, "c1", 10, "")
    with pytest.raises(NotFound, match="is gone"):
        admin.community(engine, "g1", 10, "")


def test_a_name_is_shown_at_once(engine: Engine) -> None:
    """With its source, in listings and beside pages."""
    shown = admin.set_label(engine, "c1", "Good food")
    assert (shown["label"], shown["label_source"]) == ("Good food", "manual")
    (page,) = admin.pages(engine, [A])
    assert page is not None
    assert page["category"] == {"id": "c1", "label": "Good food"}
    assert admin.category(engine, "c2", 1, "")["label_source"] == "suggested"


# --- pages and users -------------------------------------------------------------------------


def test_pages_are_shown_in_the_order_asked(engine: Engine) -> None:
    """None for what the model does not know, also before there is one."""
    assert admin.pages(engine, [D, "https://elsewhere.example/", B]) == [
        {"url": D, "category": None, "category_source": None, "affinity": 0.0},
        None,
        {
            "url": B,
            "category": {"id": "c1", "label": "Label of c1"},
            "category_source": "batch",
            "affinity": 5.0,
        },
    ]


def test_a_user_is_batch_and_recent_together(engine: Engine) -> None:
    """URLs and categories by visits, whether the model knows the URLs or not."""
    new = "https://elsewhere.example/"
    events = [Event("visit", url, ANN, NOW_MS) for url in (C, D, new, new)]
    engine.recorder.record([*events, replace(events[0], kind="accept")])
    assert admin.user(engine, ANN) == {
        "community": "g1",
        "community_source": "batch",
        "urls": [
            {"url": A, "visits": 3, "accepts": 0},
            {"url": new, "visits": 2, "accepts": 0},
            {"url": C, "visits": 1, "accepts": 2},
            {"url": D, "visits": 1, "accepts": 0},
        ],
        "cats": [
            {"id": "c1", "label": "Label of c1", "visits": 3, "accepts": 0},
            {"id": "c2", "label": "Label of c2", "visits": 1, "accepts": 2},
        ],
    }


def test_a_newcomer_has_no_community(engine: Engine) -> None:
    """And is known by what happened since."""
    engine.recorder.record([Event("visit", A, "u:new", NOW_MS)])
    found = admin.user(engine, "u:new")
    assert found["community"] is None
    assert found["urls"] == [{"url": A, "visits": 1, "accepts": 0}]


# --- readiness -------------------------------------------------------------------------------


def test_readiness_names_what_is_missing(engine: Engine, tmp_path: Path) -> None:
    """Store, log and model, each with a reason where it is not there."""
    assert admin.readiness(engine) == {
        "store": {"ok": True},
        "log": {"ok": True},
        "model": {"ok": True},
    }
    (tmp_path / "log").rename(tmp_path / "elsewhere")
    found = admin.readiness(engine)
    assert not found["log"]["ok"]
    assert "log" in found["log"]["detail"]
    assert found["store"]["ok"]
    (tmp_path / "elsewhere").rename(tmp_path / "log")


def test_without_a_batch_there_is_no_model(tmp_path: Path) -> None:
    """And it says which command makes one; listings are empty."""
    with opened(tmp_path) as engine:
        found = admin.readiness(engine)["model"]
        assert not found["ok"]
        assert "webrec batch" in found["detail"]
        assert admin.list_models(engine.tables) == []
        assert admin.list_categories(engine, 10, "") == Listing([], None)
        assert admin.list_communities(engine, 10, "") == Listing([], None)
        assert admin.pages(engine, [A]) == [None]
