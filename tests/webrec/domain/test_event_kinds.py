"""The table of event kinds, and what has to agree with it."""

from __future__ import annotations

from typing import get_args

from hbase_schema.cells import RecentCell
from webrec.config import Settings
from webrec.domain.event_kinds import COUNTERS, COUNTS_AS, EVENT_KINDS, KNOWN_KINDS, EventKind
from webrec.formats.schemas import EVENT_SCHEMA


def test_the_table_has_a_row_for_each_name() -> None:
    """The type that mypy checks, the schema that is published and the table name the same kinds."""
    names = tuple(kind.name for kind in EVENT_KINDS)
    assert names == get_args(EventKind) == KNOWN_KINDS == tuple(COUNTS_AS)
    assert tuple(EVENT_SCHEMA["properties"]["type"]["enum"]) == names


def test_a_visit_counts_an_accept_counts_and_a_page_does_not() -> None:
    """Only a visit is a visit."""
    assert COUNTS_AS == {"visit": "visits", "accept": "accepts", "page": None}


def test_every_counter_has_a_place() -> None:
    """What a row counts as is one of the counters, and a recent cell holds each."""
    assert {kind.counts_as for kind in EVENT_KINDS} - {None} == set(COUNTERS)
    assert set(COUNTERS) <= set(RecentCell._fields)


def test_a_weight_is_a_setting_and_one_for_each_counter() -> None:
    """Kinds that add to one counter cannot weigh differently: their sum is all that is kept."""
    weights = [kind.weight_setting for kind in EVENT_KINDS if kind.weight_setting is not None]
    assert all(Settings.model_fields[name].annotation is float for name in weights)
    pairs = {(kind.counts_as, kind.weight_setting) for kind in EVENT_KINDS}
    assert len(pairs) == len({counter for counter, _ in pairs})
