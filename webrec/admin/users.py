"""[6] Users: what is known of a visitor, by the batch and since."""

from __future__ import annotations

from collections import Counter

from algorithms import UNCATEGORISED
from webrec.admin.categories import category_counts
from webrec.admin.listing import Document
from webrec.errors import NotFound
from webrec.serving.engine import Engine
from webrec.serving.membership import membership, pairs
from webrec.serving.visitor_history import profile_of


def get_user(engine: Engine, visitor: str) -> Document:
    """A visitor's profile, batch and recent together.

    Raises:
        NotFound: nothing is known of the visitor.
    """
    snapshot = engine.snapshot
    generation = snapshot.model.generation
    recent = engine.recorder.recent(visitor, generation.watermark.covers)
    profile = profile_of(generation, visitor, recent, engine.tables.profiles.get)
    if profile is None and not recent.cells:
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
    recent_pages = [(cell, snapshot.model.find(cell.url)) for cell in recent.cells.values()]
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
        "cats": category_counts(snapshot, cat_visits, cat_accepts),
    }
