"""The list of generations, the active one, and their tables."""

from __future__ import annotations

import pytest

from tests.support.tables import OLD, OPEN, generation
from webrec.errors import Conflict, NotFound
from webrec.rawlog import Watermark
from webrec.tables.tables import Tables


def test_a_generation_comes_back_as_written(tables: Tables) -> None:
    """With its watermark and figures; unlisted ones are not there."""
    written = generation(watermark=Watermark({"one": 3}, frozenset({OPEN, OLD}), is_complete=False))
    tables.generations.put(written)
    assert tables.generations.get("000001") == written
    assert tables.generations.all() == [written]
    assert tables.generations.get("000002") is None
    assert tables.generations.active() is None


def test_the_pointer_moves_from_what_was_expected(tables: Tables) -> None:
    """To a listed generation only, and to one of two who try."""
    for i in ("000001", "000002"):
        tables.generations.put(generation(i))
    with pytest.raises(NotFound, match="models list"):
        tables.generations.activate("000009", None)
    tables.generations.activate("000001", None)
    with pytest.raises(Conflict):
        tables.generations.activate("000002", None)
    active = tables.generations.active()
    assert active is not None
    assert active.id == "000001"
    tables.generations.activate("000002", "000001")
    with pytest.raises(Conflict):
        tables.generations.activate("000001", "000001")


def test_a_dropped_generation_leaves_nothing(tables: Tables) -> None:
    """Neither on the list nor in the store; others stay."""
    for i in ("000001", "000002"):
        tables.generations.create(i)
        tables.generations.put(generation(i))
    tables.generations.create("000003")
    assert tables.generations.with_tables() == {"000001", "000002", "000003"}
    tables.generations.drop("000001")
    tables.generations.drop("000003")
    assert tables.generations.with_tables() == {"000002"}
    assert [g.id for g in tables.generations.all()] == ["000002"]
