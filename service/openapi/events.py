"""[6] /v1/events, described."""

from __future__ import annotations

from service.auth import INGEST
from service.openapi.parts import COUNT, WITH_BODY, Paths, body, list_of, object_of, operation, ref

_OUTCOME = object_of({"accepted": COUNT, "rejected": list_of(ref("Rejected"))})

PATHS: Paths = {
    "/v1/events": {
        "post": operation(
            "Record visits, accepts and descriptions of pages; durable when answered",
            INGEST,
            {202: _OUTCOME},
            WITH_BODY,
            requestBody=body({"anyOf": [ref("Event"), list_of(ref("Event"))]}, ndjson=True),
        )
    },
}
