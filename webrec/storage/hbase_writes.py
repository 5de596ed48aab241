"""Writes to HBase: rows as mutations, cut into calls that the server takes, each with its time.

Every cell we write carries a timestamp (ms) of ours, and every process gives each write a later one
than the write before: a write whose answer never came, and which the server carries out late, can
never hide a newer one. What several writers change is written by compare-and-set, for which the
server gives the time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from webrec.storage.base import Cells, Swap
from webrec.storage.hbase_driver import BatchMutation, Connection, Mutation

_BATCH_BYTES = 1 << 20
"""Bytes of one call: less than a framed server takes at once, and worth a round trip."""

_BATCH_CELLS = 5_000
"""Cells of one call: small ones cost the server more than their bytes say."""

_CELL_OVERHEAD = 40
"""Bytes that Thrift needs for a cell besides its name and value."""

_MOST_AHEAD_S = 1.0
"""Seconds that a deletion waits for the clock at most, which may have been set back by hours."""

W = TypeVar("W")


class Clock:
    """Milliseconds since 1970, each later than the one before, for all threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ms = 0

    def next_ms(self) -> int:
        """The time of a write that happens now."""
        with self._lock:
            self._last_ms = max(self._last_ms + 1, time.time_ns() // 1_000_000)
            return self._last_ms


_clock = Clock()


class Batch:
    """Mutations for one call, all of one moment.

    Attributes:
        at_ms: when they are written, milliseconds since 1970.
        mutations: by row.
    """

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms
        self.mutations: list[BatchMutation] = []
        self._bytes = 0
        self._cells = 0

    def add(self, row: bytes, mutations: list[Mutation]) -> None:
        """Take in mutations of a row."""
        self.mutations.append(BatchMutation(row=row, mutations=mutations))
        self._bytes += _bytes(row, mutations)
        self._cells += len(mutations)

    def has_room_for(self, row: bytes, mutations: list[Mutation]) -> bool:
        """Whether the call stays within its bounds with these; an empty one takes any."""
        return not self.mutations or (
            self._bytes + _bytes(row, mutations) <= _BATCH_BYTES
            and self._cells + len(mutations) <= _BATCH_CELLS
        )


def batches(
    rows: Iterable[tuple[bytes, W]], mutations_of: Callable[[W], list[Mutation]]
) -> Iterator[Batch]:
    """Rows cut into calls by bytes and cells; a row that is too large for one is cut as well."""
    batch = Batch(_clock.next_ms())
    for row, what in rows:
        for part in _parts(mutations_of(what)):
            if not batch.has_room_for(row, part):
                yield batch
                batch = Batch(_clock.next_ms())
            batch.add(row, part)
    if batch.mutations:
        yield batch


def _parts(mutations: list[Mutation]) -> Iterator[list[Mutation]]:
    part: list[Mutation] = []
    size = 0
    for mutation in mutations:
        cell = _bytes(b"", [mutation])
        if part and (size + cell > _BATCH_BYTES or len(part) >= _BATCH_CELLS):
            yield part
            part, size = [], 0
        part.append(mutation)
        size += cell
    if part:
        yield part


def puts(cells: Cells) -> list[Mutation]:
    """The mutations that write a row's cells."""
    return [
        Mutation(isDelete=False, column=column, value=value, writeToWAL=True)
        for column, value in cells.items()
    ]


def deletions(columns: Iterable[bytes]) -> list[Mutation]:
    """The mutations that delete columns, or whole families, of a row."""
    return [Mutation(isDelete=True, column=c, writeToWAL=True) for c in columns]


def check_and_put(
    table: str, row: bytes, column: bytes, swap: Swap
) -> Callable[[Connection], bool]:
    """The call that writes a cell if it holds what is expected, and says whether it did.

    It may be repeated: a call that came to no end may have been carried out, and then the cell
    holds the value.
    """
    is_repeated = False
    mutation = Mutation(isDelete=False, column=column, value=swap.value, writeToWAL=True)

    def call(connection: Connection) -> bool:
        nonlocal is_repeated
        if is_repeated and connection.table(table).row(row, [column]) == {column: swap.value}:
            return True
        is_repeated = True
        name = connection.name_of(table)
        done: bool = connection.client.checkAndPut(name, row, column, swap.expected, mutation, {})
        return done

    return call


def wait_until_past(at_ms: int) -> None:
    """Return when every process gives its next write a later time than this one.

    A deletion hides what has its own millisecond, so what is written after it needs a later one.
    """
    deadline = time.monotonic() + _MOST_AHEAD_S
    while time.time_ns() // 1_000_000 <= at_ms and time.monotonic() < deadline:
        time.sleep(0.001)


def _bytes(row: bytes, mutations: list[Mutation]) -> int:
    return len(row) + sum(len(m.column) + len(m.value or b"") + _CELL_OVERHEAD for m in mutations)
