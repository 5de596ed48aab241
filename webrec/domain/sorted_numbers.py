"""Membership in sorted numbers by binary search: of one number, or of many at once."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np
from numpy.typing import NDArray


def position_of(numbers: memoryview | tuple[int, ...], wanted: float) -> int:
    """The position of a number among ascending ones, the first of equal ones; -1 without it."""
    at = bisect_left(numbers, wanted)
    return at if at < len(numbers) and numbers[at] == wanted else -1


def positions_of(
    numbers: NDArray[Any], wanted: NDArray[Any]
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Look many numbers up among ascending ones of the same type.

    Args:
        numbers: (n,).
        wanted: (m,), in any order.

    Returns:
        Bool (m,), whether each is among the numbers; and the positions of those that are, in the
        order of ``wanted``.
    """
    if not len(numbers):
        return np.zeros(len(wanted), np.bool_), np.empty(0, np.intp)
    at = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
    is_there = numbers[at] == wanted
    return is_there, at[is_there]
