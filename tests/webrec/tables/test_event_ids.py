"""Claims of event ids."""

from __future__ import annotations

from hbase_schema import row_keys as keys
from tests.support.tables import ANN, NEW, OLD, A
from webrec.domain.types import Event
from webrec.rawlog import Record
from webrec.tables.tables import Tables


def record(number: int, event_id: str | None, segment: str = NEW) -> Record:
    """A line of the log."""
    return Record(segment, number, 1, Event("visit", A, ANN, 0, event_id))


def test_an_event_id_belongs_to_the_first_position(tables: Tables) -> None:
    """Asking again for the same position is no repeat; another position is, in any call."""
    assert (
        tables.event_ids.claim([])
        == tables.event_ids.claim([record(0, None), record(1, None)])
        == set()
    )
    assert tables.event_ids.claim([record(2, "x"), record(3, "y"), record(4, "x")]) == {
        keys.position(NEW, 4)
    }
    assert tables.event_ids.claim([record(2, "x"), record(3, "y")]) == set()
    assert tables.event_ids.claim([record(5, "y"), record(6, "z"), record(2, "x", OLD)]) == {
        keys.position(NEW, 5),
        keys.position(OLD, 2),
    }
