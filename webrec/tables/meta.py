"""[3] The meta table: counters, the batch's lease, the pointer to the active generation."""

from __future__ import annotations

from typing import NamedTuple

from hbase_schema import cells, names
from webrec.domain.ids import new_id
from webrec.errors import LeaseLost
from webrec.storage import Store, Swap


class Versions(NamedTuple):
    """What a reader compares to see that something was written."""

    active: bytes | None
    campaigns: bytes | None
    labels: bytes | None


class Meta:
    """Reads and writes of the meta table.

    Args:
        store: any `webrec.storage.Store`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def versions(self) -> Versions:
        """The present versions."""
        rows = (names.ACTIVE, names.CAMPAIGNS_VERSION, names.LABELS_VERSION)
        return Versions(*(c.get(names.VALUE) for c in self._store.get_many(names.META, rows)))

    def next_number(self, counter: bytes) -> int:
        """The next number of one of the counters, from 1."""
        while True:
            old = self.value(counter)
            number = 1 if old is None else cells.unpack_number(old) + 1
            if self.swap(counter, old, cells.pack_number(number, new_id().encode())):
                return number

    def value(self, row: bytes) -> bytes | None:
        """The cell of a row; None where it was never written."""
        return self._store.get(names.META, row).get(names.VALUE)

    def swap(
        self, row: bytes, old: bytes | None, new: bytes, within_s: float | None = None
    ) -> bool:
        """Replace a cell unless another writer has changed it.

        Args:
            old: what must be there; None for nothing.
            within_s: seconds after which it must not be tried any more.

        Returns:
            Whether it was replaced.
        """
        (done,) = self._store.check_and_put(
            names.META, names.VALUE, {row: Swap(old, new)}, within_s
        )
        return done

    def lease(self) -> bytes | None:
        """The lease as it is written: JSON of the holder and the end of its term."""
        return self.value(names.LEASE)

    def swap_lease(self, old: bytes | None, new: bytes) -> None:
        """Replace the lease.

        Raises:
            LeaseLost: it is not ``old`` any more.
        """
        if not self.swap(names.LEASE, old, new):
            raise LeaseLost("another batch took the lease: only one runs at a time")
