"""A generation of five pages and three users, written into a store."""

from __future__ import annotations

from typing import cast

import numpy as np
from scipy import sparse

from webrec.batch import publish
from webrec.batch.contents import Contents
from webrec.batch.history import SiteHistory
from webrec.batch.log_cut import LogCut
from webrec.batch.matrices import VisitMatrices
from webrec.batch.steps import Findings, PageCategories, UserCommunities
from webrec.domain.progress import no_progress
from webrec.domain.types import Page
from webrec.rawlog import Log, Watermark
from webrec.tables.generations import Generation
from webrec.tables.rows import Counts, ProfileRow
from webrec.tables.tables import Tables

COUNTS = {"pages": 100, "categorised": 90, "profiles": 50, "visits": 1_000}


GENERATION = Generation(
    "000001", 0, 0, Watermark({"spool": 0}), 3.0, ("c7", "c2"), ("g4",), ("One", "Other"), COUNTS
)


_NO_LOG = cast(Log, None)
"""Nothing that is tested with it reads the log."""


def contents(profile_urls: int = 100) -> Contents:
    """Five pages in two categories, the last one in none; three users, two in a community.

    Page 1 has 2 anonymous visits besides.
    """
    visits = np.array([[5, 0, 1, 2, 0], [1, 4, 0, 0, 9], [0, 0, 0, 1, 0]])
    accepts = np.array([[0, 1, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]])
    last_visits = np.array([[30, 0, 10, 20, 0], [7, 9, 0, 0, 9], [0, 0, 0, 1, 0]])
    history = SiteHistory(
        [Page(f"https://site.example/{n}") for n in range(5)],
        ["u:a", "u:b", "u:c"],
        VisitMatrices(
            *(sparse.csr_array(m, dtype=np.int64) for m in (visits, accepts, last_visits))
        ),
        page_visits=np.array([6, 6, 1, 3, 9]),
        page_accepts=np.array([0, 1, 0, 1, 0]),
        cut=LogCut(_NO_LOG, Watermark()),
    )
    found = Findings(
        PageCategories(np.array([0, 1, 0, 1, -1], np.int32), [["one", "first"], ["other"]]),
        UserCommunities(np.array([0, 0, -1], np.int32)),
        arrays={"users": {"idf": np.array([0.5, 2.0]), "columns": np.arange(300_000)}},
    )
    return Contents(GENERATION, history, found, profile_urls)


def write(tables: Tables, found: Contents) -> None:
    """Write it as the generation 000001."""
    publish.write(tables, found, no_progress)


def pairs(counts: Counts) -> dict[int, int]:
    """Number to count."""
    return dict(zip(*(a.tolist() for a in counts), strict=True))


def profile(tables: Tables, visitor: str) -> ProfileRow:
    """One that must be there."""
    found = tables.profiles.get("000001", visitor)
    assert found is not None
    return found
