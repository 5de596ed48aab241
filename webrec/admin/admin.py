"""[3][4] What operators and editors see and change: campaigns, labels, models, the clusters.

The service and the command line share it: both say the same.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple

from algorithms import UNCATEGORISED
from hbase_schema import names as t
from hbase_schema.cells import PageCell
from webrec.domain.types import Campaign
from webrec.errors import FieldError, InvalidDocument, NotFound, WebrecError
from webrec.formats.campaigns import campaign_document, parse_campaign
from webrec.formats.times import iso
from webrec.serving.engine import Engine
from webrec.serving.membership import membership, pairs
from webrec.serving.signals import Snapshot
from webrec.tables.generations import Generation
from webrec.tables.rows import CategoryRow, ProfileRow
from webrec.tables.tables import Tables

_CURSOR_DIGITS = 18
_PING_S = 1.0

Document = dict[str, Any]


class Listing(NamedTuple):
    """One page of a listing.

    Attributes:
        next: where the next one begins; None at the end.
    """

    items: list[Document]
    next: str | None


@dataclass(frozen=True, slots=True)
class CampaignResult:
    """What became of one campaign document of an upload."""

    index: int
    id: str | None
    status: Literal["created", "updated", "unchanged", "invalid"]
    errors: list[dict[str, str]]


def apply_campaigns(
    tables: Tables, documents: Iterable[object], *, dry_run: bool
) -> list[CampaignResult]:
    """Write the good documents of an upload, each compared with what is there.

    Args:
        documents: JSON values, or the `InputError` of one that could not be read.
        dry_run: only say what would be done.
    """
    results: list[CampaignResult] = []
    stored: dict[str, Campaign | None] = {}
    now: dict[str, Campaign] = {}
    for index, document in enumerate(documents):
        try:
            if isinstance(document, WebrecError):
                raise document
            campaign = parse_campaign(document)
        except InvalidDocument as error:
            errors = [{"field": e.field, "message": e.message} for e in error.errors]
            results.append(CampaignResult(index, _id_of(document), "invalid", errors))
        except WebrecError as error:
            errors = [{"field": "", "message": str(error)}]
            results.append(CampaignResult(index, None, "invalid", errors))
        else:
            if campaign.id not in stored:
                stored[campaign.id] = tables.campaigns.get(campaign.id)
            old = now.get(campaign.id) or stored[campaign.id]
            status: Literal["created", "updated", "unchanged"] = "created"
            if old is not None:
                status = "unchanged" if old == campaign else "updated"
            now[campaign.id] = campaign
            results.append(CampaignResult(index, campaign.id, status, []))
    changed = {campaign.id for campaign in now.values() if stored[campaign.id] != campaign}
    if not dry_run:
        tables.campaigns.put([c for c in now.values() if c.id in changed])
    return results


def list_campaigns(tables: Tables, limit: int, after: str) -> Listing:
    """Campaigns in the order of their ids, after one."""
    found = list(islice(tables.campaigns.all(after), limit + 1))
    shown = [campaign_document(c) for c in found[:limit]]
    return Listing(shown, found[limit - 1].id if len(found) > limit else None)


def delete_campaign(tables: Tables, campaign_id: str) -> None:
    """Take a campaign away.

    Raises:
        NotFound: there is none of this id.
    """
    was_there = tables.campaigns.get(campaign_id) is not None
    tables.campaigns.delete(campaign_id)
    if not was_there:
        raise NotFound(f"there is no campaign {campaign_id!r}")


def page_of_models(tables: Tables, limit: int, after: str) -> Listing:
    """A part of the published generations, newest first."""
    models = list_models(tables)
    ids = [model["id"] for model in models]
    start = _start(ids, after, "model")
    return Listing(
        models[start : start + limit], ids[start + limit - 1] if start + limit < len(ids) else None
    )


def list_models(tables: Tables) -> list[Document]:
    """The published generations, newest first."""
    active = tables.meta.versions().active
    return [
        {
            "id": generation.id,
            "created": iso(generation.created_ms),
            "active": generation.id.encode() == active,
            "counts": generation.counts,
            "quality": generation.quality,
        }
        for generation in reversed(tables.generations.all())
    ]


def activate_model(engine: Engine, model_id: str) -> Document:
    """Go back, or forward, to a published generation.

    Raises:
        NotFound: there is none of this id.
        Conflict: another was activated at the same time.
    """
    active = engine.tables.meta.versions().active
    engine.tables.generations.activate(model_id, None if active is None else active.decode())
    engine.refresh()
    return next(m for m in list_models(engine.tables) if m["id"] == model_id)


def list_categories(engine: Engine, limit: int, after: str) -> Listing:
    """Categories in the order of their numbers."""
    snapshot = engine.snapshot
    ids = snapshot.model.generation.category_ids
    start = _start(ids, after, "category")
    rows = [_category(engine, snapshot, number)[0] for number in range(start, len(ids))[:limit]]
    return Listing(rows, ids[start + limit - 1] if start + limit < len(ids) else None)


def category(engine: Engine, category_id: str, limit: int, after: str) -> Document:
    """One category with a part of its list, in `recL` order.

    Args:
        after: as ``next`` of the part before gave it.

    Raises:
        NotFound: the active model has no such category.
    """
    snapshot = engine.snapshot
    number = _number(snapshot.model.generation.category_ids, category_id, "category")
    document, row = _category(engine, snapshot, number)
    start = _offset(after)
    pages = row.urls[start : start + limit].tolist()
    model = snapshot.model
    urls = [{"url": model.url(page), "affinity": model.total(page)} for page in pages]
    return document | {"urls": urls, "next": _next(start, limit, len(row.urls))}


def set_label(engine: Engine, category_id: str, label: str) -> Document:
    """Name a category; the name stays with it through later batches.

    Raises:
        NotFound: the active model has no such category.
    """
    _number(engine.snapshot.model.generation.category_ids, category_id, "category")
    engine.tables.labels.put(category_id, label)
    engine.refresh()
    snapshot = engine.snapshot
    number = _number(snapshot.model.generation.category_ids, category_id, "category")
    return _category(engine, snapshot, number)[0]


def list_communities(engine: Engine, limit: int, after: str) -> Listing:
    """Communities in the order of their numbers."""
    generation = engine.snapshot.model.generation
    ids = generation.community_ids
    start = _start(ids, after, "community")
    rows = [
        {"id": community_id, "size": _community(engine, generation, community_id)[1]}
        for community_id in ids[start : start + limit]
    ]
    return Listing(rows, ids[start + limit - 1] if start + limit < len(ids) else None)


def community(engine: Engine, community_id: str, limit: int, after: str) -> Document:
    """One community with a part of its list, in `colL` order, and its categories.

    Raises:
        NotFound: the active model has no such community.
    """
    snapshot = engine.snapshot
    generation = snapshot.model.generation
    _number(generation.community_ids, community_id, "community")
    row, size = _community(engine, generation, community_id)
    start = _offset(after)
    numbers, counts = (column[start : start + limit].tolist() for column in row.urls)
    accepts = dict(pairs(row.accepted_urls))
    urls = [
        {
            "url": snapshot.model.url(page),
            "visits": visits,
            "accepts": accepts.get(page, 0),
            "rank_score": visits + generation.accept_weight * accepts.get(page, 0),
        }
        for page, visits in zip(numbers, counts, strict=True)
    ]
    return {
        "id": community_id,
        "size": size,
        "urls": urls,
        "cats": _cats(snapshot, dict(pairs(row.cats)), dict(pairs(row.accepted_cats))),
        "next": _next(start, limit, len(row.urls.numbers)),
    }


def pages(engine: Engine, urls: Sequence[str]) -> list[Document | None]:
    """What the active model knows of some canonical URLs, in order; None for unknown ones."""
    snapshot = engine.snapshot
    generation = snapshot.model.generation
    if not generation.id:
        return [None] * len(urls)
    found = engine.tables.pages.by_url(generation.id, urls)
    pairs_ = list(zip(urls, found, strict=True))
    online = _online(
        engine, snapshot, [u for u, page in pairs_ if page is None or page.category < 0]
    )
    return [
        None if page is None and url not in online else _page(snapshot, url, page, online.get(url))
        for url, page in pairs_
    ]


def user(engine: Engine, visitor: str) -> Document:
    """A visitor's profile, batch and recent together.

    Raises:
        NotFound: nothing is known of the visitor.
    """
    snapshot = engine.snapshot
    generation = snapshot.model.generation
    recent, profile = engine.history(snapshot, visitor)
    if profile is None and not recent:
        raise NotFound("nothing is known of this user")
    visits: Counter[str] = Counter()
    accepts: Counter[str] = Counter()
    cat_visits: Counter[int] = Counter()
    cat_accepts: Counter[int] = Counter()
    if profile is not None:
        visits.update({snapshot.model.url(page): n for page, n in pairs(profile.urls)})
        accepts.update({snapshot.model.url(page): n for page, n in pairs(profile.accepted_urls)})
        cat_visits.update(dict(pairs(profile.cats)))
        cat_accepts.update(dict(pairs(profile.accepted_cats)))
    recent_pages = [(cell, snapshot.model.find(cell.url)) for cell in recent]
    for cell, page in recent_pages:
        visits[cell.url] += cell.visits
        accepts[cell.url] += cell.accepts
        if page is not None and snapshot.model.category(page) != UNCATEGORISED:
            cat_visits[snapshot.model.category(page)] += cell.visits
            cat_accepts[snapshot.model.category(page)] += cell.accepts
    online = engine.settings.online == "on"
    group, source = membership(snapshot.model, profile, recent_pages, online=online)
    urls = visits.keys() | accepts.keys()
    return {
        "community": None if group is None else generation.community_ids[group],
        "community_source": source,
        "urls": [
            {"url": url, "visits": visits[url], "accepts": accepts[url]}
            for url in sorted(urls, key=lambda u: (-visits[u], -accepts[u], u))
        ],
        "cats": _cats(snapshot, cat_visits, cat_accepts),
    }


def some_model(engine: Engine) -> Generation:
    """The active model.

    Raises:
        NotFound: there is none yet.
    """
    if engine.model is None:
        raise NotFound("there is no model yet: `webrec batch` makes one")
    return engine.model


def readiness(engine: Engine) -> dict[str, Document]:
    """Whether store, log and model are there; with a ``detail`` where there is more to say."""
    return {
        "store": _checked(lambda: _store(engine)),
        "log": _checked(lambda: _log(engine)),
        "model": _checked(lambda: _model(engine)),
    }


def _checked(check: Callable[[], str]) -> Document:
    try:
        detail = check()
    except WebrecError as error:
        return {"ok": False, "detail": str(error)}
    return {"ok": True, "detail": detail} if detail else {"ok": True}


def _store(engine: Engine) -> str:
    # whoever asks asks again soon, and holds up others meanwhile
    engine.tables.store.get(t.META, t.ACTIVE, within_s=_PING_S)
    return ""


def _log(engine: Engine) -> str:
    engine.log.check()
    waiting = engine.log.unshipped()
    return waiting.in_words(time.time()) if waiting.why else ""


def _model(engine: Engine) -> str:
    some_model(engine)
    return ""


def _online(engine: Engine, snapshot: Snapshot, urls: Sequence[str]) -> dict[str, int | None]:
    """The categories by their text of pages that were described since; None for too far ones.

    As for requests: text that was sent comes before what campaigns say.
    """
    if snapshot.space is None or not urls:
        return {}
    said = [page for page in engine.tables.page_texts.get_many(urls) if page is not None]
    by_campaigns = ((url, snapshot.ads.category(url)) for url in urls)
    found: dict[str, int | None] = {url: c for url, c in by_campaigns if c is not None}
    found.update(zip((page.url for page in said), snapshot.space.categories(said), strict=True))
    return found


def _page(snapshot: Snapshot, url: str, found: PageCell | None, online: int | None) -> Document:
    """What is known of a page, by the model or (online) by its text."""
    weight = snapshot.model.generation.accept_weight
    is_placed = found is not None and found.category != UNCATEGORISED
    category = found.category if found is not None and is_placed else online
    source = "batch" if is_placed else "online"
    return {
        "url": url,
        "category": None if category is None else snapshot.categories[category],
        "category_source": None if category is None else source,
        "affinity": 0.0 if found is None else found.visits + weight * found.accepts,
    }


def _category(engine: Engine, snapshot: Snapshot, number: int) -> tuple[Document, CategoryRow]:
    generation = snapshot.model.generation
    category_id = generation.category_ids[number]
    row = engine.tables.categories.get(generation.id, category_id)
    if row is None:
        raise NotFound(f"category {category_id} of model {generation.id} is gone")
    manual = category_id in snapshot.manual
    return {
        "id": category_id,
        "label": snapshot.categories[number]["label"],
        "label_source": "manual" if manual else "suggested",
        "keywords": row.keywords,
        "size": len(row.urls),
        "affinity": row.value,
    }, row


def _community(engine: Engine, generation: Generation, community_id: str) -> tuple[ProfileRow, int]:
    found = engine.tables.communities.get(generation.id, community_id)
    if found is None:
        raise NotFound(f"community {community_id} of model {generation.id} is gone")
    return found


def _cats(
    snapshot: Snapshot, visits: Mapping[int, int], accepts: Mapping[int, int]
) -> list[Document]:
    """Categories with their counts, most visited first."""
    ids = snapshot.model.generation.category_ids
    numbers = sorted(
        visits.keys() | accepts.keys(),
        key=lambda n: (-visits.get(n, 0), -accepts.get(n, 0), ids[n]),
    )
    return [
        {
            "id": ids[n],
            "label": snapshot.categories[n]["label"],
            "visits": visits.get(n, 0),
            "accepts": accepts.get(n, 0),
        }
        for n in numbers
    ]


def _number(ids: Sequence[str], wanted: str, what: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise NotFound(f"the active model has no {what} {wanted!r}") from None


def _start(ids: Sequence[str], after: str, what: str) -> int:
    if not after:
        return 0
    try:
        return ids.index(after) + 1
    except ValueError:
        raise _bad_cursor(f"no {what} is there") from None


def _offset(after: str) -> int:
    if not after:
        return 0
    if not after.isascii() or not after.isdigit() or len(after) > _CURSOR_DIGITS:
        raise _bad_cursor("not one that a listing gave")
    return int(after)


def _bad_cursor(why: str) -> InvalidDocument:
    fix = "leave it out to begin at the start, or pass on `next` of the part before"
    return InvalidDocument([FieldError("cursor", f"{why}: {fix}")])


def _next(start: int, limit: int, size: int) -> str | None:
    return str(start + limit) if start + limit < size else None


def _id_of(document: object) -> str | None:
    given = document.get("id") if isinstance(document, dict) else None
    return given if isinstance(given, str) else None
