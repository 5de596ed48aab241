"""Campaigns: uploads, listings, deletions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webrec.admin.site import A, walked
from webrec.admin.campaigns import apply_campaigns, delete_campaign, list_campaigns
from webrec.errors import NotFound, NotJson
from webrec.formats.json import read_json
from webrec.serving.engine import Engine


def document(campaign_id: str = "k1", **fields: Any) -> dict[str, Any]:
    """A campaign document."""
    return {"id": campaign_id, "urls": [A], "priority": 0.5, **fields}


def statuses(engine: Engine, *documents: object, dry_run: bool = False) -> list[str]:
    """What becomes of an upload."""
    results = apply_campaigns(engine.tables, documents, dry_run=dry_run)
    assert [result.index for result in results] == list(range(len(documents)))
    return [result.status for result in results]


def test_an_upload_says_what_became_of_each(engine: Engine) -> None:
    """Each campaign is created, updated or unchanged; the same upload again changes nothing."""
    upload = [document("k1"), document("k2", priority=0.1)]
    assert statuses(engine, *upload) == ["created", "created"]
    stored = list(engine.tables.campaigns.cells())
    assert statuses(engine, *upload) == ["unchanged", "unchanged"]
    assert list(engine.tables.campaigns.cells()) == stored
    assert statuses(engine, document("k1", priority=0.6), upload[1]) == ["updated", "unchanged"]
    assert list(engine.tables.campaigns.cells()) != stored


def test_a_repeated_upload_is_told_to_every_worker(engine: Engine) -> None:
    """A first try may have broken off before any worker was told, so the second tells them."""
    upload = [document("k1")]
    statuses(engine, *upload)
    version = engine.tables.meta.versions()
    assert statuses(engine, *upload) == ["unchanged"]
    assert engine.tables.meta.versions() != version
    with pytest.raises(NotFound):
        delete_campaign(engine.tables, "never there")
    assert (engine.tables.meta.versions().campaigns or b"") > (version.campaigns or b"")


def test_bad_documents_are_named_and_the_good_ones_kept(engine: Engine) -> None:
    """A bad document is refused with every wrong field; one that is no JSON has no field."""
    with pytest.raises(NotJson) as broken:
        read_json(b"{")
    results = apply_campaigns(
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
    """Each document of an upload is compared with what would be there by then."""
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
    """A dry run only says what would be done."""
    statuses(engine, document("k1"))
    upload = [document("k1", priority=0.9), document("k2"), document("k1", priority=0.9)]
    assert statuses(engine, *upload, dry_run=True) == ["updated", "created", "unchanged"]
    assert [(c.id, c.priority) for c in engine.tables.campaigns.all()] == [("k1", 0.5)]


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_campaigns_are_listed_in_parts(engine: Engine, limit: int) -> None:
    """Campaigns are listed in the order of their ids, each once, as they were given."""
    given = [document(i, active=True) for i in ("a", "b", "c")]
    statuses(engine, *given)
    assert walked(lambda n, after: list_campaigns(engine.tables, n, after), limit) == given


def test_a_campaign_is_deleted_once(engine: Engine) -> None:
    """A campaign that was deleted cannot be deleted again."""
    statuses(engine, document())
    delete_campaign(engine.tables, "k1")
    with pytest.raises(NotFound, match="k1"):
        delete_campaign(engine.tables, "k1")
