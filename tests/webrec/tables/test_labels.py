"""The names that editors gave to categories."""

from __future__ import annotations

from webrec.tables.tables import Tables


def test_a_label_replaces_the_one_before(tables: Tables) -> None:
    """By category id; another category keeps its own."""
    for category_id, label in (("c1", "Food"), ("c2", "Sport"), ("c1", "Küche")):
        tables.labels.put(category_id, label)
    assert tables.labels.all() == {"c1": "Küche", "c2": "Sport"}
