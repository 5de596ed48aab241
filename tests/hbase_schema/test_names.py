"""Names of tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbase_schema.names import FIXED, KINDS, generation_of, generation_table


@given(st.integers(0, 10**9), st.sampled_from(KINDS))
def test_a_generation_comes_back_from_its_tables(number: int, kind: str) -> None:
    """The name of each of its tables says which generation it belongs to."""
    assert generation_of(generation_table(f"{number:06d}", kind)) == f"{number:06d}"


@pytest.mark.parametrize("table", [*FIXED, "g000001", "g000001.other", "x000001.pages", ""])
def test_other_tables_belong_to_no_generation(table: str) -> None:
    """Fixed tables, and those of another application in the same store."""
    assert generation_of(table) is None
