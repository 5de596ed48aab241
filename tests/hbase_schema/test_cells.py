"""Cell encodings, each beside its inverse."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hbase_schema import cells
from hbase_schema.cells import CHUNK_NUMBERS, NO_DOCUMENT, Numbers, PageCell, RecentCell
from hbase_schema.names import DOCUMENT, PART

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
    return [np.arange(n, dtype=np.uint32) * (c + 1) ^ 0xFFFF_FFFF for c in range(width)]  # type: ignore[misc]


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


@pytest.mark.parametrize(
    "array",
    [
        np.arange(400_000, dtype=np.float32).reshape(1_000, 400),
        np.array(["car", "bicycle"]),
        np.empty((0, 3), np.float16),
    ],
)
def test_an_array_comes_back(array: np.ndarray) -> None:
    """Shape, type and numbers, in parts that a store takes."""
    parts = cells.pack_array(array)
    assert max(map(len, parts)) <= cells.PART_BYTES
    found = cells.unpack_array(parts)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert (found == array).all()


def test_no_cells_are_empty_columns() -> None:
    """A family without cells has no numbers."""
    found = cells.unpack_columns(b"cats:", {}, 2)
    assert [column.shape for column in found] == [(0,), (0,)]


@given(st.lists(u32, max_size=50), st.sampled_from(["<u4", ">u4", "<i8"]))
def test_columns_of_other_layouts_are_packed_alike(numbers: list[int], dtype: str) -> None:
    """Byte order, width and stride of the array do not matter."""
    spaced = np.repeat(np.array(numbers, dtype), 2)[::2]
    packed = dict(cells.pack_columns(b"urls:", [spaced]))
    assert cells.unpack_columns(b"urls:", packed, 1)[0].tolist() == numbers


@given(st.integers(1, 2**63 - 1), st.binary(max_size=40))
def test_a_number_comes_back(number: int, token: bytes) -> None:
    """Whichever write took it; the cell of no other write is the same."""
    packed = cells.pack_number(number, token)
    assert cells.unpack_number(packed) == number
    assert cells.unpack_number(cells.pack_int(number)) == number
    assert packed != cells.pack_number(number, token + b"x")


# --- documents ---------------------------------------------------------------------------------

SHORT = 40
"""What a cell holds, in the tests with short documents."""

jsons = st.binary(max_size=10 * SHORT).map(lambda text: b"{" + text + b"}")
versions = st.from_regex(rb"[0-9a-f]{4}", fullmatch=True)


@pytest.fixture(scope="module", autouse=True)
def short_cells() -> Iterator[None]:
    """Documents need parts soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "PART_BYTES", SHORT)
        yield


@given(jsons, versions)
def test_a_document_comes_back(document: bytes, version: bytes) -> None:
    """From one cell, or from as many as it takes, none of them too long."""
    cell, parts = cells.pack_document(document, version)
    row = {**parts, DOCUMENT: cell}
    assert cells.unpack_document(cell, row) == document
    assert max(map(len, row.values())) <= SHORT
    assert cells.is_in_parts(cell) == bool(parts) == (len(document) > SHORT)
    assert len(parts) == (-(-len(document) // SHORT) if parts else 0)
    assert all(column.startswith(PART) for column in parts)


@given(jsons, jsons, versions, versions, versions)
def test_parts_of_several_documents_stay_apart(
    one: bytes, other: bytes, version: bytes, later: bytes, none: bytes
) -> None:
    """In one row, whatever is left of others; and none belongs to two."""
    assume(len({version, later, none}) == 3)
    cell, parts = cells.pack_document(one, version)
    newer, more = cells.pack_document(other, later)
    row = {**more, **parts, DOCUMENT: newer, b"p:": b"", PART + version: b"x"}
    for packed, document, columns in ((cell, one, parts), (newer, other, more)):
        assert cells.unpack_document(packed, row) == document
        if cells.is_in_parts(packed):
            assert cells.parts_of(packed, row) == list(columns)
    if cells.is_in_parts(cell):
        assert cells.parts_of(cell.replace(version, none), row) == []


def test_a_version_that_begins_with_another() -> None:
    """Is another."""
    cell, parts = cells.pack_document(b"{" + b"a" * 100 + b"}", b"ab")
    longer, more = cells.pack_document(b"{" + b"b" * 100 + b"}", b"abc")
    row = {**parts, **more}
    assert cells.parts_of(cell, row) == list(parts)
    assert cells.parts_of(longer, row) == list(more)


def test_parts_are_put_together_in_order() -> None:
    """Though they come in any."""
    document = b"".join(b"%04d" % n for n in range(2_000))
    cell, parts = cells.pack_document(document, b"v")
    assert len(parts) == 200
    row = dict(reversed(parts.items()))
    assert cells.unpack_document(cell, row) == document
    assert cells.parts_of(cell, row) == list(parts)


def test_a_deleted_document_is_none() -> None:
    """Also beside the parts of one before it; and it cannot be mistaken for a document."""
    _, parts = cells.pack_document(b"{" + b"a" * 100 + b"}", b"v")
    assert cells.unpack_document(NO_DOCUMENT, parts) is None
    assert not cells.is_in_parts(NO_DOCUMENT)
    assert not NO_DOCUMENT.startswith(b"{")
