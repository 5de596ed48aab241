"""[6] /v1/categories and their labels, described."""

from __future__ import annotations

from service.auth import ADMIN, READ
from service.openapi.parts import (
    BY_ID,
    COUNT,
    KEYED,
    LISTING,
    NEXT,
    NUMBER,
    TEXT,
    WITH_BODY,
    Paths,
    body,
    list_of,
    listing_of,
    object_of,
    operation,
    ref,
)
from webrec.formats.schemas import LABEL_SCHEMA

_FIELDS = {
    "id": TEXT,
    "label": TEXT,
    "label_source": {"enum": ["manual", "suggested"]},
    "keywords": list_of(TEXT),
    "size": COUNT,
    "affinity": NUMBER,
}
CATEGORY = object_of(_FIELDS)
_CATEGORY_WITH_URLS = object_of(
    _FIELDS | {"urls": list_of(object_of({"url": TEXT, "affinity": NUMBER})), "next": NEXT}
)

PATHS: Paths = {
    "/v1/categories": {
        "get": operation(
            "List the categories",
            READ,
            {200: listing_of("categories", ref("Category"))},
            (422, *KEYED),
            parameters=LISTING,
        )
    },
    "/v1/categories/{id}": {
        "get": operation(
            "One category and its list of URLs",
            READ,
            {200: _CATEGORY_WITH_URLS},
            (404, 422, *KEYED),
            parameters=LISTING,
        ),
        "parameters": BY_ID,
    },
    "/v1/categories/{id}/label": {
        "put": operation(
            "Name a category",
            ADMIN,
            {200: ref("Category")},
            (404, *WITH_BODY),
            requestBody=body(LABEL_SCHEMA),
        ),
        "parameters": BY_ID,
    },
}
