"""[3] Cells that several processes may write at once: the last writer wins, nothing is torn."""

from __future__ import annotations

from collections.abc import Mapping

from webrec.storage import Store, Swap

Replaced = dict[bytes, bytes | None]
"""What a write replaced, by row; None where there was nothing."""


def set_cells(store: Store, table: str, column: bytes, values: Mapping[bytes, bytes]) -> Replaced:
    """Write one cell of each of some rows.

    Each is written by compare-and-set, so that a write that got stuck on its way never hides a
    later one.

    Returns:
        What was replaced.
    """
    replaced: Replaced = {}
    while left := {row: value for row, value in values.items() if row not in replaced}:
        replaced.update(try_to_set_cells(store, table, column, left))
    return replaced


def try_to_set_cells(
    store: Store, table: str, column: bytes, values: Mapping[bytes, bytes]
) -> Replaced:
    """The same, tried once.

    Returns:
        What was replaced, of the rows that no other writer changed meanwhile.
    """
    there = store.get_many(table, list(values), (column,))
    swaps = {
        row: Swap(cell.get(column), values[row]) for row, cell in zip(values, there, strict=True)
    }
    done = store.check_and_put(table, column, swaps)
    return {
        row: swap.expected
        for (row, swap), is_done in zip(swaps.items(), done, strict=True)
        if is_done
    }
