"""[6] /v1/campaigns, described."""

from __future__ import annotations

from service.auth import ADMIN
from service.openapi.parts import (
    COUNT,
    FIELD_ERRORS,
    KEYED,
    LISTING,
    TEXT,
    WITH_BODY,
    Paths,
    Schema,
    body,
    list_of,
    listing_of,
    object_of,
    operation,
    or_null,
    ref,
)
from webrec.formats.schemas import CAMPAIGN_SCHEMA, NAMED_CAMPAIGN_SCHEMA

RESULT = object_of(
    {
        "index": COUNT,
        "id": or_null(TEXT),
        "status": {"enum": ["created", "updated", "unchanged", "invalid"]},
        "errors": FIELD_ERRORS,
    }
)
_RESULTS = object_of({"results": list_of(ref("CampaignResult"))})
_DRY_RUN = {"name": "dry_run", "in": "query", "schema": {"type": "boolean", "default": False}}
_BY_CAMPAIGN_ID: list[Schema] = [
    {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": CAMPAIGN_SCHEMA["properties"]["id"],
    }
]

PATHS: Paths = {
    "/v1/campaigns": {
        "get": operation(
            "List the campaigns",
            ADMIN,
            {200: listing_of("campaigns", ref("Campaign"))},
            (422, *KEYED),
            parameters=LISTING,
        ),
        "post": operation(
            "Write many campaigns",
            ADMIN,
            {200: _RESULTS, 207: _RESULTS, 422: _RESULTS},
            WITH_BODY,
            parameters=[_DRY_RUN],
            requestBody=body({"anyOf": [ref("Campaign"), list_of(ref("Campaign"))]}, ndjson=True),
        ),
    },
    "/v1/campaigns/{id}": {
        "get": operation("One campaign", ADMIN, {200: ref("Campaign")}, (404, *KEYED)),
        "put": operation(
            "Write one campaign",
            ADMIN,
            {200: ref("Campaign"), 201: ref("Campaign")},
            WITH_BODY,
            requestBody=body(NAMED_CAMPAIGN_SCHEMA),
        ),
        "delete": operation("Take a campaign away", ADMIN, {204: None}, (404, *KEYED)),
        "parameters": _BY_CAMPAIGN_ID,
    },
}
