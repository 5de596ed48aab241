"""The arrays of a generation."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from algorithms import UNCATEGORISED
from tests.webrec.model.known import WORLD
from webrec.bench import oracle
from webrec.domain.hashing import hash64
from webrec.model.arrays import EMPTY_ARRAYS, ModelArrays, read_arrays
from webrec.model.ragged import span
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables


@pytest.fixture
def arrays(tables: Tables, generation: Generation) -> ModelArrays:
    """Those of the world."""
    return read_arrays(tables, generation)


def test_types_and_shapes_are_as_documented(arrays: ModelArrays) -> None:
    """Also where there is nothing."""
    n, k, g = len(WORLD.category), 2, 2
    r = sum(category is not None for category in WORLD.category.values())
    m = sum(len(oracle.col_list(WORLD, community)) for community in ("g", "h"))
    expected = {
        "urls": ("uint8", sum(map(len, WORLD.category))),
        "url_ends": ("int64", n),
        "hashes": ("uint64", n),
        "hash_pages": ("uint32", n),
        "category": ("int32", n),
        "total": ("float64", n),
        "rec": ("uint32", r),
        "rec_ends": ("int64", k),
        "rec_all": ("uint32", r),
        "col": ("uint32", m),
        "col_rank": ("float64", m),
        "col_ends": ("int64", g),
        "col_pages": ("uint32", m),
        "col_page_rank": ("float64", m),
        "grouped": ("uint32", m),
        "grouped_rank": ("float64", m),
    }
    assert [*expected, "learned"] == [field.name for field in fields(ModelArrays)]
    for name, (dtype, length) in expected.items():
        array = np.asarray(getattr(arrays, name))
        assert (array.dtype, array.shape) == (np.dtype(dtype), (length,))
        nothing = np.asarray(getattr(EMPTY_ARRAYS, name))
        assert (nothing.dtype, nothing.shape) == (np.dtype(dtype), (0,))


def test_urls_and_hashes_lead_to_each_other(arrays: ModelArrays) -> None:
    """Hashes ascend, each with the page whose URL it is of."""
    urls = [bytes(arrays.urls[span(arrays.url_ends, page)]) for page in range(len(WORLD.category))]
    assert urls == [url.encode() for url in sorted(WORLD.category)]
    assert arrays.hashes.tolist() == sorted(map(hash64, urls))
    assert [hash64(urls[page]) for page in arrays.hash_pages] == arrays.hashes.tolist()


def test_a_community_has_its_list_in_three_orders(arrays: ModelArrays) -> None:
    """The list's own, by page, and by category first; with the same affinities."""
    category, where = arrays.category, span(arrays.col_ends, 0)
    best_first = list(zip(arrays.col[where], arrays.col_rank[where], strict=True))
    by_page = list(zip(arrays.col_pages[where], arrays.col_page_rank[where], strict=True))
    grouped = list(zip(arrays.grouped[where], arrays.grouped_rank[where], strict=True))
    assert best_first == sorted(best_first, key=lambda each: (-each[1], each[0]))
    assert by_page == sorted(best_first)
    assert grouped == sorted(best_first, key=lambda each: (category[each[0]], -each[1], each[0]))
    assert UNCATEGORISED in arrays.category.tolist()


def test_what_was_learned_is_there_by_learner(arrays: ModelArrays) -> None:
    """As the generation has it; of no generation there is nothing."""
    assert sorted(arrays.learned) == ["pages", "similar"]
    assert arrays.learned["pages"]["words"].dtype == np.uint64
    assert EMPTY_ARRAYS.learned == {}
