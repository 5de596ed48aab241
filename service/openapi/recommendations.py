"""[6] /v1/recommendations, described."""

from __future__ import annotations

from algorithms import filters
from service.auth import SERVE
from service.openapi.parts import (
    COUNT,
    NAMED_CATEGORY,
    NUMBER,
    PRIORITY,
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
from service.query import MAX_DOCUMENTS

ITEM = object_of(
    {"url": TEXT, "priority": PRIORITY, "category": or_null(NAMED_CATEGORY)},
    {
        "campaign": TEXT,
        "algorithm": TEXT,
        "affinity": PRIORITY,
        "ad_priority": PRIORITY,
        "similarity": PRIORITY,
        "because": list_of(object_of({"url": TEXT, "share": NUMBER})),
        "rank_score": NUMBER,
    },
)
_PASSED_OVER = object_of({"algorithm": TEXT, "reason": TEXT})
_EXPLANATION = object_of(
    {
        "category": or_null(TEXT),
        "category_source": SOURCE,
        "community": or_null(TEXT),
        "community_source": SOURCE,
        "list": TEXT,
        "size": COUNT,
        "passed_over": list_of(_PASSED_OVER),
    }
)
ANSWER = object_of(
    {
        "id": TEXT,
        "mode": {"enum": ["related", "sponsored"]},
        "filter": {"enum": list(filters())},
        "algorithm": TEXT,
        "path": list_of(TEXT),
        "items": list_of(ref("Item")),
        "empty_reason": {
            "enum": ["no_suitable_campaign", "nothing_to_recommend", "no_model", None]
        },
        "model": or_null(TEXT),
        "degraded": {"type": "boolean"},
        "took_ms": NUMBER,
    },
    {"explain": _EXPLANATION},
)

PATHS: Paths = {
    "/v1/recommendations": {
        "post": operation(
            "Recommend URLs to a visitor of a page",
            SERVE,
            {
                200: {
                    "anyOf": [
                        ref("Answer"),
                        list_of({"anyOf": [ref("Answer"), ref("Problem")]}),
                    ]
                }
            },
            WITH_BODY,
            requestBody=body(
                {
                    "anyOf": [
                        ref("Request"),
                        {"type": "array", "maxItems": MAX_DOCUMENTS, "items": {}},
                    ]
                }
            ),
        )
    },
}
