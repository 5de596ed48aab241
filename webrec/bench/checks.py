"""Answers given under load, held against the slow and obviously right algorithms of the oracle.

In: a `Ledger` of the load. Out: how many of the answers it sampled are not what the definitions
give, and the first differences in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from webrec.bench import oracle
from webrec.bench.ledger import Ledger, SampledAnswer
from webrec.bench.stored_world import categories_by_text, world_of
from webrec.config import Settings
from webrec.domain.answers import AnswerItem
from webrec.domain.progress import Progress
from webrec.formats.answers import answer_of
from webrec.formats.requests import RequestDocument

_SHOWN = 5
"""Differences that a report shows: the first ones say what is wrong."""


class Checked(NamedTuple):
    """What came of the comparison.

    Attributes:
        n: answers compared.
        eligible: answers that could have been.
        answers: all there were.
        degraded: answers, of all, in which a read that came too late was left out; they are not
            compared.
        wrong: answers that are not what the definitions give.
        differences: the first of these, in words.
    """

    n: int
    eligible: int
    answers: int
    degraded: int
    wrong: int
    differences: list[str]


def check(
    settings: Settings, requests: Sequence[RequestDocument], ledger: Ledger, progress: Progress
) -> Checked:
    """Compare the sample with what the definitions give.

    Args:
        settings: of the service, whose store still has the generation that answered.
        progress: is called with how many are compared, and of how many.
    """
    world = world_of(settings, progress)
    categories = categories_by_text(
        settings, world, [requests[each.number] for each in ledger.sample]
    )
    found: list[str] = []
    for index, sampled in enumerate(ledger.sample):
        progress("comparing answers", index, len(ledger.sample))
        request = requests[sampled.number]
        if index in categories:
            found += differences(world, settings, request, sampled, categories[index])
    return Checked(
        n=len(categories),
        eligible=ledger.eligible,
        answers=ledger.answers,
        degraded=ledger.degraded,
        wrong=len(found),
        differences=found[:_SHOWN],
    )


def differences(
    world: oracle.World,
    settings: Settings,
    request: RequestDocument,
    sampled: SampledAnswer,
    online: str | None = None,
) -> Iterator[str]:
    """What is wrong with an answer: one line, or none.

    Args:
        world: its recent part is replaced by the answer's.
        online: category of the request's page by its text.
    """
    world.recent.clear()
    if request.visitor is not None:
        world.recent[request.visitor] = {url: (n, 0) for url, n in sampled.recent.items()}
    right = oracle.recommend(world, _asked(request, settings, sampled.at_ms, online))
    answer = answer_of(orjson.loads(sampled.body))
    for name, given, wanted in (
        ("algorithm", answer.algorithm, right.algorithm),
        ("path", answer.path, right.path),
        ("items", [_shown(item) for item in answer.items], list(map(_right, right.items))),
    ):
        if given != wanted:
            yield f"request {sampled.number} ({request.url}): {_difference(name, given, wanted)}"
            return


def _difference(name: str, given: Any, wanted: Any) -> str:
    if name == "items" and len(given) == len(wanted):
        pairs = zip(given, wanted, strict=True)
        position, (given, wanted) = next(
            each for each in enumerate(pairs) if each[1][0] != each[1][1]
        )
        name = f"items[{position}]"
    return f"{name} is {given}, and should be {wanted}"


class _Item(NamedTuple):
    url: str
    priority: float
    category: str | None
    campaign: str | None


def _shown(item: AnswerItem) -> _Item:
    category = None if item.category is None else item.category.id
    return _Item(item.url, item.priority, category, item.campaign)


def _right(item: oracle.Item) -> _Item:
    return _Item(item.shown, item.priority, item.category, item.campaign)


def _asked(
    request: RequestDocument, settings: Settings, at_ms: int, online: str | None
) -> oracle.Request:
    return oracle.Request(
        url=request.url,
        visitor=request.visitor,
        mode=request.mode,
        filter=request.filter or settings.default_filter,
        limit=request.limit,
        exclude=request.exclude,
        campaigns=request.campaigns,
        repeat=request.repeat,
        fill=settings.fill if request.fill is None else request.fill,
        now_ms=at_ms,
        online=online,
    )
