"""[6] /v1/users: what is known of a visitor, and its end."""

from __future__ import annotations

from flask import Blueprint, Response

from service import query as params
from service.auth import ADMIN, READ, needs
from service.context import current_context
from service.responses import answer, nothing
from webrec.admin.users import get_user

blueprint = Blueprint("users", __name__)


@blueprint.get("/v1/users")
@needs(READ)
def get() -> Response:
    """A visitor's profile, what the batch knew and what happened since together."""
    return answer(get_user(current_context().engine, params.visitor()))


@blueprint.delete("/v1/users")
@needs(ADMIN)
def forget() -> Response:
    """Forget a visitor: at once here, and in the log and the totals by the next batch."""
    current_context().engine.recorder.forget(params.visitor())
    return nothing()
