"""Cursors of listings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from webrec.admin.categories import get_category, list_categories
from webrec.admin.communities import get_community, list_communities
from webrec.errors import InvalidDocument
from webrec.serving.engine import Engine


@pytest.mark.parametrize("cursor", ["nowhere", "-1", "1.5", "²", "9" * 30])
def test_a_cursor_that_no_listing_gave_is_refused(engine: Engine, cursor: str) -> None:
    """A cursor that no listing gave is refused with what to do about it."""
    asked: list[Callable[[], object]] = [
        lambda: list_categories(engine, 10, cursor),
        lambda: list_communities(engine, 10, cursor),
        lambda: get_category(engine, "c1", 10, cursor),
        lambda: get_community(engine, "g1", 10, cursor),
    ]
    for ask in asked:
        with pytest.raises(InvalidDocument, match="leave it out"):
            ask()
