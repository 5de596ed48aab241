"""[4] A generation in memory: its tables in, arrays to look things up in out.

The arrays lie in files that every process of the machine maps, so a model is loaded once and its
memory is shared, however many workers there are and whenever the generation was published.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from bisect import bisect_left
from collections.abc import Collection, Iterator
from functools import cached_property
from hashlib import blake2b
from heapq import merge
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms import UNCATEGORISED, Candidate, Candidates, Run, candidate
from webrec.domain.types import Arrays
from webrec.errors import NotFound, StoreUnavailable
from webrec.features.page_classifier import PageSpace
from webrec.features.user_classifier import UserSpace
from webrec.model.co_visit_scorer import Similarity
from webrec.rawlog.local import Watermark
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables

_HASH = "<u8"
_FORMAT = 2  # of the arrays: counted on when there are others


class Model:
    """One generation, to be read by page, category and community number.

    Args:
        generation: what it is.
        arrays: as `_arrays` makes them, in memory or mapped.
    """

    def __init__(self, generation: Generation, arrays: dict[str, NDArray[Any]]) -> None:
        self.generation = generation
        views = {name: a.data for name, a in arrays.items()}
        self._urls = views["urls"]
        self._url_ends = views["url_ends"]
        self._hashes = views["hashes"]
        self._hash_pages = views["hash_pages"]
        self._category = views["category"]
        self._total = views["total"]
        self._rec = _Lists(views["rec"], views["rec_ends"])
        self._rec_all = views["rec_all"]
        self._col = _Lists(views["col"], views["col_ends"])
        self._col_rank = _Lists(views["col_rank"], views["col_ends"])
        self._col_pages = _Lists(views["col_pages"], views["col_ends"])
        self._col_page_rank = _Lists(views["col_page_rank"], views["col_ends"])
        self._spaces: dict[str, dict[str, NDArray[Any]]] = {}
        for path, array in arrays.items():
            space, dot, name = path.partition(".")
            if dot:
                self._spaces.setdefault(space, {})[name] = array
        self.similarity = Similarity(self.space("similar"))
        self._grouped = _Lists(views["grouped"], views["col_ends"])
        self._grouped_rank = _Lists(views["grouped_rank"], views["col_ends"])

    def space(self, name: str) -> Arrays:
        """What ``pages`` or ``users`` were measured by; empty where that is unknown."""
        return self._spaces.get(name, {})

    @cached_property
    def users(self) -> UserSpace | None:
        """What users were measured by; None where that is unknown, or nobody has a community."""
        space = self.space("users")
        return UserSpace.of(space) if space else None

    @cached_property
    def page_space(self) -> PageSpace | None:
        """What places pages that the generation does not know; None where it cannot."""
        arrays = self.space("pages")
        return PageSpace(arrays) if arrays else None

    def knows(self, url: str) -> bool:
        """Whether the generation has a category for a page."""
        page = self.find(url)
        return page is not None and self.category(page) != UNCATEGORISED

    @property
    def size(self) -> int:
        """How many pages there are."""
        return len(self._url_ends)

    def find(self, url: str) -> int | None:
        """The number of a page; None for a URL that the generation does not know."""
        key = url.encode()
        wanted = _hash(key)
        at = bisect_left(self._hashes, wanted)
        while at < len(self._hashes) and self._hashes[at] == wanted:
            page: int = self._hash_pages[at]
            if self._url_bytes(page) == key:
                return page
            at += 1
        return None

    def place(self, url: str) -> int:
        """How many of the model's URLs come before one in their order."""
        return bisect_left(range(self.size), url, key=self.url)

    def url(self, page: int) -> str:
        """The URL of a page."""
        ends = self._url_ends
        return str(self._urls[ends[page - 1] if page else 0 : ends[page]], "ascii")

    def category(self, page: int) -> int:
        """The category of a page, or `UNCATEGORISED`."""
        found: int = self._category[page]
        return found

    def rec(self, category: int) -> Candidates:
        """``recL[c]``."""
        return _RecL(self, category)

    @cached_property
    def rec_all(self) -> Candidates:
        """``recL``."""
        return _RecLs(self, [c for c in range(len(self._rec)) if len(self._rec[c])], "recL")

    def col(self, community: int) -> Candidates:
        """``colL[g]``."""
        return self._communities[community]

    def rec_of(self, community: int) -> Candidates:
        """The union of ``recL[c]`` over the categories of ``colL[g]``."""
        name = f"∪ recL[c] for c in categories(colL[{self.generation.community_ids[community]}])"
        return _RecLs(self, sorted(self.categories_of(community)), name)

    def categories_of(self, community: int) -> set[int]:
        """The categories of ``colL[g]``."""
        return set(self._communities[community].categories()) - {UNCATEGORISED}

    def total(self, page: int) -> float:
        """Total affinity of a page."""
        found: float = self._total[page]
        return found

    def col_ranks(self, community: int, pages: NDArray[np.uint32]) -> list[tuple[int, float]]:
        """Those of some pages that are in ``colL[g]``, each with its affinity there."""
        there = np.asarray(self._col_pages[community])
        if not len(there):
            return []
        places = np.minimum(np.searchsorted(there, pages), len(there) - 1)
        both = there[places] == pages
        ranks = np.asarray(self._col_page_rank[community])[places[both]]
        return list(zip(pages[both].tolist(), ranks.tolist(), strict=True))

    @cached_property
    def _communities(self) -> list[_ColL]:
        return [_ColL(self, g) for g in range(len(self._col))]

    def _url_bytes(self, page: int) -> bytes:
        start = self._url_ends[page - 1] if page else 0
        return bytes(self._urls[start : self._url_ends[page]])


class _Lists:
    """Lists laid end to end: the i-th is a view, nothing is copied."""

    def __init__(self, items: memoryview, ends: memoryview) -> None:
        self._items = items
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: Any) -> Any:
        return self._items[self._ends[index - 1] if index else 0 : self._ends[index]]


class _RecL:
    """``recL[c]`` of one category."""

    def __init__(self, model: Model, category: int) -> None:
        self._model = model
        self._category = category

    @property
    def expression(self) -> str:
        return f"recL[{self._model.generation.category_ids[self._category]}]"

    def categories(self) -> Collection[int]:
        return (self._category,)

    def of(self, category: int) -> Iterator[Run]:
        total = self._model._total
        yield 0.0, (candidate((-total[p], p, category, 0.0)) for p in self._model._rec[category])

    def whole(self) -> Iterator[Run]:
        return self.of(self._category)

    def find(self, page: int) -> Candidate | None:
        if self._model.category(page) != self._category:
            return None
        return candidate((-self._model._total[page], page, self._category, 0.0))

    def __len__(self) -> int:
        return len(self._model._rec[self._category])

    def __contains__(self, page: float, /) -> bool:
        return isinstance(page, int) and self._model.category(page) == self._category


class _RecLs:
    """The union of several ``recL[c]``."""

    def __init__(self, model: Model, categories: list[int], expression: str) -> None:
        self._model = model
        self._categories = categories
        self.expression = expression
        self._set = frozenset(categories)
        self._is_whole = len(categories) == len(model._rec)

    def categories(self) -> Collection[int]:
        return self._set

    def of(self, category: int) -> Iterator[Run]:
        return _RecL(self._model, category).of(category)

    def whole(self) -> Iterator[Run]:
        total, category = self._model._total, self._model._category
        if self._is_whole:
            pages = self._model._rec_all
            yield 0.0, (candidate((-total[p], p, category[p], 0.0)) for p in pages)
        else:
            yield 0.0, merge(*(run for c in self._categories for _, run in self.of(c)))

    def find(self, page: int) -> Candidate | None:
        category = self._model.category(page)
        if category not in self._set:
            return None
        return candidate((-self._model._total[page], page, category, 0.0))

    def __len__(self) -> int:
        return sum(len(self._model._rec[c]) for c in self._categories)

    def __contains__(self, page: float, /) -> bool:
        return isinstance(page, int) and self._model.category(page) in self._set


class _ColL:
    """``colL[g]`` of one community, and the same grouped by category."""

    def __init__(self, model: Model, community: int) -> None:
        self._model = model
        self._community = community
        self._bounds = _group_bounds(model._grouped[community], model._category)

    @property
    def expression(self) -> str:
        return f"colL[{self._model.generation.community_ids[self._community]}]"

    def categories(self) -> Collection[int]:
        return self._bounds.keys()

    def of(self, category: int) -> Iterator[Run]:
        bounds = self._bounds[category]
        pages = self._model._grouped[self._community][bounds]
        ranks = self._model._grouped_rank[self._community][bounds]
        pairs = zip(pages, ranks, strict=True)
        yield 0.0, (candidate((-rank, page, category, 0.0)) for page, rank in pairs)

    def whole(self) -> Iterator[Run]:
        category = self._model._category
        pairs = zip(
            self._model._col[self._community], self._model._col_rank[self._community], strict=True
        )
        yield 0.0, (candidate((-rank, page, category[page], 0.0)) for page, rank in pairs)

    def find(self, page: int) -> Candidate | None:
        pages = self._model._col_pages[self._community]
        at = bisect_left(pages, page)
        if at == len(pages) or pages[at] != page:
            return None
        rank = self._model._col_page_rank[self._community][at]
        return candidate((-rank, page, self._model.category(page), 0.0))

    def __len__(self) -> int:
        return len(self._model._col[self._community])

    def __contains__(self, page: float, /) -> bool:
        return is_in(self._model._col_pages[self._community], page)


EMPTY = Model(
    Generation("", 0, 0, Watermark(), 1.0, (), (), ()),
    {
        name: np.empty(0, dtype)
        for name, dtype in {
            "urls": np.uint8,
            "url_ends": np.int64,
            "hashes": np.uint64,
            "hash_pages": np.uint32,
            "category": np.int32,
            "total": np.float64,
            "rec": np.uint32,
            "rec_ends": np.int64,
            "rec_all": np.uint32,
            "col": np.uint32,
            "col_rank": np.float64,
            "col_ends": np.int64,
            "col_pages": np.uint32,
            "col_page_rank": np.float64,
            "grouped": np.uint32,
            "grouped_rank": np.float64,
        }.items()
    },
)
"""Before the first batch: a model that knows nothing."""


def is_in(numbers: memoryview | tuple[int, ...], page: float) -> bool:
    """Whether a page is among sorted numbers."""
    at = bisect_left(numbers, page)
    return at < len(numbers) and bool(numbers[at] == page)


def load(tables: Tables, generation: Generation, cache: Path) -> Model:
    """The model of a generation, mapped from files that the first to come makes.

    Args:
        cache: folder for the files; what belongs to dropped generations is taken away.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "lock").open("ab") as lock:
            # held until the files are mapped: another process may take old ones away
            fcntl.flock(lock, fcntl.LOCK_EX)
            folder = cache / _cache_name(generation)
            if folder.is_dir():
                try:
                    return _mapped(generation, folder)
                except (OSError, ValueError, EOFError, KeyError):
                    shutil.rmtree(folder)  # torn by a power cut; the tables have it all
            _write(folder, _arrays(tables, generation))
            _forget_dropped(
                cache, {_cache_name(g) for g in tables.generations.all()} | {folder.name}
            )
            return _mapped(generation, folder)
    except OSError as error:
        raise StoreUnavailable(f"the cache {cache} cannot be used: {error.strerror}") from error


def _mapped(generation: Generation, folder: Path) -> Model:
    return Model(generation, {p.stem: np.load(p, mmap_mode="r") for p in folder.glob("*.npy")})


def _cache_name(generation: Generation) -> str:
    # another store in the same home may have a generation of the same id, and another version of
    # this program may have left a folder with other arrays
    return f"{generation.id}-{generation.created_ms}-{_FORMAT}"


def _write(folder: Path, arrays: dict[str, NDArray[Any]]) -> None:
    temporary = folder.with_name(f"{secrets.token_hex(4)}.new")
    temporary.mkdir()
    for name, array in arrays.items():
        np.save(temporary / f"{name}.npy", array)
    temporary.rename(folder)


def _forget_dropped(cache: Path, kept: set[str]) -> None:
    for entry in os.scandir(cache):
        if entry.is_dir() and entry.name not in kept:
            shutil.rmtree(entry.path, ignore_errors=True)


def _arrays(tables: Tables, generation: Generation) -> dict[str, NDArray[Any]]:
    """Read a generation's tables into arrays (n pages, m entries of all communities).

    Returns:
        urls: uint8, the URLs end to end, by page number; url_ends: int64 (n,).
        hashes, hash_pages: uint64 and uint32 (n,), sorted by hash: from a URL to its number.
        category: int32 (n,); total: float64 (n,), total affinity.
        rec, rec_ends: page numbers of every ``recL[c]`` end to end; rec_all: of ``recL``.
        col, col_rank, col_ends: every ``colL[g]`` end to end, with affinities (float64).
        col_pages, col_page_rank: the same, within a community ordered by page number.
        grouped, grouped_rank: the same, within a community ordered by category first.
        <space>.<array>: the arrays of the spaces.
    """
    arrays = _page_arrays(tables, generation)
    rec = []
    for category_id in generation.category_ids:
        row = tables.categories.get(generation.id, category_id)
        if row is None:
            raise NotFound(f"category {category_id} of model {generation.id} is gone")
        rec.append(row.urls)
    arrays |= _laid("rec", rec, np.uint32)
    arrays["rec_all"] = _in_order(arrays["rec"], arrays["total"][arrays["rec"]])
    arrays |= _community_arrays(tables, generation, arrays["category"])
    for space, held in tables.arrays.all(generation.id).items():
        arrays |= {f"{space}.{name}": array for name, array in held.items()}
    return arrays


def _page_arrays(tables: Tables, generation: Generation) -> dict[str, NDArray[Any]]:
    n = generation.counts["pages"]
    urls: list[bytes] = [b""] * n
    category = np.full(n, UNCATEGORISED, np.int32)
    total = np.zeros(n)
    hashes = np.zeros(n, _HASH)
    for page in tables.pages.all(generation.id):
        url = urls[page.number] = page.url.encode()
        category[page.number] = page.category
        total[page.number] = page.visits + generation.accept_weight * page.accepts
        hashes[page.number] = _hash(url)
    by_hash = np.argsort(hashes, kind="stable")
    return {
        "urls": np.frombuffer(b"".join(urls), np.uint8),
        "url_ends": np.cumsum([len(url) for url in urls], dtype=np.int64),
        "hashes": hashes[by_hash],
        "hash_pages": by_hash.astype(np.uint32),
        "category": category,
        "total": total,
    }


def _community_arrays(
    tables: Tables, generation: Generation, category: NDArray[np.int32]
) -> dict[str, NDArray[Any]]:
    pages, ranks, grouped, grouped_ranks, by_page, by_page_ranks = [], [], [], [], [], []
    for community_id in generation.community_ids:
        found = tables.communities.get(generation.id, community_id)
        if found is None:
            raise NotFound(f"community {community_id} of model {generation.id} is gone")
        row, _size = found
        numbers = row.urls.numbers
        rank = row.urls.counts.astype(np.float64)
        accepts = dict(zip(*(a.tolist() for a in row.accepted_urls), strict=True))
        rank += generation.accept_weight * np.array([accepts.get(n, 0) for n in numbers.tolist()])
        order = np.lexsort((numbers, -rank, category[numbers]))
        pages.append(numbers)
        ranks.append(rank)
        grouped.append(numbers[order])
        grouped_ranks.append(rank[order])
        order = np.argsort(numbers)
        by_page.append(numbers[order])
        by_page_ranks.append(rank[order])
    return {
        **_laid("col", pages, np.uint32),
        **_laid("col_rank", ranks, np.float64),
        **_laid("col_pages", by_page, np.uint32),
        **_laid("col_page_rank", by_page_ranks, np.float64),
        **_laid("grouped", grouped, np.uint32),
        **_laid("grouped_rank", grouped_ranks, np.float64),
    }


def _laid(name: str, lists: list[NDArray[Any]], dtype: Any) -> dict[str, NDArray[Any]]:
    joined = np.concatenate([np.empty(0, dtype), *lists]).astype(dtype)
    return {name: joined, f"{name}_ends": np.cumsum([len(x) for x in lists], dtype=np.int64)}


def _in_order(pages: NDArray[np.uint32], ranks: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Page numbers by rank score (descending), then URL."""
    return pages[np.lexsort((pages, -ranks))]


def _group_bounds(pages: memoryview, category: memoryview) -> dict[int, slice]:
    """Where each category lies in a list that is ordered by category."""
    of = np.asarray(category)[np.asarray(pages)]
    values, starts = np.unique(of, return_index=True)
    ends = np.append(starts, len(of))[1:]
    return {
        int(value): slice(int(start), int(end))
        for value, start, end in zip(values, starts, ends, strict=True)
    }


def _hash(url: bytes) -> int:
    return int.from_bytes(blake2b(url, digest_size=8).digest(), "little")
