"""[6] A request document in, its answer out; also what `webrec recommend` prints."""

from __future__ import annotations

import time

from webrec.domain.answers import Answer
from webrec.formats.answers import Document, answer_document
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine


def recommend_document(engine: Engine, document: object) -> Document:
    """Answer one request document, and record its visit.

    Raises:
        WebrecError: why it cannot be answered.
    """
    return recommend_timed(engine, document, time.perf_counter())[1]


def recommend_timed(engine: Engine, document: object, started: float) -> tuple[Answer, Document]:
    """The same, and the answer itself; ``took_ms`` counts from ``started`` (`perf_counter`)."""
    now_ms = time.time_ns() // 1_000_000
    found = engine.recommend(parse_request(document, now_ms), now_ms, started)
    return found, answer_document(found, round((time.perf_counter() - started) * 1000, 3))
