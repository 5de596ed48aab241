"""Lists of different lengths end to end."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from webrec.model.ragged import end_to_end, ends_of, span


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=5), max_size=6))
def test_every_list_comes_back(lists: list[list[int]]) -> None:
    """Empty ones too; no lists are empty arrays of the same types."""
    arrays = [np.array(each, np.uint32) for each in lists]
    values, ends = end_to_end(arrays, np.uint32), ends_of(arrays)
    assert (values.dtype, ends.dtype) == (np.uint32, np.int64)
    assert [values.data[span(ends.data, n)].tolist() for n in range(len(lists))] == lists
