"""[4] Ragged arrays: lists of different lengths end to end in one array, and where each ends.

It is the layout of the rows of a CSR matrix (compressed sparse row): list i has the values from
the end of list i - 1 to its own. Several arrays of values may share one array of ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def span(ends: memoryview, index: int) -> slice:
    """Where the values of list ``index`` are; a memoryview's part there is a view, not a copy."""
    return slice(ends[index - 1] if index else 0, ends[index])


def end_to_end(lists: Sequence[NDArray[Any]], dtype: DTypeLike) -> NDArray[Any]:
    """The values of all lists in one array of that type; empty where there are no lists."""
    return np.concatenate([np.empty(0, dtype), *lists]).astype(dtype, copy=False)


def ends_of(lists: Sequence[NDArray[Any] | bytes]) -> NDArray[np.int64]:
    """Where each list ends: int64 (n_lists,)."""
    return np.cumsum([len(each) for each in lists], dtype=np.int64)
