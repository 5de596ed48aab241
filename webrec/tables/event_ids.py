"""[3] The table of event ids: which position in the log holds the event of an id."""

from __future__ import annotations

from collections.abc import Iterable

from hbase_schema import names, row_keys
from webrec.rawlog import Record
from webrec.storage import Store, Swap


class EventIds:
    """Claims of event ids.

    Args:
        store: any `webrec.storage.Store`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(self, records: Iterable[Record]) -> set[bytes]:
        """Claim the event ids of records for the positions they stand at.

        Each id belongs to the first position that claims it; claiming again is as once.

        Returns:
            The positions (see `hbase_schema.row_keys.position`) whose event is a repeat.
        """
        wanted: dict[bytes, bytes] = {}
        repeats: set[bytes] = set()
        for record in records:
            if (event_id := record.event.event_id) is not None:
                position = row_keys.position(record.segment, record.number)
                if wanted.setdefault(row_keys.event_key(event_id), position) != position:
                    repeats.add(position)
        if not wanted:
            return repeats
        claims = {row: Swap(None, position) for row, position in wanted.items()}
        fresh = self._store.check_and_put(names.EVENTS, names.AT, claims)
        taken = [row for row, is_fresh in zip(wanted, fresh, strict=True) if not is_fresh]
        for row, found in zip(taken, self._store.get_many(names.EVENTS, taken), strict=True):
            if found.get(names.AT) != wanted[row]:
                repeats.add(wanted[row])
        return repeats
