"""Cell encodings, each beside its inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbase_schema import cells
from hbase_schema.cells import CHUNK_NUMBERS, Numbers, PageCell, RecentCell

u32, u64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
urls = st.text(max_size=200).map(lambda s: "https://site.example/" + s).filter(str.isprintable)


@given(st.builds(PageCell, urls, u32, st.integers(-1, 2**31 - 1), u64, u64))
def test_a_page_comes_back(page: PageCell) -> None:
    """Every field, and the URL at the end."""
    packed = cells.pack_page(page)
    assert cells.unpack_page(packed) == page
    assert len(packed) == 24 + len(page.url.encode())


@given(st.builds(RecentCell, u64, u64, u32, u32, urls))
def test_a_recent_cell_comes_back(cell: RecentCell) -> None:
    """Every field, and the URL at the end."""
    packed = cells.pack_recent(cell)
    assert cells.unpack_recent(packed) == cell
    assert len(packed) == 24 + len(cell.url.encode())


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_whole_number_comes_back(value: int) -> None:
    """In eight bytes, big-endian, as the stores' counters are."""
    assert cells.unpack_int(cells.pack_int(value)) == value
    assert cells.pack_int(value) == value.to_bytes(8, "big", signed=True)


def columns_of(n: int, width: int) -> list[Numbers]:
    """So many columns of so many numbers, the greatest one included."""
    return [np.arange(n, dtype=np.uint32) * (c + 1) ^ 0xFFFF_FFFF for c in range(width)]


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize(
    "n", [0, 1, 7, CHUNK_NUMBERS - 1, CHUNK_NUMBERS, CHUNK_NUMBERS + 1, 11 * CHUNK_NUMBERS + 3]
)
def test_columns_come_back(n: int, width: int) -> None:
    """Whatever their length, in order, also beside cells of other families."""
    columns = columns_of(n, width)
    packed = dict(cells.pack_columns(b"urls:", columns))
    other = dict(cells.pack_columns(b"rUrls:", columns_of(3, width)))
    found = cells.unpack_columns(b"urls:", {**other, **packed, b"m:info": b"x"}, width)
    assert len(found) == width
    for column, back in zip(columns, found, strict=True):
        assert back.dtype == np.uint32
        assert (back == column).all()
    assert len(packed) == max(1, -(-n // CHUNK_NUMBERS))


def test_a_cell_stays_below_what_a_store_takes() -> None:
    """A full cell of three columns has 1.2 MB, below the 2 MB of a framed put."""
    packed = dict(cells.pack_columns(b"urls:", columns_of(2 * CHUNK_NUMBERS, 3)))
    assert max(map(len, packed.values())) == 1_200_000
    assert list(packed) == [b"urls:00000", b"urls:00001"]


def test_no_cells_are_empty_columns() -> None:
    """A family nobody wrote has no numbers."""
    found = cells.unpack_columns(b"cats:", {}, 2)
    assert [column.shape for column in found] == [(0,), (0,)]


@given(st.lists(u32, max_size=50), st.sampled_from(["<u4", ">u4", "<i8"]))
def test_columns_of_other_layouts_are_packed_alike(numbers: list[int], dtype: str) -> None:
    """Byte order, width and stride of the array do not matter."""
    spaced = np.repeat(np.array(numbers, dtype), 2)[::2]
    packed = dict(cells.pack_columns(b"urls:", [spaced]))
    assert cells.unpack_columns(b"urls:", packed, 1)[0].tolist() == numbers
