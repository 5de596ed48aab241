"""[6] Communities of the active model: listed, and shown with their URLs and categories."""

from __future__ import annotations

from webrec.admin.categories import category_counts
from webrec.admin.listing import Document, Listing, next_id, next_offset, offset, start_after
from webrec.errors import NotFound
from webrec.serving.engine import Engine
from webrec.serving.membership import pairs
from webrec.tables.generations import Generation
from webrec.tables.rows import ProfileRow


def list_communities(engine: Engine, limit: int, cursor: str) -> Listing:
    """A part of the communities, in the order of their numbers.

    Raises:
        InvalidDocument: no community has the cursor's id.
    """
    generation = engine.snapshot.model.generation
    ids = generation.community_ids
    start = start_after(ids, cursor, "community")
    rows = [
        {"id": community_id, "size": _community(engine, generation, community_id)[1]}
        for community_id in ids[start : start + limit]
    ]
    return Listing(rows, next_id(ids, start, limit))


def get_community(engine: Engine, community_id: str, limit: int, cursor: str) -> Document:
    """One community with a part of its list, in `colL` order, and its categories.

    Raises:
        NotFound: the active model has no such community.
        InvalidDocument: the cursor is none that this list gave.
    """
    snapshot = engine.snapshot
    generation = snapshot.model.generation
    if community_id not in generation.community_ids:
        raise NotFound(f"the active model has no community {community_id!r}")
    row, size = _community(engine, generation, community_id)
    start = offset(cursor)
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
        "cats": category_counts(snapshot, dict(pairs(row.cats)), dict(pairs(row.accepted_cats))),
        "next": next_offset(start, limit, len(row.urls.numbers)),
    }


def _community(engine: Engine, generation: Generation, community_id: str) -> tuple[ProfileRow, int]:
    """The profile of a community and how many members it has.

    Raises:
        NotFound: the model was dropped while its snapshot still answers.
    """
    found = engine.tables.communities.get(generation.id, community_id)
    if found is None:
        raise NotFound(f"community {community_id} of model {generation.id} is gone")
    return found
