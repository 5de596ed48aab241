"""[6] POST /v1/events."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, g

from service.auth import INGEST, needs
from service.context import current_context
from service.request_body import ManyDocuments, read_any
from service.responses import answer, problem, problem_document
from webrec.domain.types import Event
from webrec.errors import InputError
from webrec.formats.events import parse_event

blueprint = Blueprint("events", __name__)


@blueprint.post("/v1/events")
@needs(INGEST)
def ingest() -> Response:
    """Take visits, accepts and descriptions of pages; they are on disk before the answer."""
    body = read_any()
    documents = body.documents if isinstance(body, ManyDocuments) else [body.document]
    events: list[Event] = []
    rejected: list[dict[str, Any]] = []
    first: InputError | None = None
    now_ms = time.time_ns() // 1_000_000
    for index, document in enumerate(documents):
        try:
            events.append(_event(document, now_ms))
        except InputError as error:
            first = first or error
            problem_of = problem_document(error, g.request_id)
            rejected.append({"index": index, "error": problem_of})
    if events:
        current_context().engine.recorder.record(events)
    current_context().metrics.events(len(events), len(rejected))
    outcome = {"accepted": len(events), "rejected": rejected}
    if first is None or events:
        return answer(outcome, 202)
    refused = problem_document(
        first if not isinstance(body, ManyDocuments) else _none_good(len(rejected)), g.request_id
    )
    return problem(refused | outcome)


def _event(document: object, now_ms: int) -> Event:
    if isinstance(document, InputError):
        raise document  # a line that is no JSON, in its place
    return parse_event(document, now_ms)


def _none_good(count: int) -> InputError:
    return InputError(f"none of the {count} events can be taken: `rejected` says why of each")
