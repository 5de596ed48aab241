"""Logs of a few events, written and replayed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from webrec.batch.history import SiteHistory, replay
from webrec.batch.log_cut import LogCut
from webrec.domain.progress import StepProgress, no_progress
from webrec.domain.types import Campaign, Event
from webrec.rawlog import Watermark
from webrec.rawlog.local import LocalLog

A, B, C = (f"https://site.example/{name}" for name in "abc")
ANN, BOB = "u:ann", "u:bob"


def visit(
    url: str = A, visitor: str | None = ANN, event_id: str | None = None, at_ms: int = 0
) -> Event:
    """A visitor opened a page."""
    return Event("visit", url, visitor, at_ms, event_id)


def accept(url: str = A, visitor: str | None = ANN) -> Event:
    """A visitor followed a recommendation."""
    return Event("accept", url, visitor, 0)


def other(kind: str, url: str = A, visitor: str | None = ANN, **more: str) -> Event:
    """An event of another kind than this version has."""
    return replace(visit(url, visitor), kind=kind, **more)  # type: ignore[arg-type]


def write(log: LocalLog, *events: Event, received_us: int = 10) -> str:
    """One closed segment."""
    segment = log.begin()
    segment.append(events, received_us)
    segment.close()
    return segment.name


def read(
    log: LocalLog,
    *campaigns: Campaign,
    watermark: Watermark | None = None,
    forgotten: Mapping[str, int] | None = None,
    progress: StepProgress = no_progress,
    keep: Callable[[Event], bool] = lambda _: True,
) -> SiteHistory:
    """Replay the log; as far as it goes, unless a watermark is given."""
    cut = LogCut(log, watermark or log.cut(0, lambda: None), forgotten=forgotten or {}, keep=keep)
    return replay(cut, campaigns, progress)


def profile(history: SiteHistory, visitor: str) -> dict[str, tuple[int, int]]:
    """Visits and accepts of a visitor by URL."""
    row = history.visitors.index(visitor)
    visits, accepts = history.visits().toarray()[row], history.accepts().toarray()[row]
    return {
        page.url: (int(visits[n]), int(accepts[n]))
        for n, page in enumerate(history.pages)
        if visits[n] or accepts[n]
    }
