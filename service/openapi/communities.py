"""[6] /v1/communities, described."""

from __future__ import annotations

from service.auth import READ
from service.openapi.parts import (
    BY_ID,
    CATEGORY_COUNTS,
    COUNT,
    KEYED,
    LISTING,
    NEXT,
    NUMBER,
    TEXT,
    VISITS_AND_ACCEPTS,
    Paths,
    list_of,
    listing_of,
    object_of,
    operation,
)

_COMMUNITY = object_of(
    {
        "id": TEXT,
        "size": COUNT,
        "urls": list_of(object_of({"url": TEXT} | VISITS_AND_ACCEPTS | {"rank_score": NUMBER})),
        "cats": CATEGORY_COUNTS,
        "next": NEXT,
    }
)

PATHS: Paths = {
    "/v1/communities": {
        "get": operation(
            "List the communities",
            READ,
            {200: listing_of("communities", object_of({"id": TEXT, "size": COUNT}))},
            (422, *KEYED),
            parameters=LISTING,
        )
    },
    "/v1/communities/{id}": {
        "get": operation(
            "One community, its list of URLs and its categories",
            READ,
            {200: _COMMUNITY},
            (404, 422, *KEYED),
            parameters=LISTING,
        ),
        "parameters": BY_ID,
    },
}
