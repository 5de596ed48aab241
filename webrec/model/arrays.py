"""[4] The arrays of a generation: the tables of one in, flat arrays to look things up in out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms import UNCATEGORISED
from hbase_schema.cells import Numbers, PageCell
from webrec.domain.hashing import hash64
from webrec.domain.types import Arrays
from webrec.errors import NotFound
from webrec.model.ragged import end_to_end, ends_of
from webrec.tables.generations import Generation
from webrec.tables.rows import ProfileRow
from webrec.tables.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelArrays:
    """All arrays of a generation, in memory or mapped from files named as these fields are.

    There are n pages, k categories, g communities, r pages in the lists of all categories and m in
    those of all communities. A page is its number, in the order of URLs. What is said to be end to
    end is a ragged array (`webrec.model.ragged`).

    The fields are memoryviews: one of their numbers is read in half of the time that an array of
    NumPy takes, and their parts are views. ``np.asarray`` makes an array of one without a copy.

    Attributes:
        urls: uint8, all URLs in ASCII end to end.
        url_ends: int64 (n,).
        hashes: uint64 (n,), `hash64` of every URL, ascending.
        hash_pages: uint32 (n,), the page of each hash.
        category: int32 (n,), each page's category, or `UNCATEGORISED`.
        total: float64 (n,), each page's total affinity.
        rec: uint32 (r,), the pages of every ``recL[c]`` end to end.
        rec_ends: int64 (k,).
        rec_all: uint32 (r,), the pages of ``recL``.
        col: uint32 (m,), the pages of every ``colL[g]`` end to end.
        col_rank: float64 (m,), the community's affinity for each of `col`.
        col_ends: int64 (g,), of `col`, `col_pages` and `grouped` alike.
        col_pages: uint32 (m,), `col` with each community's pages ascending.
        col_page_rank: float64 (m,), the community's affinity for each of `col_pages`.
        grouped: uint32 (m,), `col` with each community's pages by category first.
        grouped_rank: float64 (m,), the community's affinity for each of `grouped`.
        learned: the arrays of each learner (``pages``, ``users``, ``similar``); a generation may
            lack some, or all.
    """

    urls: memoryview
    url_ends: memoryview
    hashes: memoryview
    hash_pages: memoryview
    category: memoryview
    total: memoryview
    rec: memoryview
    rec_ends: memoryview
    rec_all: memoryview
    col: memoryview
    col_rank: memoryview
    col_ends: memoryview
    col_pages: memoryview
    col_page_rank: memoryview
    grouped: memoryview
    grouped_rank: memoryview
    learned: Mapping[str, Arrays]


def read_arrays(tables: Tables, generation: Generation) -> ModelArrays:
    """Read a generation's tables into arrays.

    Raises:
        NotFound: one of its tables or rows is gone.
    """
    found = _arrays(
        tables.pages.all(generation.id),
        generation.counts["pages"],
        _categories(tables, generation),
        _communities(tables, generation),
        generation.accept_weight,
    )
    return ModelArrays(**_views(found), learned=tables.arrays.all(generation.id))


def _categories(tables: Tables, generation: Generation) -> Iterator[Numbers]:
    """``recL[c]`` of every category, in the order of their numbers."""
    for category_id in generation.category_ids:
        row = tables.categories.get(generation.id, category_id)
        if row is None:
            raise NotFound(f"category {category_id} of model {generation.id} is gone")
        yield row.urls


def _communities(tables: Tables, generation: Generation) -> Iterator[ProfileRow]:
    """The row of every community, in the order of their numbers."""
    for community_id in generation.community_ids:
        found = tables.communities.get(generation.id, community_id)
        if found is None:
            raise NotFound(f"community {community_id} of model {generation.id} is gone")
        row, _size = found
        yield row


def _arrays(
    pages: Iterable[PageCell],
    n_pages: int,
    categories: Iterable[Numbers],
    communities: Iterable[ProfileRow],
    accept_weight: float,
) -> dict[str, NDArray[Any]]:
    """The arrays but for the learned ones, by name; each of the iterables is read once, in turn."""
    arrays = _page_arrays(pages, n_pages, accept_weight)
    arrays |= _category_arrays(categories, arrays["total"])
    return arrays | _community_arrays(communities, arrays["category"], accept_weight)


def _page_arrays(
    pages: Iterable[PageCell], n_pages: int, accept_weight: float
) -> dict[str, NDArray[Any]]:
    urls: list[bytes] = [b""] * n_pages
    category = np.full(n_pages, UNCATEGORISED, np.int32)
    total = np.zeros(n_pages)
    hashes = np.zeros(n_pages, np.uint64)
    for page in pages:
        url = urls[page.number] = page.url.encode()
        category[page.number] = page.category
        total[page.number] = page.visits + accept_weight * page.accepts
        hashes[page.number] = hash64(url)
    by_hash = np.argsort(hashes, kind="stable")
    return {
        "urls": np.frombuffer(b"".join(urls), np.uint8),
        "url_ends": ends_of(urls),
        "hashes": hashes[by_hash],
        "hash_pages": by_hash.astype(np.uint32),
        "category": category,
        "total": total,
    }


def _category_arrays(
    categories: Iterable[Numbers], total: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    lists = list(categories)
    rec = end_to_end(lists, np.uint32)
    best_first = np.lexsort((rec, -total[rec]))  # of equal ones the first by URL
    return {"rec": rec, "rec_ends": ends_of(lists), "rec_all": rec[best_first]}


def _community_arrays(
    communities: Iterable[ProfileRow], category: NDArray[np.int32], accept_weight: float
) -> dict[str, NDArray[Any]]:
    pages, ranks, by_page, by_page_ranks, grouped, grouped_ranks = [], [], [], [], [], []
    for row in communities:
        numbers = row.urls.numbers
        rank = row.urls.counts.astype(np.float64)
        accepts = dict(zip(*(a.tolist() for a in row.accepted_urls), strict=True))
        rank += accept_weight * np.array([accepts.get(n, 0) for n in numbers.tolist()])
        pages.append(numbers)
        ranks.append(rank)
        order = np.argsort(numbers)
        by_page.append(numbers[order])
        by_page_ranks.append(rank[order])
        order = np.lexsort((numbers, -rank, category[numbers]))
        grouped.append(numbers[order])
        grouped_ranks.append(rank[order])
    return {
        "col": end_to_end(pages, np.uint32),
        "col_rank": end_to_end(ranks, np.float64),
        "col_ends": ends_of(pages),
        "col_pages": end_to_end(by_page, np.uint32),
        "col_page_rank": end_to_end(by_page_ranks, np.float64),
        "grouped": end_to_end(grouped, np.uint32),
        "grouped_rank": end_to_end(grouped_ranks, np.float64),
    }


def _views(arrays: Mapping[str, NDArray[Any]]) -> dict[str, memoryview]:
    return {name: array.data for name, array in arrays.items()}


EMPTY_ARRAYS = ModelArrays(**_views(_arrays((), 0, (), (), 1.0)), learned={})
"""Of no generation: no page, no category, no community."""
