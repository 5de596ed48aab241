"""Row keys and columns, each with its inverse."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hbase_schema import row_keys
from hbase_schema.names import EVENT, FORGOTTEN_AT

names = st.text(min_size=1, max_size=300).filter(lambda s: s.isprintable())
segments = st.from_regex(r"[0-9]{8}-[0-9a-f]{16}-[0-9a-f]{8}", fullmatch=True)


@given(names)
def test_a_visitor_comes_back_from_its_row(name: str) -> None:
    """The salt is one byte, the same at every time."""
    row = row_keys.visitor_key("u:" + name)
    assert row_keys.visitor_of(row) == "u:" + name
    assert row == row_keys.visitor_key("u:" + name)
    assert len(row) == 1 + len(f"u:{name}".encode())


def test_the_parts_of_an_array_are_in_order() -> None:
    """Of one array after those of another, in the order of their numbers."""
    rows = [row_keys.array_part_key("users", "idf", n) for n in (0, 1, 9, 10, 99_999)]
    assert rows == sorted(rows)
    assert row_keys.array_of(rows[3]) == ("users", "idf")


def test_visitors_are_spread() -> None:
    """Visitors with consecutive names begin with all bytes, about evenly."""
    salts = Counter(row_keys.visitor_key(f"u:user{n}")[0] for n in range(25_600))
    assert len(salts) == 256
    assert max(salts.values()) < 200


def test_the_two_name_spaces_are_apart() -> None:
    """A login id that looks like an address is not that address."""
    assert row_keys.visitor_key("u:192.0.2.1") != row_keys.visitor_key("i:192.0.2.1")


@given(names, names)
def test_a_digest_stands_for_one_name(one: str, other: str) -> None:
    """Row keys of pages and event ids have a fixed size and tell names apart."""
    for key in (row_keys.page_key, row_keys.event_key):
        assert len(key(one)) == 16
        assert (key(one) == key(other)) == (one == other)


@given(segments, names)
def test_a_segment_comes_back_from_its_column(segment: str, url: str) -> None:
    """Whatever bytes the digest of the URL has."""
    column = row_keys.recent_column(segment, url)
    assert row_keys.segment_of(column) == segment
    assert column.startswith(EVENT)
    assert column != FORGOTTEN_AT


@given(segments, st.integers(0, 2**63), st.integers(0, 2**63))
def test_positions_are_ordered_as_their_numbers(segment: str, one: int, other: int) -> None:
    """Within a segment, by bytes."""
    assert (row_keys.position(segment, one) < row_keys.position(segment, other)) == (one < other)
