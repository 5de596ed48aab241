"""[3] The campaigns' table: one row a campaign, its document in one cell or in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson

from hbase_schema import cells, names
from webrec.domain.ids import new_id
from webrec.domain.types import Campaign
from webrec.formats.campaigns import campaign_document, parse_campaign
from webrec.storage import Store
from webrec.tables.meta import Meta
from webrec.tables.shared_cells import set_cells, try_to_set_cells


class Campaigns:
    """Reads and writes of campaigns.

    Args:
        store: any `webrec.storage.Store`.
        meta: whose counter tells readers that a campaign was written.
    """

    def __init__(self, store: Store, meta: Meta) -> None:
        self._store = store
        self._meta = meta

    def get(self, campaign_id: str) -> Campaign | None:
        """One campaign; None where there is none of this id."""
        cell = _cell(self._store.get(names.CAMPAIGNS, campaign_id.encode()))
        return None if cell is None else campaign_of(cell)

    def all(self, after: str = "") -> Iterator[Campaign]:
        """The campaigns with an id greater than ``after``, in the order of their ids."""
        return (campaign_of(cell) for _, cell in self.cells(after))

    def cells(self, after: str = "") -> Iterator[tuple[str, bytes]]:
        """The campaigns as they are stored, for a reader that decodes only what has changed."""
        start = after.encode() + b"\x00" if after else b""
        for row, found in self._store.scan(names.CAMPAIGNS, start):
            cell = _cell(found)
            if cell is not None:
                yield row.decode(), cell

    def put(self, campaigns: Sequence[Campaign]) -> None:
        """Write campaigns; those with the same id are replaced."""
        left = {c.id.encode(): orjson.dumps(campaign_document(c)) for c in campaigns}
        while left:
            # new parts each time: a faster writer may have deleted the last ones
            packed = {
                row: cells.pack_document(document, new_id().encode())
                for row, document in left.items()
            }
            self._store.put_many(
                names.CAMPAIGNS, [(row, parts) for row, (_, parts) in packed.items() if parts]
            )
            documents = {row: document for row, (document, _) in packed.items()}
            replaced = try_to_set_cells(self._store, names.CAMPAIGNS, names.DOCUMENT, documents)
            left = {row: document for row, document in left.items() if row not in replaced}
            self._drop_parts(replaced)
            self._drop_parts({row: documents[row] for row in left})
        # also for none: a repeated upload completes one that failed between the two writes
        self._meta.next_number(names.CAMPAIGNS_VERSION)

    def delete(self, campaign_id: str) -> None:
        """Take a campaign away."""
        row = campaign_id.encode()
        if self._store.get(names.CAMPAIGNS, row, (names.DOCUMENT,)):
            deleted = {row: cells.NO_DOCUMENT}
            replaced = set_cells(self._store, names.CAMPAIGNS, names.DOCUMENT, deleted)
            self._drop_parts(replaced)
        self._meta.next_number(names.CAMPAIGNS_VERSION)

    def _drop_parts(self, replaced: Mapping[bytes, bytes | None]) -> None:
        """Delete the parts of documents that were replaced."""
        long = {row: cell for row, cell in replaced.items() if cell and cells.is_in_parts(cell)}
        rows = zip(long.items(), self._store.get_many(names.CAMPAIGNS, list(long)), strict=True)
        stale = [(row, cells.parts_of(cell, found)) for (row, cell), found in rows]
        self._store.delete_many(names.CAMPAIGNS, stale)


def campaign_of(cell: bytes) -> Campaign:
    """The campaign that a cell holds."""
    return parse_campaign(orjson.loads(cell))


def _cell(found: dict[bytes, bytes]) -> bytes | None:
    cell = found.get(names.DOCUMENT)
    return None if cell is None else cells.unpack_document(cell, found)
