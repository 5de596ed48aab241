"""[6] /v1/campaigns: what ad operations upload."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, url_for

from service import query as params
from service.auth import ADMIN, needs
from service.context import current_context
from service.request_body import MANY_DOCUMENTS_BYTES, read_campaigns, read_one
from service.responses import answer, nothing
from webrec.admin.campaigns import apply_campaigns, delete_campaign, list_campaigns
from webrec.errors import NotFound
from webrec.formats.campaigns import campaign_document, parse_campaign

blueprint = Blueprint("campaigns", __name__)


@blueprint.get("/v1/campaigns")
@needs(ADMIN)
def list_() -> Response:
    """The campaigns, in the order of their ids."""
    listing = list_campaigns(current_context().engine.tables, *params.page_of_listing())
    return answer({"campaigns": listing.items, "next": listing.next})


@blueprint.post("/v1/campaigns")
@needs(ADMIN)
def apply() -> Response:
    """Write a list of campaigns; each is judged for itself."""
    dry_run = params.flag("dry_run")
    engine = current_context().engine
    results = apply_campaigns(engine.tables, read_campaigns(), dry_run=dry_run)
    engine.refresh()
    bad = sum(result.status == "invalid" for result in results)
    status = 200 if not bad else 422 if bad == len(results) else 207
    return answer({"results": [asdict(result) for result in results]}, status)


@blueprint.get("/v1/campaigns/<campaign_id>")
@needs(ADMIN)
def get(campaign_id: str) -> Response:
    """One campaign."""
    campaign = current_context().engine.tables.campaigns.get(campaign_id)
    if campaign is None:
        raise NotFound(f"there is no campaign {campaign_id!r}")
    return answer(campaign_document(campaign))


@blueprint.put("/v1/campaigns/<campaign_id>")
@needs(ADMIN)
def put(campaign_id: str) -> Response:
    """Write one campaign, new or in place of the one with its id."""
    campaign = parse_campaign(read_one(MANY_DOCUMENTS_BYTES), campaign_id)
    engine = current_context().engine
    is_new = engine.tables.campaigns.get(campaign.id) is None
    engine.tables.campaigns.put([campaign])
    engine.refresh()
    if not is_new:
        return answer(campaign_document(campaign))
    place = url_for("campaigns.get", campaign_id=campaign.id)
    return answer(campaign_document(campaign), 201, {"Location": place})


@blueprint.delete("/v1/campaigns/<campaign_id>")
@needs(ADMIN)
def delete(campaign_id: str) -> Response:
    """Take a campaign away."""
    engine = current_context().engine
    delete_campaign(engine.tables, campaign_id)
    engine.refresh()
    return nothing()
