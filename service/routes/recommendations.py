"""[6] POST /v1/recommendations."""

from __future__ import annotations

import time

from flask import Blueprint, Response, g

from service.answers import recommend_timed
from service.auth import SERVE, needs
from service.context import Context, current_context
from service.paths import RECOMMENDATIONS
from service.query import MAX_DOCUMENTS
from service.request_body import ManyDocuments, read_one_or_list
from service.responses import answer, problem_document
from webrec.errors import FieldError, InvalidDocument, StoreUnavailable, WebrecError
from webrec.formats.answers import Document

blueprint = Blueprint("recommendations", __name__)


@blueprint.post(RECOMMENDATIONS)
@needs(SERVE)
def recommend() -> Response:
    """Recommend URLs to a visitor of a page; a list of documents gets a list of answers."""
    context = current_context()
    body = read_one_or_list()
    if not isinstance(body, ManyDocuments):
        return answer(_one(context, body.document, g.started))
    if len(body.documents) > MAX_DOCUMENTS:
        raise InvalidDocument([FieldError("", f"send at most {MAX_DOCUMENTS} documents at once")])
    return answer([_one_of_many(context, document) for document in body.documents])


def _one(context: Context, document: object, started: float) -> Document:
    try:
        found, answered = recommend_timed(context.engine, document, started)
    except WebrecError as error:
        context.metrics.refused(error.status, time.perf_counter() - started)
        raise
    context.metrics.answered(found, time.perf_counter() - started)
    return answered


def _one_of_many(context: Context, document: object) -> Document:
    try:
        return _one(context, document, time.perf_counter())
    except WebrecError as error:
        if isinstance(error, StoreUnavailable):
            # an error of the whole request is counted where all others are
            context.metrics.store_error()
        return problem_document(error, g.request_id)
