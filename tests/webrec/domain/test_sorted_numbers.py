"""Membership in sorted numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from webrec.domain.sorted_numbers import position_of, positions_of

small = st.integers(0, 20)


@given(st.lists(small).map(sorted), st.one_of(small, st.just(2.5)))
def test_one_number_has_its_first_position(numbers: list[int], wanted: float) -> None:
    """In a tuple or a buffer; -1 for a number that is not there, as between two neighbours."""
    expected = numbers.index(wanted) if wanted in numbers else -1  # type: ignore[arg-type]
    assert position_of(tuple(numbers), wanted) == expected
    assert position_of(np.array(numbers, np.uint32).data, wanted) == expected


@given(st.sets(small).map(sorted), st.lists(small))
def test_many_numbers_are_found_as_each_alone(numbers: list[int], wanted: list[int]) -> None:
    """Whether each is there, and where those that are stand; also among none, and of none."""
    is_there, positions = positions_of(np.array(numbers, np.uint32), np.array(wanted, np.uint32))
    assert is_there.tolist() == [number in numbers for number in wanted]
    assert positions.tolist() == [numbers.index(n) for n in wanted if n in numbers]
