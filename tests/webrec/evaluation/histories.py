"""Small logs and histories, to be counted by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from webrec.domain.types import Campaign, Event
from webrec.evaluation.interactions import ANONYMOUS, Interactions, SiteLog
from webrec.rawlog.local import LocalLog

SITE = "https://site.example/"
DAY_MS = 86_400_000


def url(page: str) -> str:
    """The URL of a page of the small site."""
    return SITE + page


def happened(*steps: str) -> Interactions:
    """Interactions as ``visitor page``, one each millisecond; ``visitor+ page`` is an accept.

    The visitor ``-`` is anonymous. Pages and visitors are numbered as they come.
    """
    pages: dict[str, int] = {}
    visitors: dict[str, int] = {}
    rows = []
    for at_ms, step in enumerate(steps):
        who, page = step.split()
        name = who.rstrip("+")
        visitor = ANONYMOUS if name == "-" else visitors.setdefault(f"u:{name}", len(visitors))
        rows.append((visitor, pages.setdefault(url(page), len(pages)), at_ms, who.endswith("+")))
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    return Interactions(
        list(pages),
        list(visitors),
        columns[0].astype(np.int32),
        columns[1].astype(np.int32),
        columns[2],
        columns[3].astype(np.bool_),
    )


def logged(
    folder: Path,
    events: Iterable[Event],
    *,
    forgotten: dict[str, int] | None = None,
    campaigns: tuple[Campaign, ...] = (),
) -> SiteLog:
    """A log that holds some events, received one microsecond after the other."""
    log = LocalLog(folder)
    segment = log.begin()
    for number, event in enumerate(events):
        segment.append([event], number + 1)
    segment.close()
    return SiteLog(log, log.cut(1.0, lambda: None), forgotten or {}, campaigns)


def visit(
    visitor: str | None, page: str, at_ms: int, *, kind: str = "visit", **more: object
) -> Event:
    """Somebody opened a page."""
    key = None if visitor is None else f"u:{visitor}"
    return Event(kind, url(page), key, at_ms, **more)  # type: ignore[arg-type]
