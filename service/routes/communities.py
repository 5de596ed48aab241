"""[6] /v1/communities: the communities of the active model."""

from __future__ import annotations

from flask import Blueprint, Response

from service import query as params
from service.auth import READ, needs
from service.context import current_context
from service.responses import answer
from webrec.admin.communities import get_community, list_communities

blueprint = Blueprint("communities", __name__)


@blueprint.get("/v1/communities")
@needs(READ)
def list_() -> Response:
    """The communities, in the order of their numbers."""
    listing = list_communities(current_context().engine, *params.page_of_listing())
    return answer({"communities": listing.items, "next": listing.next})


@blueprint.get("/v1/communities/<community_id>")
@needs(READ)
def get(community_id: str) -> Response:
    """One community, its list of URLs, best first, and its categories."""
    return answer(get_community(current_context().engine, community_id, *params.page_of_listing()))
