"""Answers given under load, held against the slow and obviously right algorithms of the oracle.

A `Ledger` is told what was sent, block by block, and draws a sample of the answers whose right
content is certain; once the load is over, `check` works out what each should have been.

What a visitor did before a request counts for its answer, and everybody sees it within two seconds.
So an answer is eligible if all other visits of its visitor were answered at least so long before
it was asked for, or asked for after it was there.

Which page a visitor opened last counts, too: an answer is not eligible where two visits before it
overlapped, for nobody knows which came first.

What the model says (pages, profiles, similar pages, who is in which community) is read from the
tables, and the
lists are worked out from that: an error of the batch is not found here.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf
from operator import attrgetter
from random import Random
from typing import Any, NamedTuple

import orjson

from webrec.bench import oracle
from webrec.bench.load import Sent
from webrec.bench.workspace import Told
from webrec.config import Settings
from webrec.domain.answers import AnswerItem
from webrec.domain.types import Arrays, Campaign
from webrec.features.page_classifier import PageClassifier
from webrec.formats.answers import answer_of
from webrec.formats.requests import RequestDocument
from webrec.serving.landing_pages import LandingPages
from webrec.storage import open_store
from webrec.tables.generations import Generation
from webrec.tables.rows import Counts, ProfileRow
from webrec.tables.tables import Tables

SEEN_WITHIN_S = 2.0
"""What is recorded is seen by every worker within this time."""

_SHOWN = 5


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


class Kept(NamedTuple):
    """An answer of the sample.

    Attributes:
        number: of the request.
        at_ms: when it was sent, by the clock of the campaigns.
        recent: visits of its visitor since the batch, by URL, the first one first.
        body: the answer.
    """

    number: int
    at_ms: int
    recent: dict[str, int]
    body: bytes


class _Visit(NamedTuple):
    """A visit that was recorded: when its request was sent, and when its answer was there."""

    url: str
    sent: float
    done: float


class Ledger:
    """All that was sent to one service since its table of recent visits was empty.

    Args:
        requests: by number.
        size: answers to keep.
        seed: of the sample.

    Attributes:
        answers, degraded, eligible: how many there were so far.
    """

    def __init__(self, requests: Sequence[RequestDocument], size: int, seed: int) -> None:
        self.answers = self.degraded = self.eligible = 0
        self._requests = requests
        self._size = size
        self._random = Random(seed)  # noqa: S311 - a sample, no secret
        self._visits: dict[str, list[_Visit]] = {}
        self._kept: list[Kept] = []
        self._is_recorded = [_is_recorded(request) for request in requests]
        self._clock_s = time.time() - time.perf_counter()

    @property
    def kept(self) -> list[Kept]:
        """The sample, in no order that means anything."""
        return list(self._kept)

    def add(self, first: int, sent: Sequence[Sent]) -> None:
        """Take in a block; blocks come in the order in which they were sent.

        Args:
            first: number of the block's first request.
        """
        for each in sent:
            self._note(self._requests[first + each.index], first + each.index, each)
        for each in sent:
            self.answers += 1
            if is_degraded(each.body):
                self.degraded += 1
            else:
                self._consider(first + each.index, each)

    def _note(self, request: RequestDocument, number: int, sent: Sent) -> None:
        if self._is_recorded[number] and request.visitor is not None:
            visit = _Visit(request.url, sent.sent, sent.done)
            self._visits.setdefault(request.visitor, []).append(visit)

    def _consider(self, number: int, sent: Sent) -> None:
        """Keep the answer, if the right one is certain and the sample wants it."""
        visits = self._visits.get(self._requests[number].visitor or "", ())
        known_s = sent.sent - SEEN_WITHIN_S
        own = (sent.sent, sent.done)
        if any(v.done > known_s and v.sent < sent.done and v[1:] != own for v in visits):
            return
        known = sorted((v for v in visits if v.done <= known_s), key=attrgetter("sent"))
        if any(after.sent < before.done for before, after in pairwise(known)):
            return
        self.eligible += 1
        # so that each eligible answer is as likely as any other to be in the sample at the end
        place = len(self._kept)
        if place >= self._size:
            place = self._random.randrange(self.eligible)
        if place < self._size:
            recent = Counter(visit.url for visit in known)
            at_ms = round((sent.sent + self._clock_s) * 1000)
            self._kept[place : place + 1] = [Kept(number, at_ms, dict(recent), sent.body)]


def _is_recorded(request: RequestDocument) -> bool:
    return request.track and not request.event().bot


def is_degraded(body: bytes) -> bool:
    """Whether an answer says that something was left out."""
    return b'"degraded":true' in body


def check(
    settings: Settings, requests: Sequence[RequestDocument], ledger: Ledger, tell: Told
) -> Checked:
    """Compare the sample with what the definitions give.

    Args:
        settings: of the service, whose store still has the generation that answered.
        tell: told how many are compared, and of how many.
    """
    world = world_of(settings, tell)
    categories = online_of(settings, world, [requests[kept.number] for kept in ledger.kept])
    found: list[str] = []
    for done, kept in enumerate(ledger.kept):
        tell("comparing answers", done, len(ledger.kept))
        request = requests[kept.number]
        if done in categories:
            found += differences(world, settings, request, kept, categories[done])
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
    kept: Kept,
    online: str | None = None,
) -> Iterator[str]:
    """What is wrong with an answer: one line, or none.

    Args:
        world: its recent part is replaced by the answer's.
        online: category of the request's page by its text.
    """
    world.recent.clear()
    if request.visitor is not None:
        world.recent[request.visitor] = {url: (n, 0) for url, n in kept.recent.items()}
    right = oracle.recommend(world, _asked(request, settings, kept.at_ms, online))
    answer = answer_of(orjson.loads(kept.body))
    for name, given, wanted in (
        ("algorithm", answer.algorithm, right.algorithm),
        ("path", answer.path, right.path),
        ("items", [_shown(item) for item in answer.items], list(map(_right, right.items))),
    ):
        if given != wanted:
            yield f"request {kept.number} ({request.url}): {_difference(name, given, wanted)}"
            return


def _difference(name: str, given: Any, wanted: Any) -> str:
    if name == "items" and len(given) == len(wanted):
        pairs = zip(given, wanted, strict=True)
        place, (given, wanted) = next(each for each in enumerate(pairs) if each[1][0] != each[1][1])
        name = f"items[{place}]"
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


# --- the world in a store ------------------------------------------------------------------------


def world_of(settings: Settings, tell: Told) -> oracle.World:
    """What the active generation of a store says, with the campaigns, in the oracle's words."""
    store = open_store(settings.store_uri)
    try:
        return _world(Tables(store), settings, tell)
    finally:
        store.close()


def _world(tables: Tables, settings: Settings, tell: Told) -> oracle.World:
    generation = tables.generations.active()
    if generation is None:
        raise ValueError("the store holds no model")
    pages = list(tables.pages.all(generation.id))
    campaigns = list(tables.campaigns.all())
    category = {
        page.url: None if page.category < 0 else generation.category_ids[page.category]
        for page in pages
    }
    urls = {page.number: page.url for page in pages}
    visitors = dict(tables.profiles.communities(generation.id))
    profiles, last = {}, {}
    for done, visitor in enumerate(visitors):
        tell("reading profiles", done, len(visitors))
        row = tables.profiles.get(generation.id, visitor)
        profiles[visitor] = {} if row is None else _history(row, urls)
        last[visitor] = [] if row is None else [urls[page] for page in row.last.tolist()]
    spaces = tables.arrays.all(generation.id)
    space = spaces.get("similar")
    return oracle.World(
        category=category,
        totals={page.url: (page.visits, page.accepts) for page in pages},
        community={
            visitor: generation.community_ids[number]
            for visitor, number in visitors.items()
            if number is not None
        },
        profiles=profiles,
        last=last,
        similar={} if space is None else _similar(space, "", urls),
        co_visits={} if space is None else _similar(space, "alone_", urls),
        intercept={} if space is None else _weights(space, "start_", slice(None), urls),
        campaigns={campaign.id: _campaign(campaign) for campaign in campaigns},
        w_ads=settings.w_ads,
        w_aff=settings.w_aff,
        w_sim=settings.w_sim,
        accept_weight=settings.accept_weight,
        online_ads=_online_ads(tables, settings, category, campaigns),
        user_classifier=_user_classifier(spaces.get("users"), generation, urls),
        online=settings.online == "on",
    )


def _user_classifier(
    space: Arrays | None, generation: Generation, urls: dict[int, str]
) -> oracle.NearestCentroid | None:
    """What tells communities: the columns are pages, then categories."""
    if not space:
        return None
    things = [urls[number] for number in space["pages"].tolist()] + list(generation.category_ids)
    return oracle.NearestCentroid(
        idf=dict(zip(things, space["idf"].tolist(), strict=True)),
        centroids={
            community_id: {
                thing: weight
                for thing, weight in zip(things, weights.tolist(), strict=True)
                if weight
            }
            for community_id, weights in zip(
                generation.community_ids, space["centroids"].T, strict=True
            )
        },
        min_visits=int(space["min_visits"][0]),
    )


def _similar(space: Arrays, which: str, urls: dict[int, str]) -> dict[str, oracle.Scores]:
    """The similar pages of every page."""
    bounds = [0, *space[f"{which}ends"].tolist()]
    return {
        urls[page]: _weights(space, which, slice(*bounds[page : page + 2]), urls) for page in urls
    }


def _weights(space: Arrays, which: str, part: slice, urls: dict[int, str]) -> oracle.Scores:
    pages, weights = space[f"{which}pages"][part].tolist(), space[f"{which}weights"][part].tolist()
    return {urls[page]: weight for page, weight in zip(pages, weights, strict=True)}


def _online_ads(
    tables: Tables,
    settings: Settings,
    category: Mapping[str, str | None],
    campaigns: Sequence[Campaign],
) -> dict[str, str]:
    ids, space = _space(tables, settings)
    landing = LandingPages(lambda url: category.get(url) is not None, space)
    landing.follow(campaigns)
    landing.categorise(inf)
    return {url: ids[number] for url, number in landing.categories().items()}


def online_of(
    settings: Settings, world: oracle.World, requests: Sequence[RequestDocument]
) -> dict[int, str | None]:
    """The category of each request's page by the text that the request brings.

    Returns:
        By place of the request. It has none for a page that is placed by what another request
        said of it, in any field, at whatever moment.
    """
    store = open_store(settings.store_uri)
    try:
        tables = Tables(store)
        ids, space = _space(tables, settings)
        found: dict[int, str | None] = {}
        for place, request in enumerate(requests):
            page, known = request.page, world.category.get(request.url) is not None
            said = None if known or space is None else tables.page_texts.get(request.url)
            if page is None or space is None:
                if said is None:
                    found[place] = None
            elif said is None or page.filled(said) == page:
                number = space.category(page)
                found[place] = "" if number is None else ids[number]
        return found
    finally:
        store.close()


def _space(tables: Tables, settings: Settings) -> tuple[Sequence[str], PageClassifier | None]:
    """The active generation's category ids, and what places pages it has no category for."""
    generation = tables.generations.active()
    arrays = {} if generation is None else tables.arrays.all(generation.id).get("pages", {})
    ids = () if generation is None else generation.category_ids
    return ids, PageClassifier(arrays) if arrays and settings.online == "on" else None


def _campaign(campaign: Campaign) -> oracle.Campaign:
    return oracle.Campaign(
        campaign.priority,
        [(ad.shown, ad.page.url) for ad in campaign.ads],
        campaign.starts_ms,
        campaign.ends_ms,
        campaign.active,
    )


def _history(row: ProfileRow, urls: dict[int, str]) -> dict[str, oracle.Counts]:
    """Visits and accepts by URL; a URL may have only one of them."""
    visits, accepts = _by_url(row.urls, urls), _by_url(row.accepted_urls, urls)
    return {
        url: (visits.get(url, 0), accepts.get(url, 0)) for url in dict.fromkeys([*visits, *accepts])
    }


def _by_url(counts: Counts, urls: dict[int, str]) -> dict[str, int]:
    pairs = zip(counts.numbers.tolist(), counts.counts.tolist(), strict=True)
    return {urls[number]: count for number, count in pairs}
