"""[6] /v1/users, described."""

from __future__ import annotations

from service import query as params
from service.auth import ADMIN, READ
from service.openapi.parts import (
    CATEGORY_COUNTS,
    KEYED,
    SOURCE,
    TEXT,
    VISITS_AND_ACCEPTS,
    Paths,
    Schema,
    list_of,
    object_of,
    operation,
    or_null,
)

_USER = object_of(
    {
        "community": or_null(TEXT),
        "community_source": SOURCE,
        "urls": list_of(object_of({"url": TEXT} | VISITS_AND_ACCEPTS)),
        "cats": CATEGORY_COUNTS,
    }
)
_VISITOR: list[Schema] = [
    {
        "name": "user",
        "in": "query",
        "schema": {"type": "string", "minLength": 1, "maxLength": params.MAX_NAME_CHARS},
    },
    {
        "name": "ip",
        "in": "query",
        "schema": TEXT | {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
    },
]

PATHS: Paths = {
    "/v1/users": {
        "get": operation(
            "A visitor's profile", READ, {200: _USER}, (404, 422, *KEYED), parameters=_VISITOR
        ),
        "delete": operation(
            "Forget a visitor", ADMIN, {204: None}, (422, *KEYED), parameters=_VISITOR
        ),
    },
}
