"""The pages of a generation."""

from __future__ import annotations

from hbase_schema.cells import PageCell
from tests.support.tables import A, B
from webrec.tables.tables import Tables


def test_pages_come_back_as_written(tables: Tables) -> None:
    """By URL in the order asked, and all; None for a page that is not in the generation."""
    tables.generations.create("000001")
    pages = [PageCell(A, 0, 1, 5, 2), PageCell(B, 1, -1, 0, 0)]
    tables.pages.put("000001", pages)
    assert sorted(tables.pages.all("000001")) == pages
    assert tables.pages.by_url("000001", [B, "https://none.example/", A]) == [
        pages[1],
        None,
        pages[0],
    ]
