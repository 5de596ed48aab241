"""What is not there: in the active model, in the store, before the first batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.worlds import opened
from tests.webrec.admin.site import A
from webrec.admin.categories import get_category, list_categories, set_label
from webrec.admin.communities import get_community, list_communities
from webrec.admin.listing import Listing
from webrec.admin.models import all_models
from webrec.admin.operation import readiness
from webrec.admin.pages import get_pages
from webrec.admin.users import get_user
from webrec.errors import NotFound
from webrec.serving.engine import Engine


def test_what_the_model_does_not_have_is_not_found(engine: Engine) -> None:
    """An id that the active model does not have is not found, whatever is asked of it."""
    asked: list[Callable[[], object]] = [
        lambda: get_category(engine, "c9", 10, ""),
        lambda: get_community(engine, "g9", 10, ""),
        lambda: set_label(engine, "c9", "Food"),
        lambda: get_user(engine, "u:nobody"),
    ]
    for ask in asked:
        with pytest.raises(NotFound):
            ask()
    assert engine.tables.labels.all() == {}


def test_what_is_gone_from_the_store_is_not_found(engine: Engine) -> None:
    """Clusters of a model that was dropped while its snapshot still answers are not found."""
    for kind in ("categories", "communities"):
        rows = list(engine.tables.store.scan(f"g000001.{kind}"))
        engine.tables.store.delete_many(f"g000001.{kind}", [(row, None) for row, _ in rows])
    with pytest.raises(NotFound, match="is gone"):
        get_category(engine, "c1", 10, "")
    with pytest.raises(NotFound, match="is gone"):
        get_community(engine, "g1", 10, "")


def test_without_a_batch_there_is_no_model(tmp_path: Path) -> None:
    """Before a batch, readiness names the command that makes a model, and listings are empty."""
    with opened(tmp_path) as engine:
        found = readiness(engine)["model"]
        assert not found["ok"]
        assert "webrec batch" in found["detail"]
        assert all_models(engine.tables) == []
        assert list_categories(engine, 10, "") == Listing([], None)
        assert list_communities(engine, 10, "") == Listing([], None)
        assert get_pages(engine, [A]) == [None]
