"""[3] The pages of a generation: by URL, each with its number, category and counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hbase_schema import cells, names, row_keys
from hbase_schema.cells import PageCell
from webrec.storage import Store
from webrec.tables.bulk import BulkWriter


class Pages:
    """Reads and writes of the pages of generations."""

    def __init__(self, store: Store, bulk: BulkWriter) -> None:
        self._store = store
        self._bulk = bulk

    def put(self, generation_id: str, pages: Iterable[PageCell]) -> None:
        """Write pages of a generation."""
        rows = ((row_keys.page_key(p.url), {names.PAGE: cells.pack_page(p)}) for p in pages)
        self._bulk.put(_table(generation_id), rows)

    def all(self, generation_id: str) -> Iterator[PageCell]:
        """All pages of a generation, in no order that means anything."""
        for _, found in self._store.scan(_table(generation_id)):
            yield cells.unpack_page(found[names.PAGE])

    def by_url(self, generation_id: str, urls: Sequence[str]) -> list[PageCell | None]:
        """Some pages of a generation, in the order asked; None for an unknown one."""
        keys = [row_keys.page_key(url) for url in urls]
        rows = self._store.get_many(_table(generation_id), keys)
        return [cells.unpack_page(row[names.PAGE]) if row else None for row in rows]


def _table(generation_id: str) -> str:
    return names.generation_table(generation_id, "pages")
