"""[6] Health, version, metrics and the document itself, described: open to everyone."""

from __future__ import annotations

from service.openapi.parts import TEXT, Paths, object_of, operation, ref

CHECK = object_of({"ok": {"type": "boolean"}}, {"detail": TEXT})
_READINESS = object_of(
    {
        "status": {"enum": ["ready", "not ready"]},
        "checks": {"type": "object", "additionalProperties": ref("Check")},
    }
)

PATHS: Paths = {
    "/health/live": {
        "get": operation("The process answers", (), {200: object_of({"status": TEXT})})
    },
    "/health/ready": {
        "get": operation("Store, log and model are there", (), {200: _READINESS, 503: _READINESS})
    },
    "/version": {"get": operation("The version", (), {200: object_of({"version": TEXT})})},
    "/metrics": {
        "get": operation("Metrics", (), {})
        | {"responses": {"200": {"description": "as asked", "content": {"text/plain": {}}}}}
    },
    "/openapi.json": {"get": operation("This document", (), {200: {"type": "object"}})},
}
