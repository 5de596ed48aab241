"""[3] A generation that was just written in, nothing out: unless the store holds something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hbase_schema.cells import PageCell
from webrec.batch.contents import Contents
from webrec.domain.progress import Progress
from webrec.domain.types import Arrays
from webrec.errors import WebrecError
from webrec.tables.tables import Tables

_SAMPLE = 997
"""Of so many pages one is compared with what was written; a prime, so that no pattern escapes."""


def verify(
    tables: Tables, contents: Contents, pages: Sequence[PageCell], progress: Progress
) -> None:
    """Count what the store holds of a generation, and compare a sample.

    Args:
        pages: as they were written, by number.

    Raises:
        WebrecError: the store does not hold what was written.
    """
    progress("verifying", 0, 0)
    generation = contents.generation
    found = 0
    for page in tables.pages.all(generation.id):
        found += 1
        if page.number % _SAMPLE == 0 and page != pages[page.number]:
            raise WebrecError(f"the store gives {page} for {pages[page.number]}")
    _same("pages", found, len(pages))
    profiles = sum(1 for _ in tables.profiles.communities(generation.id))
    _same("profiles", profiles, len(contents.history.visitors))
    _verify_arrays(tables, generation.id, contents.found.arrays)
    for category_id in generation.category_ids:
        there = tables.categories.get(generation.id, category_id) is not None
        _same(f"category {category_id}", there, 1)
    for community_id in generation.community_ids:
        there = tables.communities.get(generation.id, community_id) is not None
        _same(f"community {community_id}", there, 1)


def _verify_arrays(tables: Tables, generation_id: str, learned: Mapping[str, Arrays]) -> None:
    try:
        found = tables.arrays.all(generation_id)
    except ValueError:  # an array that lacks a part
        found = {}
    for learner, arrays in learned.items():
        there = found.get(learner, {})
        whole = there.keys() == arrays.keys() and all(
            np.array_equal(there[name], array) for name, array in arrays.items()
        )
        if not whole:
            raise WebrecError(
                f"the arrays of learner {learner} were written, the store holds others"
            )


def _same(what: str, found: int, written: int) -> None:
    if found != written:
        raise WebrecError(f"{written} {what} were written, the store holds {found}")
