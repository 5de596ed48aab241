"""All tables together."""

from __future__ import annotations

from webrec.tables.tables import Tables


def test_creating_again_keeps_everything(tables: Tables) -> None:
    """A start finds the tables of the one before."""
    tables.labels.put("c1", "Food")
    tables.create()
    assert tables.labels.all() == {"c1": "Food"}
