"""[6] /v1/pages, described."""

from __future__ import annotations

from service import query as params
from service.auth import READ
from service.openapi.parts import (
    KEYED,
    NAMED_CATEGORY,
    NUMBER,
    SOURCE,
    TEXT,
    WITH_BODY,
    Paths,
    body,
    list_of,
    object_of,
    operation,
    or_null,
    ref,
)

PAGE = object_of(
    {
        "url": TEXT,
        "category": or_null(NAMED_CATEGORY),
        "category_source": SOURCE,
        "affinity": NUMBER,
    }
)
_URL = {
    "name": "url",
    "in": "query",
    "required": True,
    "schema": {"type": "string", "format": "uri", "pattern": "^https?://", "maxLength": 8192},
}
_URLS = object_of(
    {
        "urls": list_of({"type": "string", "format": "uri", "pattern": "^https?://"})
        | {"maxItems": params.MAX_URLS}
    }
) | {"additionalProperties": True}

PATHS: Paths = {
    "/v1/pages": {
        "get": operation(
            "What the model knows of one page",
            READ,
            {200: ref("Page")},
            (404, 422, *KEYED),
            parameters=[_URL],
        ),
        "post": operation(
            "What the model knows of many pages",
            READ,
            {200: object_of({"pages": list_of(or_null(ref("Page")))})},
            WITH_BODY,
            requestBody=body(_URLS),
        ),
    },
}
