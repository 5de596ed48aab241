"""[6] /v1/pages: what is known of pages."""

from __future__ import annotations

from flask import Blueprint, Response

from service import query as params
from service.auth import READ, needs
from service.context import current_context
from service.request_body import MANY_DOCUMENTS_BYTES, read_one
from service.responses import answer
from webrec.admin.pages import get_pages
from webrec.errors import NotFound

blueprint = Blueprint("pages", __name__)


@blueprint.get("/v1/pages")
@needs(READ)
def get() -> Response:
    """What the model knows of one page."""
    (found,) = get_pages(current_context().engine, [params.url()])
    if found is None:
        raise NotFound("the active model does not know this page")
    return answer(found)


@blueprint.post("/v1/pages")
@needs(READ)
def get_many() -> Response:
    """What the model knows of many pages, in order; null for unknown ones."""
    wanted = params.urls(read_one(MANY_DOCUMENTS_BYTES))
    return answer({"pages": get_pages(current_context().engine, wanted)})
