"""Categories, their lists and their labels."""

from __future__ import annotations

import pytest

from tests.webrec.admin.site import A, B, walked
from webrec.admin.categories import get_category, list_categories, set_label
from webrec.admin.listing import Listing
from webrec.admin.pages import get_pages
from webrec.serving.engine import Engine


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_categories_are_listed_in_parts(engine: Engine, limit: int) -> None:
    """Categories are listed each once, with label, size and total affinity."""
    found = walked(lambda n, after: list_categories(engine, n, after), limit)
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
    """A category shows its pages in `recL` order, each with its total affinity."""

    def part(limit: int, after: str) -> Listing:
        found = get_category(engine, "c1", limit, after)
        return Listing(found["urls"], found["next"])

    assert walked(part, limit) == [{"url": B, "affinity": 5.0}, {"url": A, "affinity": 4.0}]


def test_a_name_is_shown_at_once(engine: Engine) -> None:
    """A label shows at once, with its source, in listings and beside pages."""
    shown = set_label(engine, "c1", "Good food")
    assert (shown["label"], shown["label_source"]) == ("Good food", "manual")
    (page,) = get_pages(engine, [A])
    assert page is not None
    assert page["category"] == {"id": "c1", "label": "Good food"}
    assert get_category(engine, "c2", 1, "")["label_source"] == "suggested"
