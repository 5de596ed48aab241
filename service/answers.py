"""[6] From a request document to its answer; also what `webrec recommend` prints."""

from __future__ import annotations

import time
from typing import Any

from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine, Recommendation


def recommend_document(engine: Engine, document: object) -> dict[str, Any]:
    """Answer one request document, and record its visit.

    Raises:
        WebrecError: why it cannot be answered.
    """
    return recommend_timed(engine, document, time.perf_counter()).document


def recommend_timed(engine: Engine, document: object, began: float) -> Recommendation:
    """The same; ``took_ms`` counts from ``began`` (by `time.perf_counter`)."""
    now_ms = time.time_ns() // 1_000_000
    found = engine.recommend(parse_request(document, now_ms), now_ms, began)
    found.document["took_ms"] = round((time.perf_counter() - began) * 1000, 3)
    return found
