"""[6] /v1/categories: the categories of the active model, and their labels."""

from __future__ import annotations

from flask import Blueprint, Response

from service import query as params
from service.auth import ADMIN, READ, needs
from service.context import current_context
from service.request_body import read_one
from service.responses import answer
from webrec.admin.categories import get_category, list_categories, set_label
from webrec.formats.labels import parse_label

blueprint = Blueprint("categories", __name__)


@blueprint.get("/v1/categories")
@needs(READ)
def list_() -> Response:
    """The categories, in the order of their numbers."""
    listing = list_categories(current_context().engine, *params.page_of_listing())
    return answer({"categories": listing.items, "next": listing.next})


@blueprint.get("/v1/categories/<category_id>")
@needs(READ)
def get(category_id: str) -> Response:
    """One category and its list of URLs, best first."""
    return answer(get_category(current_context().engine, category_id, *params.page_of_listing()))


@blueprint.put("/v1/categories/<category_id>/label")
@needs(ADMIN)
def put_label(category_id: str) -> Response:
    """Name a category; the name stays with it through later batches."""
    return answer(set_label(current_context().engine, category_id, parse_label(read_one())))
