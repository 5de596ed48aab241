"""[1] The raw log in, who visited and accepted what and when out.

An evaluation reads the log as the batch does: what the batch leaves out (robots, repeats, visitors
who are forgotten) is left out here. It reads it once for the order of things, and once more for
each training part.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webrec.batch.history import SiteHistory, replay
from webrec.batch.log_cut import LeftOut, LogCut, countable_events
from webrec.domain.event_kinds import COUNTS_AS
from webrec.domain.progress import StepProgress
from webrec.domain.types import Campaign, Event
from webrec.rawlog import Log, Watermark

ANONYMOUS = -1
"""The number of a visitor without a name."""


@dataclass(frozen=True, slots=True)
class Interactions:
    """What visitors did (n events), in the order of time; of the same moment, in that of the log.

    Attributes:
        urls: by page number.
        visitors: visitor keys by visitor number.
        visitor: int32 (n,), visitor numbers, or `ANONYMOUS`.
        page: int32 (n,), page numbers.
        at_ms: int64 (n,), never falling.
        accept: bool (n,), an accept; else a visit.
    """

    urls: list[str]
    visitors: list[str]
    visitor: NDArray[np.int32]
    page: NDArray[np.int32]
    at_ms: NDArray[np.int64]
    accept: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SiteLog:
    """A site's log up to a watermark, with what is needed to read it as the batch does.

    Attributes:
        forgotten: visitors whose events received until a moment (µs) count no more.
        campaigns: their landing pages are pages too.
    """

    log: Log
    watermark: Watermark
    forgotten: Mapping[str, int] = field(default_factory=dict)
    campaigns: Sequence[Campaign] = ()

    def interactions(self, progress: StepProgress) -> Interactions:
        """Read everything that visitors did."""
        taken = _Taken()
        cut = LogCut(self.log, self.watermark, forgotten=self.forgotten)
        for event in countable_events(cut, LeftOut(), progress):
            taken.take(event)
        return taken.interactions()

    def part(self, keep: Callable[[Event], bool], progress: StepProgress) -> SiteHistory:
        """Read the part of the log whose events are to be kept, as a batch would read it."""
        cut = LogCut(self.log, self.watermark, forgotten=self.forgotten, keep=keep)
        return replay(cut, self.campaigns, progress)


class _Taken:
    """Events, as compact as they come."""

    def __init__(self) -> None:
        self._pages: dict[str, int] = {}
        self._visitors: dict[str, int] = {}
        self._visitor, self._page = array("i"), array("i")
        self._at_ms, self._accept = array("q"), array("b")

    def take(self, event: Event) -> None:
        counter = COUNTS_AS[event.kind]
        if counter is None:
            return
        visitors, pages = self._visitors, self._pages
        self._visitor.append(
            ANONYMOUS
            if event.visitor is None
            else visitors.setdefault(event.visitor, len(visitors))
        )
        self._page.append(pages.setdefault(event.url, len(pages)))
        self._at_ms.append(event.at_ms)
        self._accept.append(counter == "accepts")

    def interactions(self) -> Interactions:
        at_ms = _array(self._at_ms, np.int64)
        order = np.argsort(at_ms, kind="stable")
        return Interactions(
            list(self._pages),
            list(self._visitors),
            _array(self._visitor, np.int32)[order],
            _array(self._page, np.int32)[order],
            at_ms[order],
            _array(self._accept, np.int8)[order].astype(np.bool_),
        )


def _array(values: array[Any], dtype: Any) -> NDArray[Any]:
    return np.frombuffer(values, dtype) if len(values) else np.empty(0, dtype)
