"""How the tables are kept."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbase_schema import names, row_keys
from hbase_schema.families import DEFINITIONS, definition_of, split_keys
from hbase_schema.names import FIXED, KINDS, generation_table

COLUMNS = {
    names.META: [names.VALUE],
    names.GENERATIONS: [names.INFO],
    names.CAMPAIGNS: [names.DOCUMENT, names.PART],
    names.LABELS: [names.LABEL],
    names.RECENT: [names.EVENT, names.FORGOTTEN_AT],
    names.FORGOTTEN: [names.AT],
    names.EVENTS: [names.AT],
    names.NEW_PAGES: [names.PAGE_TEXT],
    "pages": [names.PAGE],
    "categories": [names.URLS, names.INFO],
    "communities": [
        names.URLS,
        names.CATS,
        names.ACCEPTED_URLS,
        names.ACCEPTED_CATS,
        names.INFO,
        names.COMMUNITY,
    ],
    "profiles": [
        names.URLS,
        names.CATS,
        names.ACCEPTED_URLS,
        names.ACCEPTED_CATS,
        names.LAST,
        names.COMMUNITY,
    ],
    "spaces": [names.ARRAY_PART],
}
"""What is written where, as `hbase_schema.names` says."""


def test_every_table_has_a_definition() -> None:
    """And there is none for a table that we have not."""
    assert set(DEFINITIONS) == {*FIXED, *KINDS}
    for table in FIXED:
        assert definition_of(table) is DEFINITIONS[table]
    for kind in KINDS:
        assert definition_of(generation_table("000012", kind)) is DEFINITIONS[kind]


@pytest.mark.parametrize("table", ["other", "g000001.other", "", "g000001"])
def test_other_tables_have_none(table: str) -> None:
    """They are none of ours."""
    with pytest.raises(KeyError):
        definition_of(table)


@pytest.mark.parametrize("table", DEFINITIONS)
def test_families_are_those_of_the_columns(table: str) -> None:
    """Each column has its family, each family a column; and they are few."""
    families = [family.name for family in DEFINITIONS[table].families]
    assert set(families) == {column.decode().partition(":")[0] for column in COLUMNS[table]}
    assert len(set(families)) == len(families) <= 2
    assert all(family.ttl_s is None for family in DEFINITIONS[table].families)


def test_all_columns_have_a_table() -> None:
    """A new one is written down above."""
    constants = {
        value
        for name, value in vars(names).items()
        if name.isupper() and isinstance(value, bytes) and b":" in value[:2]
    }
    assert constants == {column for columns in COLUMNS.values() for column in columns}


@given(st.integers(1, 256))
def test_regions_are_of_equal_size(regions: int) -> None:
    """Their first keys are single bytes, in order, none twice, as far apart as can be."""
    starts = split_keys(regions)
    assert len(starts) == regions - 1
    assert all(len(start) == 1 for start in starts)
    edges = [0, *(start[0] for start in starts), 256]
    sizes = [end - start for start, end in pairwise(edges)]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) > 0


@pytest.mark.parametrize(
    ("table", "key"),
    [
        (names.RECENT, row_keys.visitor_key),
        ("profiles", row_keys.visitor_key),
        ("pages", row_keys.page_key),
        (names.EVENTS, row_keys.event_key),
    ],
)
def test_the_keys_of_a_spread_table_are_spread(table: str, key: object) -> None:
    """Every region that it is split into gets its share, though the names are alike."""
    assert DEFINITIONS[table].is_spread
    starts = [b"", *split_keys(16)]
    found = [0] * 16
    for n in range(3_200):
        row = key(f"u:visitor{n:05d}")  # type: ignore[operator]
        found[max(place for place, start in enumerate(starts) if row >= start)] += 1
    assert 100 < min(found) <= max(found) < 300


def test_other_tables_are_not_split() -> None:
    """Their keys are ids, which begin alike."""
    spread = {name for name, definition in DEFINITIONS.items() if definition.is_spread}
    assert spread == {names.RECENT, names.EVENTS, names.NEW_PAGES, "pages", "profiles"}
