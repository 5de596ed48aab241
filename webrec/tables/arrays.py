"""[3] The arrays of a generation: what its learners learned, by learner and by name."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from numpy.typing import NDArray

from hbase_schema import cells, names, row_keys
from webrec.domain.types import Arrays
from webrec.storage import Store
from webrec.tables.bulk import BulkWriter


class ArrayTable:
    """Reads and writes of the arrays of generations."""

    def __init__(self, store: Store, bulk: BulkWriter) -> None:
        self._store = store
        self._bulk = bulk

    def put(self, generation_id: str, learned: Mapping[str, Arrays]) -> None:
        """Write the arrays of a generation, by learner."""
        rows = (
            (row_keys.array_part_key(learner, name, number), {names.ARRAY_PART: part})
            for learner, arrays in learned.items()
            for name, array in arrays.items()
            for number, part in enumerate(cells.pack_array(array))
        )
        self._bulk.put(_table(generation_id), rows)

    def all(self, generation_id: str) -> dict[str, Arrays]:
        """The arrays of a generation, by learner; none of one that was written before there were.

        Raises:
            ValueError: an array lacks a part.
        """
        table = _table(generation_id)
        if table not in self._store.tables():
            return {}
        found: dict[str, dict[str, NDArray[Any]]] = {}
        parts = groupby(self._store.scan(table), key=lambda row: row_keys.array_of(row[0]))
        for (learner, name), rows in parts:
            array = cells.unpack_array([cell[names.ARRAY_PART] for _, cell in rows])
            found.setdefault(learner, {})[name] = array
        return dict(found)


def _table(generation_id: str) -> str:
    return names.generation_table(generation_id, "spaces")
