"""[6] The interface as an OpenAPI 3.1 document.

Bodies that `webrec.formats` reads are described by the schemas it validates with; a test holds
the rest against the routes.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from apispec import APISpec

from service import query as params
from service.auth import HEADER
from service.query import MAX_DOCUMENTS
from service.request_body import NDJSON
from service.responses import JSON, PROBLEM
from webrec.formats.schemas import (
    CAMPAIGN_SCHEMA,
    EVENT_SCHEMA,
    LABEL_SCHEMA,
    NAMED_CAMPAIGN_SCHEMA,
    REQUEST_SCHEMA,
)

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_SOURCE: Schema = {"enum": ["batch", "online", None]}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_PRIORITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def _object(required: Schema, optional: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_FIELD_ERRORS = _list(_object({"field": _TEXT, "message": _TEXT}))
_NAMED = _object({"id": _TEXT, "label": _TEXT})
_AFFINITY = {"visits": _COUNT, "accepts": _COUNT}
_CATEGORY = {
    "id": _TEXT,
    "label": _TEXT,
    "label_source": {"enum": ["manual", "suggested"]},
    "keywords": _list(_TEXT),
    "size": _COUNT,
    "affinity": _NUMBER,
}
_CATS = _list(_object({"id": _TEXT, "label": _TEXT} | _AFFINITY))
_NEXT = _or_null(_TEXT)
_PASSED_OVER = _object({"algorithm": _TEXT, "reason": _TEXT})

_PROBLEM = _object(
    {"type": _TEXT, "title": _TEXT, "status": _COUNT, "detail": _TEXT, "request_id": _TEXT},
    {"errors": _FIELD_ERRORS, "accepted": _COUNT, "rejected": _list(_ref("Rejected"))},
)

_SCHEMAS: dict[str, Schema] = {
    "Request": REQUEST_SCHEMA,
    "Event": EVENT_SCHEMA,
    "Campaign": CAMPAIGN_SCHEMA,
    "Problem": _PROBLEM,
    "Rejected": _object({"index": _COUNT, "error": _ref("Problem")}),
    "Item": _object(
        {"url": _TEXT, "priority": _PRIORITY, "category": _or_null(_NAMED)},
        {
            "campaign": _TEXT,
            "algorithm": _TEXT,
            "affinity": _PRIORITY,
            "ad_priority": _PRIORITY,
            "similarity": _PRIORITY,
            "because": _list(_object({"url": _TEXT, "share": _NUMBER})),
            "rank_score": _NUMBER,
        },
    ),
    "Answer": _object(
        {
            "id": _TEXT,
            "mode": {"enum": ["related", "sponsored"]},
            "filter": {"enum": ["content", "collaborative"]},
            "algorithm": _TEXT,
            "path": _list(_TEXT),
            "items": _list(_ref("Item")),
            "empty_reason": {
                "enum": ["no_suitable_campaign", "nothing_to_recommend", "no_model", None]
            },
            "model": _or_null(_TEXT),
            "degraded": {"type": "boolean"},
            "took_ms": _NUMBER,
        },
        {
            "explain": _object(
                {
                    "category": _or_null(_TEXT),
                    "category_source": _SOURCE,
                    "community": _or_null(_TEXT),
                    "community_source": _SOURCE,
                    "list": _TEXT,
                    "size": _COUNT,
                    "passed_over": _list(_PASSED_OVER),
                }
            )
        },
    ),
    "Page": _object(
        {
            "url": _TEXT,
            "category": _or_null(_NAMED),
            "category_source": _SOURCE,
            "affinity": _NUMBER,
        }
    ),
    "Category": _object(_CATEGORY),
    "Model": _object(
        {
            "id": _TEXT,
            "created": {"type": "string", "format": "date-time"},
            "active": {"type": "boolean"},
            "counts": {"type": "object", "additionalProperties": _COUNT},
            "quality": {"type": "object", "additionalProperties": _NUMBER},
        }
    ),
    "CampaignResult": _object(
        {
            "index": _COUNT,
            "id": _or_null(_TEXT),
            "status": {"enum": ["created", "updated", "unchanged", "invalid"]},
            "errors": _FIELD_ERRORS,
        }
    ),
    "Check": _object({"ok": {"type": "boolean"}}, {"detail": _TEXT}),
}

_READY = _object(
    {
        "status": {"enum": ["ready", "not ready"]},
        "checks": {"type": "object", "additionalProperties": _ref("Check")},
    }
)
_USER = _object(
    {
        "community": _or_null(_TEXT),
        "community_source": _SOURCE,
        "urls": _list(_object({"url": _TEXT} | _AFFINITY)),
        "cats": _CATS,
    }
)
_COMMUNITY = _object(
    {
        "id": _TEXT,
        "size": _COUNT,
        "urls": _list(_object({"url": _TEXT} | _AFFINITY | {"rank_score": _NUMBER})),
        "cats": _CATS,
        "next": _NEXT,
    }
)
_CATEGORY_WITH_URLS = _object(
    _CATEGORY | {"urls": _list(_object({"url": _TEXT, "affinity": _NUMBER})), "next": _NEXT}
)

_BY_ID: list[Schema] = [
    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
]
_BY_CAMPAIGN_ID: list[Schema] = [
    {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": CAMPAIGN_SCHEMA["properties"]["id"],
    }
]
_LISTING: list[Schema] = [
    {
        "name": "limit",
        "in": "query",
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": params.MAX_LIMIT,
            "default": params.DEFAULT_LIMIT,
        },
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "`next` of the part before",
        "schema": _TEXT,
    },
]
_VISITOR: list[Schema] = [
    {
        "name": "user",
        "in": "query",
        "schema": {"type": "string", "minLength": 1, "maxLength": params.MAX_NAME},
    },
    {
        "name": "ip",
        "in": "query",
        "schema": _TEXT | {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
    },
]


def _content(media: str, schema: Schema) -> Schema:
    return {media: {"schema": schema}}


def _body(schema: Schema, *, ndjson: bool = False) -> Schema:
    content = _content(JSON, schema)
    if ndjson:
        content |= _content(NDJSON, {"type": "string", "description": "one document a line"})
    return {"required": True, "content": content}


def _responses(good: dict[int, Schema | None], bad: tuple[int, ...]) -> Schema:
    described: Schema = {}
    for status, schema in good.items():
        described[str(status)] = {"description": "as asked"}
        if schema is not None:
            described[str(status)]["content"] = _content(JSON, schema)
    for status in bad:
        described.setdefault(str(status), {"description": "a problem"})
        described[str(status)].setdefault("content", {}).update(_content(PROBLEM, _ref("Problem")))
    return described


def _listing(plural: str, schema: Schema) -> Schema:
    return _object({plural: _list(schema), "next": _NEXT})


_KEYED = (401, 403, 503)
_WITH_BODY = (400, 413, 415, 422, *_KEYED)


def _operation(
    summary: str,
    scopes: tuple[str, ...],
    good: dict[int, Schema | None],
    bad: tuple[int, ...] = (),
    **more: Any,
) -> Schema:
    security: list[dict[str, list[str]]] = [{"key": []}] if scopes else []
    described = {"summary": summary, "responses": _responses(good, bad), "security": security}
    if scopes:
        described["description"] = f"Scope {' or '.join(scopes)}."
    return described | more


_SERVE, _INGEST, _ADMIN, _READ = ("serve",), ("ingest",), ("admin",), ("admin", "serve")

_OUTCOME = _object({"accepted": _COUNT, "rejected": _list(_ref("Rejected"))})
_RESULTS = _object({"results": _list(_ref("CampaignResult"))})
_DRY_RUN = {"name": "dry_run", "in": "query", "schema": {"type": "boolean", "default": False}}
_URL = {
    "name": "url",
    "in": "query",
    "required": True,
    "schema": {"type": "string", "format": "uri", "pattern": "^https?://", "maxLength": 8192},
}
_URLS = _object(
    {
        "urls": _list({"type": "string", "format": "uri", "pattern": "^https?://"})
        | {"maxItems": params.MAX_URLS}
    }
) | {"additionalProperties": True}

_PATHS: dict[str, dict[str, Any]] = {
    "/v1/recommendations": {
        "post": _operation(
            "Recommend URLs to a visitor of a page",
            _SERVE,
            {
                200: {
                    "anyOf": [
                        _ref("Answer"),
                        _list({"anyOf": [_ref("Answer"), _ref("Problem")]}),
                    ]
                }
            },
            _WITH_BODY,
            requestBody=_body(
                {
                    "anyOf": [
                        _ref("Request"),
                        {"type": "array", "maxItems": MAX_DOCUMENTS, "items": {}},
                    ]
                }
            ),
        )
    },
    "/v1/events": {
        "post": _operation(
            "Record visits, accepts and descriptions of pages; durable when answered",
            _INGEST,
            {202: _OUTCOME},
            _WITH_BODY,
            requestBody=_body({"anyOf": [_ref("Event"), _list(_ref("Event"))]}, ndjson=True),
        )
    },
    "/v1/campaigns": {
        "get": _operation(
            "List the campaigns",
            _ADMIN,
            {200: _listing("campaigns", _ref("Campaign"))},
            (422, *_KEYED),
            parameters=_LISTING,
        ),
        "post": _operation(
            "Write many campaigns",
            _ADMIN,
            {200: _RESULTS, 207: _RESULTS, 422: _RESULTS},
            _WITH_BODY,
            parameters=[_DRY_RUN],
            requestBody=_body({"anyOf": [_ref("Campaign"), _list(_ref("Campaign"))]}, ndjson=True),
        ),
    },
    "/v1/campaigns/{id}": {
        "get": _operation("One campaign", _ADMIN, {200: _ref("Campaign")}, (404, *_KEYED)),
        "put": _operation(
            "Write one campaign",
            _ADMIN,
            {200: _ref("Campaign"), 201: _ref("Campaign")},
            _WITH_BODY,
            requestBody=_body(NAMED_CAMPAIGN_SCHEMA),
        ),
        "delete": _operation("Take a campaign away", _ADMIN, {204: None}, (404, *_KEYED)),
        "parameters": _BY_CAMPAIGN_ID,
    },
    "/v1/pages": {
        "get": _operation(
            "What the model knows of one page",
            _READ,
            {200: _ref("Page")},
            (404, 422, *_KEYED),
            parameters=[_URL],
        ),
        "post": _operation(
            "What the model knows of many pages",
            _READ,
            {200: _object({"pages": _list(_or_null(_ref("Page")))})},
            _WITH_BODY,
            requestBody=_body(_URLS),
        ),
    },
    "/v1/categories": {
        "get": _operation(
            "List the categories",
            _READ,
            {200: _listing("categories", _ref("Category"))},
            (422, *_KEYED),
            parameters=_LISTING,
        )
    },
    "/v1/categories/{id}": {
        "get": _operation(
            "One category and its list of URLs",
            _READ,
            {200: _CATEGORY_WITH_URLS},
            (404, 422, *_KEYED),
            parameters=_LISTING,
        ),
        "parameters": _BY_ID,
    },
    "/v1/categories/{id}/label": {
        "put": _operation(
            "Name a category",
            _ADMIN,
            {200: _ref("Category")},
            (404, *_WITH_BODY),
            requestBody=_body(LABEL_SCHEMA),
        ),
        "parameters": _BY_ID,
    },
    "/v1/communities": {
        "get": _operation(
            "List the communities",
            _READ,
            {200: _listing("communities", _object({"id": _TEXT, "size": _COUNT}))},
            (422, *_KEYED),
            parameters=_LISTING,
        )
    },
    "/v1/communities/{id}": {
        "get": _operation(
            "One community, its list of URLs and its categories",
            _READ,
            {200: _COMMUNITY},
            (404, 422, *_KEYED),
            parameters=_LISTING,
        ),
        "parameters": _BY_ID,
    },
    "/v1/users": {
        "get": _operation(
            "A visitor's profile", _READ, {200: _USER}, (404, 422, *_KEYED), parameters=_VISITOR
        ),
        "delete": _operation(
            "Forget a visitor", _ADMIN, {204: None}, (422, *_KEYED), parameters=_VISITOR
        ),
    },
    "/v1/models": {
        "get": _operation(
            "List the published models",
            _READ,
            {200: _listing("models", _ref("Model"))},
            (422, *_KEYED),
            parameters=_LISTING,
        )
    },
    "/v1/models/{id}/activate": {
        "post": _operation(
            "Go back, or forward, to a model", _ADMIN, {200: _ref("Model")}, (404, 409, *_KEYED)
        ),
        "parameters": _BY_ID,
    },
    "/health/live": {
        "get": _operation("The process answers", (), {200: _object({"status": _TEXT})})
    },
    "/health/ready": {
        "get": _operation("Store, log and model are there", (), {200: _READY, 503: _READY})
    },
    "/version": {"get": _operation("The version", (), {200: _object({"version": _TEXT})})},
    "/metrics": {
        "get": _operation("Metrics", (), {})
        | {"responses": {"200": {"description": "as asked", "content": {"text/plain": {}}}}}
    },
    "/openapi.json": {"get": _operation("This document", (), {200: {"type": "object"}})},
}


@cache
def document() -> dict[str, Any]:
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
    for path, operations in _PATHS.items():
        parameters = operations.get("parameters")
        methods = {name: o for name, o in operations.items() if name != "parameters"}
        spec.path(path=path, operations=methods, parameters=parameters)
    found: dict[str, Any] = spec.to_dict()
    return found
