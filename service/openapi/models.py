"""[6] /v1/models, described."""

from __future__ import annotations

from service.auth import ADMIN, READ
from service.openapi.parts import (
    BY_ID,
    COUNT,
    KEYED,
    LISTING,
    NUMBER,
    TEXT,
    Paths,
    listing_of,
    object_of,
    operation,
    ref,
)

MODEL = object_of(
    {
        "id": TEXT,
        "created": {"type": "string", "format": "date-time"},
        "active": {"type": "boolean"},
        "counts": {"type": "object", "additionalProperties": COUNT},
        "quality": {"type": "object", "additionalProperties": NUMBER},
    }
)

PATHS: Paths = {
    "/v1/models": {
        "get": operation(
            "List the published models",
            READ,
            {200: listing_of("models", ref("Model"))},
            (422, *KEYED),
            parameters=LISTING,
        )
    },
    "/v1/models/{id}/activate": {
        "post": operation(
            "Go back, or forward, to a model", ADMIN, {200: ref("Model")}, (404, 409, *KEYED)
        ),
        "parameters": BY_ID,
    },
}
