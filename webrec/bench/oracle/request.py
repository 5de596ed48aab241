"""What the oracle is asked, and what it answers, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Request:
    """One question.

    Attributes:
        url: canonical URL of the page being browsed.
        visitor: visitor key, or None for an anonymous visitor.
        mode: ``related`` or ``sponsored``.
        filter: ``content`` or ``collaborative``.
        limit: at most so many items.
        exclude: canonical URLs not wanted.
        campaigns: only these campaigns; None or empty: it names none, so all of them.
        repeat: whether visited URLs may come back; None: not in related mode, yes in sponsored.
        fill: whether a list shorter than the limit is filled up by the algorithms that follow.
        now_ms: the service's clock.
        online: the category of the page by its text, "" where that is like none, None where the
            request brings none; counts where the generation has no category.
    """

    url: str
    visitor: str | None = None
    mode: str = "related"
    filter: str = "content"
    limit: int = 10
    exclude: tuple[str, ...] = ()
    campaigns: tuple[str, ...] | None = None
    repeat: bool | None = None
    fill: bool = False
    now_ms: int = 0
    online: str | None = None


class Item(NamedTuple):
    """One recommendation.

    `campaign` and `ad_priority` are None in related mode, `algorithm` in a list that is not to be
    filled up.
    """

    shown: str
    url: str
    priority: float
    rank_score: float
    category: str | None
    campaign: str | None
    affinity: float
    ad_priority: float | None
    similarity: float = 0.0
    algorithm: str | None = None


@dataclass(frozen=True)
class PlainAnswer:
    """The recommendations, best first, and how they came about.

    Attributes:
        algorithm: the one that built the list: the first that gave any of it.
        path: every algorithm entered, in order.
        items: at most `limit` of them.
        size: length of the list that the algorithm built, before the cut.
        empty: there is nothing to recommend.
        community: the visitor's, and whether it is the batch's or was found since.
    """

    algorithm: str
    path: list[str]
    items: list[Item]
    size: int
    empty: bool
    community: str | None = None
    community_source: str | None = None
