"""[6] /v1/models: the published models."""

from __future__ import annotations

from flask import Blueprint, Response

from service import query as params
from service.auth import ADMIN, READ, needs
from service.context import current_context
from service.responses import answer
from webrec.admin.models import activate_model, list_models

blueprint = Blueprint("models", __name__)


@blueprint.get("/v1/models")
@needs(READ)
def list_() -> Response:
    """The published models, newest first."""
    listing = list_models(current_context().engine.tables, *params.page_of_listing())
    return answer({"models": listing.items, "next": listing.next})


@blueprint.post("/v1/models/<model_id>/activate")
@needs(ADMIN)
def activate(model_id: str) -> Response:
    """Go back, or forward, to a published model."""
    return answer(activate_model(current_context().engine, model_id))
