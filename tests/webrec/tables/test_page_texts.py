"""The texts of new pages."""

from __future__ import annotations

from tests.support.tables import ANN, NEW, OLD, OPEN, WITHOUT_OPEN, A, B, generation
from webrec.domain.types import Event, Page
from webrec.tables.page_texts import PageText
from webrec.tables.tables import Tables


def test_the_newest_of_each_field_counts(tables: Tables) -> None:
    """Whatever the segment it is in, and the order of writing; a field may be empty."""
    older = PageText.of(Event("page", A, None, 1, title="old", keywords=("old",)))
    newer = PageText.of(Event("visit", A, ANN, 2, title="new", description="about a"))
    for texts in ((older, newer), (newer, older)):
        tables.page_texts.put(zip((OLD, NEW), (A, A), texts, strict=True))
        assert tables.page_texts.get(A) == Page(A, "new", ("old",), "about a")
    assert tables.page_texts.get_many([B, A]) == [None, Page(A, "new", ("old",), "about a")]


def test_of_the_same_moment_the_greater_text_counts() -> None:
    """So the order in which they came says nothing."""
    one, other = (PageText.of(Event("page", A, None, 1, title=title)) for title in ("a", "b"))
    assert one.newer(other) == other.newer(one) == other


def test_cleaning_leaves_texts_that_some_generation_has_not_read(tables: Tables) -> None:
    """Those of segments past the cut, and of those still open at it."""
    for n, segment in enumerate((NEW, OPEN, OLD), 1):
        tables.page_texts.put([(segment, A, PageText((n, segment)))])
    tables.page_texts.put([(OLD, B, PageText((1, "gone")))])
    tables.page_texts.clean(generation(watermark=WITHOUT_OPEN))
    assert tables.page_texts.get_many([A, B]) == [Page(A, OPEN), None]
