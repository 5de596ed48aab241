"""The value objects that travel along the way, all frozen.

A *visitor key* is ``"u:" + login id`` or ``"i:" + canonical IP address``: the two name spaces of
users. ``None`` stands for an anonymous visitor. A URL is canonical unless a name says otherwise.
Times are integers: milliseconds or microseconds since the epoch, as the name says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

from webrec.domain.event_kinds import EventKind

Mode = Literal["related", "sponsored"]

Arrays = Mapping[str, NDArray[Any]]
"""What a learner learned: arrays by name."""


@dataclass(frozen=True, slots=True)
class Page:
    """One URL with what its author says of it; a field is empty where nothing is known."""

    url: str
    title: str = ""
    keywords: tuple[str, ...] = ()
    description: str = ""

    @property
    def has_text(self) -> bool:
        """Whether there is anything to categorise the page by."""
        return bool(self.title or self.keywords or self.description)

    @property
    def is_described(self) -> bool:
        """Whether no field is empty."""
        return bool(self.title and self.keywords and self.description)

    def filled(self, other: Page) -> Page:
        """The page with the other's values in the fields that are empty."""
        return Page(
            self.url,
            self.title or other.title,
            self.keywords or other.keywords,
            self.description or other.description,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the raw log: something a visitor did, or what a page says of itself.

    Attributes:
        kind: see `webrec.domain.event_kinds`; of a line of the log, whatever the line says.
        url: canonical.
        visitor: visitor key, or None for an anonymous visitor.
        at_ms: when it happened, by the sender's clock.
        event_id: the sender's id; a second event with the same id counts for nothing.
        title, keywords, description: the page's own words, where the sender knew them.
        bot: sent by a robot: logged, counted nowhere.
        answer: id of the recommendation that was followed (``accept``).
        environment: what else the sender knows of the visitor (user agent, referrer, …).
    """

    kind: EventKind
    url: str
    visitor: str | None
    at_ms: int
    event_id: str | None = None
    title: str = ""
    keywords: tuple[str, ...] = ()
    description: str = ""
    bot: bool = False
    answer: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AdPage:
    """One landing page of a campaign.

    Attributes:
        shown: the URL exactly as the campaign gave it.
        page: its canonical URL and its text, where the campaign gave any.
    """

    shown: str
    page: Page


@dataclass(frozen=True, slots=True)
class Campaign:
    """An advertiser's landing pages and when to show them.

    Attributes:
        priority: in [0, 1].
        starts_ms, ends_ms: it runs while ``starts_ms <= now < ends_ms``; None is unbounded.
    """

    id: str
    ads: tuple[AdPage, ...]
    priority: float
    name: str | None = None
    starts_ms: int | None = None
    ends_ms: int | None = None
    active: bool = True

    def runs_at(self, now_ms: int) -> bool:
        """Whether the campaign is running at ``now_ms``."""
        return (
            self.active
            and (self.starts_ms is None or self.starts_ms <= now_ms)
            and (self.ends_ms is None or now_ms < self.ends_ms)
        )
