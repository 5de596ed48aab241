"""Generations and campaigns for tests of the tables."""

from __future__ import annotations

import numpy as np

from webrec.domain.types import AdPage, Campaign, Page
from webrec.rawlog import Watermark
from webrec.tables.generations import Generation
from webrec.tables.rows import Counts, ProfileRow

A, B = "https://site.example/a", "https://site.example/b"
ANN, BOB = "u:ann", "i:192.0.2.1"
OLD, OPEN, NEW = "00000000-old-one", "00000000-open-other", "00000001-new-one"
"""Segments: read by the first generation, still open at its cut, and begun after it."""

FIRST = Watermark({"one": 0, "other": 0})
WITHOUT_OPEN = Watermark({"one": 0, "other": -1}, is_complete=False)


def generation(
    generation_id: str = "000001", cut_us: int = 100, watermark: Watermark = FIRST
) -> Generation:
    """A generation without tables."""
    return Generation(
        generation_id,
        1,
        cut_us,
        watermark,
        2.5,
        ("c1", "c2"),
        ("g1",),
        ("Food", "Sport"),
        {"pages": 2},
        {"silhouette": 0.5},
    )


def campaign(campaign_id: str, shown: str = A) -> Campaign:
    """A campaign with one ad."""
    return Campaign(
        campaign_id,
        (AdPage(shown, Page(A)), AdPage(B, Page(B, "Offer", ("buy", "now"), "Cheap"))),
        0.25,
        name="Summer",
        starts_ms=1_750_000_000_123,
        ends_ms=1_750_000_000_124,
        active=False,
    )


def numbers(*values: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """A column."""
    return np.array(values, np.uint32)


PROFILE = ProfileRow(
    Counts(numbers(9, 1), numbers(3, 2)),
    Counts(numbers(), numbers()),
    Counts(numbers(1), numbers(7)),
    Counts(numbers(), numbers()),
    0,
)


def assert_is_profile(found: ProfileRow) -> None:
    """It is `PROFILE`."""
    assert [[c.tolist() for c in family] for family in found[:4]] == [
        [[9, 1], [3, 2]],
        [[], []],
        [[1], [7]],
        [[], []],
    ]
    assert found.community == 0
