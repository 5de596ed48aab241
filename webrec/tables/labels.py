"""[3] The labels' table: the names that editors gave to categories."""

from __future__ import annotations

from hbase_schema import names
from webrec.storage import Store
from webrec.tables.meta import Meta
from webrec.tables.shared_cells import set_cells


class Labels:
    """Reads and writes of labels.

    Args:
        store: any `webrec.storage.Store`.
        meta: whose counter tells readers that a label was written.
    """

    def __init__(self, store: Store, meta: Meta) -> None:
        self._store = store
        self._meta = meta

    def all(self) -> dict[str, str]:
        """The labels by category id."""
        found = self._store.scan(names.LABELS)
        return {row.decode(): cell[names.LABEL].decode() for row, cell in found}

    def put(self, category_id: str, label: str) -> None:
        """Name a category."""
        values = {category_id.encode(): label.encode()}
        set_cells(self._store, names.LABELS, names.LABEL, values)
        self._meta.next_number(names.LABELS_VERSION)
