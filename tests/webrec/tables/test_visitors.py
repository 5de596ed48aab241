"""Recent rows of visitors, and the list of those who are forgotten."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hbase_schema import names as t
from hbase_schema import row_keys as keys
from hbase_schema.cells import RecentCell
from tests.support.tables import ANN, BOB, NEW, OLD, OPEN, WITHOUT_OPEN, A, B, generation
from webrec.rawlog import Watermark
from webrec.storage.base import RowCells
from webrec.storage.sqlite import SqliteStore
from webrec.tables.tables import Tables


def put(tables: Tables, segment: str, url: str = A, first_us: int = 50, visitor: str = ANN) -> None:
    """Write a cell of one visit."""
    cell = RecentCell(first_us, 1, 1, 0, url)
    tables.visitors.put_recent([(visitor, keys.recent_column(segment, url), cell)])


def recent_urls(tables: Tables, watermark: Watermark, visitor: str = ANN) -> list[str]:
    """URLs of the cells that a generation with this watermark has not absorbed."""
    return sorted(c.url for c in tables.visitors.recent(visitor, watermark.covers).cells.values())


def test_recent_is_what_a_generation_has_not_absorbed(tables: Tables) -> None:
    """Segments past the cut, and those still open at it."""
    for segment in (OLD, OPEN, NEW):
        put(tables, segment)
    put(tables, NEW, B)
    put(tables, NEW, B, visitor=BOB)
    assert recent_urls(tables, WITHOUT_OPEN) == [A, A, B]
    assert recent_urls(tables, Watermark({"one": 1, "other": 1})) == []
    assert recent_urls(tables, Watermark(), BOB) == [B]
    assert recent_urls(tables, Watermark(), "u:nobody") == []


def test_a_forgotten_visitor_has_no_recent(tables: Tables) -> None:
    """What was received until then is deleted, and what comes late counts for nothing."""
    put(tables, NEW)
    put(tables, NEW, visitor=BOB)
    tables.visitors.forget(ANN, 100)
    row = tables.store.get(t.RECENT, keys.visitor_key(ANN))
    assert list(row) == [t.FORGOTTEN_AT]
    put(tables, NEW, first_us=100)
    put(tables, NEW, B, first_us=101)
    assert recent_urls(tables, Watermark()) == [B]
    assert recent_urls(tables, Watermark(), BOB) == [A]
    assert tables.visitors.forgotten_us([BOB, ANN, BOB]) == {BOB: 0, ANN: 100}
    assert tables.visitors.forgotten() == {ANN: 100}


class _Meanwhile(SqliteStore):
    """A store in which something happens once, before a read of the table of recent events."""

    happen: Callable[[], None] | None = None

    def get(
        self,
        table: str,
        row: bytes,
        columns: object = None,
        within_s: float | None = None,  # noqa: ARG002
    ) -> RowCells:
        """Read, after what happens."""
        if self.happen is not None and table == t.RECENT:
            happen, self.happen = self.happen, None
            happen()
        return super().get(table, row, columns)  # type: ignore[arg-type]


def test_forgetting_leaves_what_comes_meanwhile(tmp_path: Path) -> None:
    """A visit after the mark is written is not deleted with what was before."""
    with closing(_Meanwhile(tmp_path / "webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        put(tables, NEW, A, first_us=50)
        store.happen = lambda: put(tables, NEW, B, first_us=101)
        tables.visitors.forget(ANN, 100)
        assert recent_urls(tables, Watermark()) == [B]


def test_the_batch_is_done_with_whom_it_knew(tables: Tables) -> None:
    """A visitor forgotten again meanwhile stays listed for the next batch."""
    tables.visitors.forget(ANN, 100)
    tables.visitors.forget(BOB, 100)
    known = tables.visitors.forgotten()
    tables.visitors.forget(ANN, 200)
    tables.visitors.forgotten_done(known)
    assert tables.visitors.forgotten() == {ANN: 200}


def test_cleaning_leaves_what_some_generation_needs(tables: Tables) -> None:
    """Cells that the oldest has absorbed go, and marks from before its cut."""
    for segment in (OLD, OPEN, NEW):
        put(tables, segment)
    tables.visitors.forget("u:gone", 100)
    tables.visitors.forget("u:later", 101)
    assert tables.visitors.clean_recent(generation()) == 3
    assert recent_urls(tables, Watermark()) == [A]
    assert tables.visitors.forgotten_us(["u:gone", "u:later"]) == {"u:gone": 0, "u:later": 101}
    assert tables.visitors.clean_recent(generation()) == 0


def test_marks_stay_while_a_segment_was_open_at_the_cut(tables: Tables) -> None:
    """Its replay may still find what came before."""
    put(tables, OPEN)
    tables.visitors.forget("u:gone", 100)
    assert tables.visitors.clean_recent(generation(watermark=WITHOUT_OPEN)) == 0
    assert tables.visitors.forgotten_us(["u:gone"]) == {"u:gone": 100}
