"""[6] What the model holds: pages, categories, communities, users, generations."""

from __future__ import annotations

from flask import Blueprint, Response

from service import query as params
from service.auth import needs
from service.context import state
from service.request_body import MANY_DOCUMENTS, read_one
from service.responses import answer, nothing
from webrec.admin import admin
from webrec.errors import NotFound
from webrec.formats.labels import parse_label

blueprint = Blueprint("model", __name__)


@blueprint.get("/v1/pages")
@needs("admin", "serve")
def page() -> Response:
    """What the model knows of one page."""
    (found,) = admin.pages(state().engine, [params.url()])
    if found is None:
        raise NotFound("the active model does not know this page")
    return answer(found)


@blueprint.post("/v1/pages")
@needs("admin", "serve")
def pages() -> Response:
    """What the model knows of many pages, in order; null for unknown ones."""
    wanted = params.urls(read_one(MANY_DOCUMENTS))
    return answer({"pages": admin.pages(state().engine, wanted)})


@blueprint.get("/v1/categories")
@needs("admin", "serve")
def categories() -> Response:
    """The categories."""
    listing = admin.list_categories(state().engine, *params.page_of_listing())
    return answer({"categories": listing.items, "next": listing.next})


@blueprint.get("/v1/categories/<category_id>")
@needs("admin", "serve")
def category(category_id: str) -> Response:
    """One category and its list of URLs, best first."""
    return answer(admin.category(state().engine, category_id, *params.page_of_listing()))


@blueprint.put("/v1/categories/<category_id>/label")
@needs("admin")
def label(category_id: str) -> Response:
    """Name a category; the name stays with it through later batches."""
    return answer(admin.set_label(state().engine, category_id, parse_label(read_one())))


@blueprint.get("/v1/communities")
@needs("admin", "serve")
def communities() -> Response:
    """The communities."""
    listing = admin.list_communities(state().engine, *params.page_of_listing())
    return answer({"communities": listing.items, "next": listing.next})


@blueprint.get("/v1/communities/<community_id>")
@needs("admin", "serve")
def community(community_id: str) -> Response:
    """One community, its list of URLs, best first, and its categories."""
    return answer(admin.community(state().engine, community_id, *params.page_of_listing()))


@blueprint.get("/v1/users")
@needs("admin", "serve")
def user() -> Response:
    """A visitor's profile, what the batch knew and what happened since together."""
    return answer(admin.user(state().engine, params.visitor()))


@blueprint.delete("/v1/users")
@needs("admin")
def forget() -> Response:
    """Forget a visitor: at once here, and in the log and the totals by the next batch."""
    state().engine.recorder.forget(params.visitor())
    return nothing()


@blueprint.get("/v1/models")
@needs("admin", "serve")
def models() -> Response:
    """The published models, newest first."""
    listing = admin.page_of_models(state().engine.tables, *params.page_of_listing())
    return answer({"models": listing.items, "next": listing.next})


@blueprint.post("/v1/models/<model_id>/activate")
@needs("admin")
def activate(model_id: str) -> Response:
    """Go back, or forward, to a published model."""
    return answer(admin.activate_model(state().engine, model_id))
