"""[1] → [3] How events add up to cells of visitors' recent rows. Pure: records in, cells out."""

from __future__ import annotations

from hbase_schema.cells import RecentCell
from webrec.domain.event_kinds import COUNTS_AS
from webrec.domain.types import Event
from webrec.rawlog import Record

Cells = dict[tuple[str, bytes], RecentCell]
"""Cells of recent rows by visitor and column."""


def profiled_visitor(event: Event) -> str | None:
    """The visitor in whose recent row an event counts; None where it counts in none."""
    return None if event.bot or COUNTS_AS[event.kind] is None else event.visitor


def with_event(cell: RecentCell | None, record: Record, order: int) -> RecentCell:
    """The cell with one more event.

    Args:
        cell: None for none so far.
        order: of the event among those of its segment.
    """
    counter = COUNTS_AS[record.event.kind]
    visit, accept = counter == "visits", counter == "accepts"
    url = record.event.url
    if cell is None:
        return RecentCell(record.received_us, order, int(visit), int(accept), url)
    visits, accepts = cell.visits + visit, cell.accepts + accept
    first_us = min(cell.first_us, record.received_us)  # a late claim shows an earlier event later
    return RecentCell(first_us, order, visits, accepts, url)
