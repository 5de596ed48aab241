"""[3] The clusters of a generation: categories of pages, communities of users, by their ids."""

from __future__ import annotations

from collections.abc import Iterable

from hbase_schema import cells, names
from webrec.storage import Store
from webrec.tables.bulk import BulkWriter
from webrec.tables.rows import (
    CategoryRow,
    ProfileRow,
    category_cells,
    category_of,
    profile_cells,
    profile_of,
)


class Categories:
    """Reads and writes of the categories of generations."""

    def __init__(self, store: Store, bulk: BulkWriter) -> None:
        self._store = store
        self._bulk = bulk

    def put(self, generation_id: str, categories: Iterable[tuple[str, CategoryRow]]) -> None:
        """Write categories of a generation by id."""
        table = names.generation_table(generation_id, "categories")
        self._bulk.put(table, ((i.encode(), category_cells(row)) for i, row in categories))

    def get(self, generation_id: str, category_id: str) -> CategoryRow | None:
        """One category of a generation; None where there is none of this id."""
        table = names.generation_table(generation_id, "categories")
        found = self._store.get(table, category_id.encode())
        return category_of(found) if found else None


class Communities:
    """Reads and writes of the communities of generations."""

    def __init__(self, store: Store, bulk: BulkWriter) -> None:
        self._store = store
        self._bulk = bulk

    def put(self, generation_id: str, communities: Iterable[tuple[str, ProfileRow, int]]) -> None:
        """Write communities of a generation: id, the four parts, size in members."""
        table = names.generation_table(generation_id, "communities")
        rows = (
            (i.encode(), {**profile_cells(row), names.INFO: cells.pack_int(size)})
            for i, row, size in communities
        )
        self._bulk.put(table, rows)

    def get(self, generation_id: str, community_id: str) -> tuple[ProfileRow, int] | None:
        """One community of a generation and its size in members; None where there is none."""
        table = names.generation_table(generation_id, "communities")
        found = self._store.get(table, community_id.encode())
        return (profile_of(found), cells.unpack_int(found[names.INFO])) if found else None
