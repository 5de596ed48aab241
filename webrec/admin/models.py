"""[6] Models: the published generations, listed and activated."""

from __future__ import annotations

from webrec.admin.listing import Document, Listing, next_id, start_after
from webrec.errors import NotFound
from webrec.formats.times import iso
from webrec.serving.engine import Engine
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables


def all_models(tables: Tables) -> list[Document]:
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


def list_models(tables: Tables, limit: int, cursor: str) -> Listing:
    """A part of the published generations, newest first.

    Raises:
        InvalidDocument: no generation has the cursor's id.
    """
    models = all_models(tables)
    ids = [model["id"] for model in models]
    start = start_after(ids, cursor, "model")
    return Listing(models[start : start + limit], next_id(ids, start, limit))


def activate_model(engine: Engine, model_id: str) -> Document:
    """Go back, or forward, to a published generation.

    Raises:
        NotFound: there is none of this id.
        Conflict: another was activated at the same time.
    """
    active = engine.tables.meta.versions().active
    engine.tables.generations.activate(model_id, None if active is None else active.decode())
    engine.refresh()
    return next(m for m in all_models(engine.tables) if m["id"] == model_id)


def active_model(engine: Engine) -> Generation:
    """The active model.

    Raises:
        NotFound: there is none yet.
    """
    if engine.model is None:
        raise NotFound("there is no model yet: `webrec batch` makes one")
    return engine.model
