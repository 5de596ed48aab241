"""[6] What a recommendation request gets: an answer, its items and, if asked for, the reasons.

Named tuples, since every request makes ten items and more: making one takes a third of the time
that a frozen dataclass takes, which would be some hundredths of all the time of a request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple

from webrec.domain.types import Mode

EmptyReason = Literal["no_model", "no_suitable_campaign", "nothing_to_recommend"]

Source = Literal["batch", "online"]
"""What found a category or a community: the batch, or the service since then."""


class Category(NamedTuple):
    """A category as answers show it.

    Attributes:
        label: the name that a person gave it, else the suggested one.
    """

    id: str
    label: str


class SeenPage(NamedTuple):
    """A page that the visitor saw, and its share in the similarity of a recommended one."""

    url: str
    share: float


seen_page: Callable[[tuple[str, float]], SeenPage] = partial(tuple.__new__, SeenPage)
"""Make one of its parts: in a third of the time that calling the class takes."""


class ItemExplanation(NamedTuple):
    """What an item's priority and its place in the list came from.

    Attributes:
        affinity: the visitor's, with the item's category.
        ad_priority: the campaign's; None in a related list.
        because: the pages seen that make the item similar, the greatest share first.
        rank_score: what orders items of the same priority.
    """

    affinity: float
    ad_priority: float | None
    similarity: float
    because: Sequence[SeenPage]
    rank_score: float


item_explanation: Callable[
    [tuple[float, float | None, float, Sequence[SeenPage], float]], ItemExplanation
] = partial(tuple.__new__, ItemExplanation)
"""The same."""


class AnswerItem(NamedTuple):
    """One recommended URL.

    Attributes:
        url: canonical; in a sponsored list as the campaign spells it.
        priority: in [0, 1].
        category: None for an uncategorised page.
        campaign: the id of the campaign that won the page; None in a related list.
        algorithm: what put it into a list that was filled up; None in a list that was not.
        explanation: None where the request did not ask for it.
    """

    url: str
    priority: float
    category: Category | None
    campaign: str | None = None
    algorithm: str | None = None
    explanation: ItemExplanation | None = None


answer_item: Callable[
    [tuple[str, float, Category | None, str | None, str | None, ItemExplanation | None]],
    AnswerItem,
] = partial(tuple.__new__, AnswerItem)
"""The same; all parts have to be given."""


class PassedOver(NamedTuple):
    """An algorithm that had no list, and why."""

    algorithm: str
    reason: str


class Explanation(NamedTuple):
    """What a list came from.

    Attributes:
        category, community: ids of the page's and of the visitor's; None where there is none.
        category_source, community_source: what found them.
        expression: of the set that the list was cut from, such as ``recL[c12]``.
        size: how many URLs that set has without the excluded ones.
        passed_over: the algorithms that were entered before, in order.
    """

    category: str | None
    category_source: Source | None
    community: str | None
    community_source: Source | None
    expression: str
    size: int
    passed_over: Sequence[PassedOver]


class Answer(NamedTuple):
    """The answer to one request.

    Attributes:
        id: for an accept to name.
        algorithm: what built the list.
        path: every algorithm entered, in order.
        items: best first.
        empty_reason: why there is no item; None where there is one.
        model: the id of the generation that answered; None before the first batch.
        degraded: whether a read was left out, since the store was slow or away.
        explanation: None where the request did not ask for it.
        is_visit_lost: whether the visit should be in the log, which is away.
    """

    id: str
    mode: Mode
    filter: str
    algorithm: str
    path: Sequence[str]
    items: Sequence[AnswerItem]
    empty_reason: EmptyReason | None
    model: str | None
    degraded: bool
    explanation: Explanation | None = None
    is_visit_lost: bool = False
