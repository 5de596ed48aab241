"""[6] What operators and their machines ask: health, version, metrics. No key needed."""

from __future__ import annotations

from importlib.metadata import version

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from service.context import current_context
from service.openapi.document import openapi_document
from service.responses import answer
from webrec.admin.operation import readiness

blueprint = Blueprint("operation", __name__)


@blueprint.get("/health/live")
def live() -> Response:
    """The process answers."""
    return answer({"status": "ok"})


@blueprint.get("/health/ready")
def ready() -> Response:
    """Store, log and model are there; else 503 and what is wrong."""
    checks = readiness(current_context().engine)
    is_ready = all(check["ok"] for check in checks.values())
    shown = {"status": "ready" if is_ready else "not ready", "checks": checks}
    return answer(shown) if is_ready else answer(shown, 503, {"Retry-After": "1"})


@blueprint.get("/version")
def version_() -> Response:
    """The version of webrec."""
    return answer({"version": version("webrec")})


@blueprint.get("/metrics")
def metrics() -> Response:
    """Metrics in Prometheus's text format."""
    return Response(current_context().metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """This interface, as OpenAPI 3.1."""
    return answer(openapi_document())
