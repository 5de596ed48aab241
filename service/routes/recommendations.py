"""[6] POST /v1/recommendations."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, g

from service.answers import recommend_timed
from service.auth import SERVE, needs
from service.context import State, state
from service.process import RECOMMENDATIONS
from service.query import MAX_DOCUMENTS
from service.request_body import Many, read_one_or_list
from service.responses import answer, problem_document
from webrec.errors import FieldError, InvalidDocument, StoreUnavailable, WebrecError

blueprint = Blueprint("recommendations", __name__)


@blueprint.post(RECOMMENDATIONS)
@needs(SERVE)
def recommend() -> Response:
    """Recommend URLs to a visitor of a page; a list of documents gets a list of answers."""
    here = state()
    body = read_one_or_list()
    if not isinstance(body, Many):
        return answer(_one(here, body.document, g.began))
    if len(body.documents) > MAX_DOCUMENTS:
        raise InvalidDocument([FieldError("", f"send at most {MAX_DOCUMENTS} documents at once")])
    return answer([_one_of_many(here, document) for document in body.documents])


def _one(here: State, document: object, began: float) -> dict[str, Any]:
    try:
        found = recommend_timed(here.engine, document, began)
    except WebrecError as error:
        here.metrics.refused(error.status, time.perf_counter() - began)
        raise
    here.metrics.answered(found, time.perf_counter() - began)
    return found.document


def _one_of_many(here: State, document: object) -> dict[str, Any]:
    try:
        return _one(here, document, time.perf_counter())
    except WebrecError as error:
        if isinstance(error, StoreUnavailable):
            here.metrics.store_error()  # an error of the whole request is counted with the others'
        return problem_document(error, g.request_id)
