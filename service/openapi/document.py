"""[6] The whole OpenAPI 3.1 document: every resource's paths, and the schemas they share.

Bodies that `webrec.formats` reads are described by the schemas it validates with; a test holds
the rest against the routes.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from apispec import APISpec

from service.auth import HEADER
from service.openapi import (
    campaigns,
    categories,
    communities,
    events,
    models,
    operation,
    pages,
    recommendations,
    users,
)
from service.openapi.parts import PROBLEM_DOCUMENT, REJECTED, Schema
from webrec.formats.schemas import CAMPAIGN_SCHEMA, EVENT_SCHEMA, REQUEST_SCHEMA

_SCHEMAS: dict[str, Schema] = {
    "Request": REQUEST_SCHEMA,
    "Event": EVENT_SCHEMA,
    "Campaign": CAMPAIGN_SCHEMA,
    "Problem": PROBLEM_DOCUMENT,
    "Rejected": REJECTED,
    "Item": recommendations.ITEM,
    "Answer": recommendations.ANSWER,
    "Page": pages.PAGE,
    "Category": categories.CATEGORY,
    "Model": models.MODEL,
    "CampaignResult": campaigns.RESULT,
    "Check": operation.CHECK,
}
"""By the name under which `parts.ref` finds them, in the order the document has them."""

_RESOURCES = (
    recommendations,
    events,
    campaigns,
    pages,
    categories,
    communities,
    users,
    models,
    operation,
)
"""In the order the document has their paths."""


@cache
def openapi_document() -> dict[str, Any]:
    """The whole document."""
    spec = APISpec(
        title="webrec",
        version=version("webrec"),
        openapi_version="3.1.0",
        info={"description": "Related and sponsored URLs for the visitors of web pages."},
    )
    for name, schema in _SCHEMAS.items():
        spec.components.schema(name, schema)
    spec.components.security_scheme("key", {"type": "apiKey", "in": "header", "name": HEADER})
    for resource in _RESOURCES:
        for path, described in resource.PATHS.items():
            operations = {name: o for name, o in described.items() if name != "parameters"}
            spec.path(path=path, operations=operations, parameters=described.get("parameters"))
    found: dict[str, Any] = spec.to_dict()
    return found
