"""[6] What the resources' descriptions are made of: schemas, parameters, bodies, operations."""

from __future__ import annotations

from typing import Any

from service import query as params
from service.request_body import NDJSON
from service.responses import JSON, PROBLEM

Schema = dict[str, Any]
"""A JSON Schema, or another object of an OpenAPI document."""

Paths = dict[str, Schema]
"""Operations by method, by path; ``parameters`` beside the methods holds for all of them."""


# --- schemas -------------------------------------------------------------------------------------


def object_of(required: Schema, optional: Schema | None = None) -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def list_of(items: Schema) -> Schema:
    """A list of any length."""
    return {"type": "array", "items": items}


def or_null(schema: Schema) -> Schema:
    """What a schema describes, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    """A schema of the document's components, by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
PRIORITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}
SOURCE: Schema = {"enum": ["batch", "online", None]}
"""Whether a category or community is the batch's, or was found since; null without one."""

NEXT = or_null(TEXT)
"""The cursor of a listing's next part."""

NAMED_CATEGORY = object_of({"id": TEXT, "label": TEXT})
VISITS_AND_ACCEPTS = {"visits": COUNT, "accepts": COUNT}
CATEGORY_COUNTS = list_of(object_of({"id": TEXT, "label": TEXT} | VISITS_AND_ACCEPTS))

FIELD_ERRORS = list_of(object_of({"field": TEXT, "message": TEXT}))
PROBLEM_DOCUMENT = object_of(
    {"type": TEXT, "title": TEXT, "status": COUNT, "detail": TEXT, "request_id": TEXT},
    {"errors": FIELD_ERRORS, "accepted": COUNT, "rejected": list_of(ref("Rejected"))},
)
REJECTED = object_of({"index": COUNT, "error": ref("Problem")})


def listing_of(plural: str, schema: Schema) -> Schema:
    """One part of a listing, as its answer."""
    return object_of({plural: list_of(schema), "next": NEXT})


# --- parameters and bodies -----------------------------------------------------------------------

BY_ID: list[Schema] = [
    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
]
LISTING: list[Schema] = [
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
        "schema": TEXT,
    },
]


def body(schema: Schema, *, ndjson: bool = False) -> Schema:
    """A request's body: JSON, and NDJSON where that is taken too."""
    content = _content(JSON, schema)
    if ndjson:
        content |= _content(NDJSON, {"type": "string", "description": "one document a line"})
    return {"required": True, "content": content}


def _content(media: str, schema: Schema) -> Schema:
    return {media: {"schema": schema}}


# --- operations ----------------------------------------------------------------------------------

KEYED = (401, 403, 503)
"""The problems of every operation that needs a key."""

WITH_BODY = (400, 413, 415, 422, *KEYED)
"""The problems of every operation that reads a body."""


def operation(
    summary: str,
    scopes: tuple[str, ...],
    good: dict[int, Schema | None],
    bad: tuple[int, ...] = (),
    **more: Any,
) -> Schema:
    """One method of one path.

    Args:
        scopes: a key needs one of them; none for an operation that is open.
        good: the answer's schema by status; None for an answer without a body.
        bad: the statuses of problems.
        more: further fields of the operation.
    """
    security: list[dict[str, list[str]]] = [{"key": []}] if scopes else []
    described = {"summary": summary, "responses": _responses(good, bad), "security": security}
    if scopes:
        described["description"] = f"Scope {' or '.join(scopes)}."
    return described | more


def _responses(good: dict[int, Schema | None], bad: tuple[int, ...]) -> Schema:
    described: Schema = {}
    for status, schema in good.items():
        described[str(status)] = {"description": "as asked"}
        if schema is not None:
            described[str(status)]["content"] = _content(JSON, schema)
    for status in bad:
        described.setdefault(str(status), {"description": "a problem"})
        described[str(status)].setdefault("content", {}).update(_content(PROBLEM, ref("Problem")))
    return described
