"""What is known of pages."""

from __future__ import annotations

from tests.webrec.admin.site import B, D
from webrec.admin.pages import get_pages
from webrec.serving.engine import Engine


def test_pages_are_shown_in_the_order_asked(engine: Engine) -> None:
    """Pages are shown in the order asked, and None for what the model does not know."""
    assert get_pages(engine, [D, "https://elsewhere.example/", B]) == [
        {"url": D, "category": None, "category_source": None, "affinity": 0.0},
        None,
        {
            "url": B,
            "category": {"id": "c1", "label": "Label of c1"},
            "category_source": "batch",
            "affinity": 5.0,
        },
    ]
