"""[6] Operation: whether what answers requests is there, and what its model has not read."""

from __future__ import annotations

import time
from collections.abc import Callable

from hbase_schema import names as t
from webrec.admin.listing import Document
from webrec.admin.models import active_model
from webrec.errors import WebrecError
from webrec.serving.engine import Engine

_PING_S = 1.0
"""How long the store may take: a balancer asks again soon, and its question holds a thread."""


def readiness(engine: Engine) -> dict[str, Document]:
    """Whether store, log and model are there; with a ``detail`` where there is more to say."""
    return {
        "store": _checked(lambda: _store(engine)),
        "log": _checked(lambda: _log(engine)),
        "model": _checked(lambda: _model(engine)),
    }


def log_backlog(engine: Engine) -> int:
    """Segments of the log that the active model has not read."""
    covers = engine.snapshot.model.generation.watermark.covers
    names = engine.log.closed_segments() + engine.log.open_segments()
    return sum(not covers(name) for name in names)


def _checked(check: Callable[[], str]) -> Document:
    try:
        detail = check()
    except WebrecError as error:
        return {"ok": False, "detail": str(error)}
    return {"ok": True, "detail": detail} if detail else {"ok": True}


def _store(engine: Engine) -> str:
    engine.tables.store.get(t.META, t.ACTIVE, within_s=_PING_S)
    return ""


def _log(engine: Engine) -> str:
    engine.log.check()
    waiting = engine.log.unshipped()
    return waiting.in_words(time.time()) if waiting.why else ""


def _model(engine: Engine) -> str:
    active_model(engine)
    return ""
