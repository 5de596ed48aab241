"""[3] The profiles of a generation: by visitor, what each user visited and accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hbase_schema import names, row_keys
from webrec.storage import Store
from webrec.tables.bulk import BulkWriter
from webrec.tables.rows import ProfileRow, community_of, profile_cells, profile_of


class Profiles:
    """Reads and writes of the profiles of generations."""

    def __init__(self, store: Store, bulk: BulkWriter) -> None:
        self._store = store
        self._bulk = bulk

    def put(self, generation_id: str, rows: Iterable[tuple[str, ProfileRow]]) -> None:
        """Write profiles of a generation by visitor key."""
        keyed = ((row_keys.visitor_key(v), profile_cells(row)) for v, row in rows)
        self._bulk.put(_table(generation_id), keyed)

    def get(
        self, generation_id: str, visitor: str, within_s: float | None = None
    ) -> ProfileRow | None:
        """One profile of a generation; None where the generation does not know the visitor.

        Args:
            within_s: seconds after which the answer is of no use any more.
        """
        key = row_keys.visitor_key(visitor)
        found = self._store.get(_table(generation_id), key, within_s=within_s)
        return profile_of(found) if found else None

    def communities(self, generation_id: str) -> Iterator[tuple[str, int | None]]:
        """The visitors with a profile, each with the number of the community; None without."""
        table = _table(generation_id)
        for row, found in self._store.scan(table, columns=(names.COMMUNITY,)):
            yield row_keys.visitor_of(row), community_of(found)


def _table(generation_id: str) -> str:
    return names.generation_table(generation_id, "profiles")
