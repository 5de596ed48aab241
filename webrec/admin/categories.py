"""[6] Categories of the active model: listed, shown with their URLs, and labelled."""

from __future__ import annotations

from collections.abc import Mapping

from webrec.admin.listing import Document, Listing, next_id, next_offset, offset, start_after
from webrec.errors import NotFound
from webrec.serving.engine import Engine
from webrec.serving.snapshots import Snapshot
from webrec.tables.rows import CategoryRow


def list_categories(engine: Engine, limit: int, cursor: str) -> Listing:
    """A part of the categories, in the order of their numbers.

    Raises:
        InvalidDocument: no category has the cursor's id.
    """
    snapshot = engine.snapshot
    ids = snapshot.model.generation.category_ids
    start = start_after(ids, cursor, "category")
    rows = [_category(engine, snapshot, number)[0] for number in range(start, len(ids))[:limit]]
    return Listing(rows, next_id(ids, start, limit))


def get_category(engine: Engine, category_id: str, limit: int, cursor: str) -> Document:
    """One category with a part of its list, in `recL` order.

    Raises:
        NotFound: the active model has no such category.
        InvalidDocument: the cursor is none that this list gave.
    """
    snapshot = engine.snapshot
    document, row = _category(engine, snapshot, _number(snapshot, category_id))
    start = offset(cursor)
    pages = row.urls[start : start + limit].tolist()
    model = snapshot.model
    urls = [{"url": model.url(page), "affinity": model.total(page)} for page in pages]
    return document | {"urls": urls, "next": next_offset(start, limit, len(row.urls))}


def set_label(engine: Engine, category_id: str, label: str) -> Document:
    """Name a category; the name stays with it through later batches.

    Raises:
        NotFound: the active model has no such category.
    """
    _number(engine.snapshot, category_id)
    engine.tables.labels.put(category_id, label)
    engine.refresh()
    snapshot = engine.snapshot
    return _category(engine, snapshot, _number(snapshot, category_id))[0]


def category_counts(
    snapshot: Snapshot, visits: Mapping[int, int], accepts: Mapping[int, int]
) -> list[Document]:
    """Categories with visits and accepts, most visited first.

    Args:
        visits: by a category's number; so are ``accepts``.
    """
    ids = snapshot.model.generation.category_ids
    numbers = sorted(
        visits.keys() | accepts.keys(),
        key=lambda n: (-visits.get(n, 0), -accepts.get(n, 0), ids[n]),
    )
    return [
        {
            "id": ids[n],
            "label": snapshot.categories[n].label,
            "visits": visits.get(n, 0),
            "accepts": accepts.get(n, 0),
        }
        for n in numbers
    ]


def _category(engine: Engine, snapshot: Snapshot, number: int) -> tuple[Document, CategoryRow]:
    """What a listing shows of a category, and its row.

    Raises:
        NotFound: the model was dropped while its snapshot still answers.
    """
    generation = snapshot.model.generation
    category_id = generation.category_ids[number]
    row = engine.tables.categories.get(generation.id, category_id)
    if row is None:
        raise NotFound(f"category {category_id} of model {generation.id} is gone")
    manual = category_id in snapshot.manual
    return {
        "id": category_id,
        "label": snapshot.categories[number].label,
        "label_source": "manual" if manual else "suggested",
        "keywords": row.keywords,
        "size": len(row.urls),
        "affinity": row.value,
    }, row


def _number(snapshot: Snapshot, category_id: str) -> int:
    """The number of a category in the active model.

    Raises:
        NotFound: it has no such category.
    """
    try:
        return snapshot.model.generation.category_ids.index(category_id)
    except ValueError:
        raise NotFound(f"the active model has no category {category_id!r}") from None
