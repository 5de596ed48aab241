"""What a synthetic model's tables hold beside the profiles: it follows from their sums."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.similar.learner import SIMILAR, START
from hbase_schema import row_keys
from hbase_schema.cells import PageCell
from webrec.bench.synthetic_model.population import Population
from webrec.bench.synthetic_model.profiles import CommunityTotals
from webrec.bench.synthetic_model.spec import ACCEPT_WEIGHT, GENERATION
from webrec.domain.progress import Progress
from webrec.domain.types import AdPage, Arrays, Campaign, Page
from webrec.rawlog import Watermark
from webrec.tables.generations import Generation
from webrec.tables.rows import CategoryRow, Counts, ProfileRow

_ADS_PER_CAMPAIGN = 10

_REPORT_EVERY = 10_000
"""Pages between two reports of progress."""


def pages_of(
    population: Population, totals: CommunityTotals, progress: Progress
) -> Iterator[PageCell]:
    """The pages in the order of their rows, in which a store takes them fastest."""
    category = population.category.tolist()
    visits, accepts = totals.visits.sum(axis=0).tolist(), totals.accepts.sum(axis=0).tolist()
    n = len(population.urls)
    by_row = sorted(range(n), key=lambda page: row_keys.page_key(population.urls[page]))
    for done, page in enumerate(by_row):
        if done % _REPORT_EVERY == 0:
            progress("writing pages", done, n)
        yield PageCell(population.urls[page], page, category[page], visits[page], accepts[page])
    progress("writing pages", n, n)


def categories_of(
    population: Population, totals: CommunityTotals
) -> Iterator[tuple[str, CategoryRow]]:
    """Each category's id and row: all its pages, those of most affinity first."""
    affinity = totals.affinity()
    best_first = np.lexsort((-affinity, population.category))  # stable, so that ties stay by URL
    ends = np.cumsum(np.bincount(population.category, minlength=population.spec.categories))
    for category, pages in enumerate(np.split(best_first, ends[:-1])):
        keywords = list(population.truth.subject_of(category).terms)
        value = float(affinity[pages].sum())
        yield _category_id(category), CategoryRow(pages.astype(np.uint32), keywords, value)


def similar_pages(population: Population, totals: CommunityTotals) -> Arrays:
    """For each page those after it in its category's list, which is taken for a ring.

    The closer, the more similar. The pages of most affinity are similar to nothing.
    """
    n = len(population.urls)
    order = np.lexsort((-totals.affinity(), population.category))
    sizes = np.bincount(population.category, minlength=population.spec.categories)
    starts = (np.cumsum(sizes) - sizes)[population.category[order]]
    size = sizes[population.category[order]]
    pages = np.empty((n, SIMILAR), np.uint32)
    counts = np.empty(n, np.int64)
    counts[order] = np.minimum(size - 1, SIMILAR)
    for step in range(SIMILAR):
        pages[order, step] = order[starts + (np.arange(n) - starts + 1 + step) % size]
    there = np.arange(SIMILAR) < counts[:, None]
    weights = np.broadcast_to(1 / np.arange(2, SIMILAR + 2, dtype=np.float32), pages.shape)
    best = np.argsort(-totals.affinity(), kind="stable")[:START]
    lists: dict[str, NDArray[Any]] = {
        "pages": pages[there],
        "weights": weights[there],
        "ends": np.cumsum(counts),
    }
    return {
        **lists,
        **{f"alone_{name}": array for name, array in lists.items()},
        "start_pages": best.astype(np.uint32),
        "start_weights": np.full(len(best), 0.01, np.float32),
    }


def communities_of(
    population: Population, totals: CommunityTotals
) -> Iterator[tuple[str, ProfileRow, int]]:
    """Each community's id, the sums of its members' profiles, and how many members it has."""
    members = np.bincount(
        population.truth.user_community, minlength=population.spec.communities
    ).tolist()
    for community, size in enumerate(members):
        visits, accepts = totals.visits[community], totals.accepts[community]
        pages = np.flatnonzero(visits)
        pages = pages[np.argsort(-(visits + ACCEPT_WEIGHT * accepts)[pages], kind="stable")]
        row = ProfileRow(
            Counts(pages.astype(np.uint32), visits[pages]),
            _nonzero(np.bincount(population.category, visits)),
            _nonzero(accepts),
            _nonzero(np.bincount(population.category, accepts)),
            community,
        )
        yield _community_id(community), row, size


def _nonzero(sums: NDArray[Any]) -> Counts:
    numbers = np.flatnonzero(sums)
    return Counts(numbers.astype(np.uint32), sums[numbers].astype(np.uint32))


def campaigns_of(population: Population) -> Iterator[Campaign]:
    """The campaigns: each page that is an ad is in one of them, and all of them run."""
    rng = population.truth.stream("campaigns of a grown world")  # the name is part of the seed
    pages = rng.choice(population.spec.urls, population.spec.ads, replace=False)
    pages = pages[np.argsort(population.category[pages], kind="stable")]
    for number, start in enumerate(range(0, len(pages), _ADS_PER_CAMPAIGN)):
        urls = [population.urls[page] for page in pages[start : start + _ADS_PER_CAMPAIGN].tolist()]
        ads = tuple(AdPage(url, Page(url)) for url in urls)
        yield Campaign(f"k{number}", ads, round(float(rng.beta(2, 2)), 2))


def generation_of(population: Population, totals: CommunityTotals) -> Generation:
    """What the generation says of itself."""
    spec = population.spec
    return Generation(
        id=GENERATION,
        # a moment of its own for each spec: processes share what they loaded of a generation
        # under its id and this
        created_ms=zlib.crc32(repr(spec).encode()),
        cut_us=0,
        watermark=Watermark(),
        accept_weight=ACCEPT_WEIGHT,
        category_ids=tuple(map(_category_id, range(spec.categories))),
        community_ids=tuple(map(_community_id, range(spec.communities))),
        suggested_labels=tuple(population.truth.subject_of(c).name for c in range(spec.categories)),
        counts={
            "pages": spec.urls,
            "categorised": spec.urls,
            "categories": spec.categories,
            "communities": spec.communities,
            "profiles": spec.users,
            "users_in_communities": spec.users,
            "visits": int(totals.visits.sum()),
            "accepts": int(totals.accepts.sum()),
        },
    )


def _category_id(category: int) -> str:
    return f"c{category + 1}"


def _community_id(community: int) -> str:
    return f"g{community + 1}"
