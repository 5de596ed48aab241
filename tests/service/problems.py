"""What every problem looks like."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from werkzeug.test import TestResponse

PROBLEM = "application/problem+json"
FIELDS = {"type", "title", "status", "detail", "request_id"}


def problem_of(response: TestResponse, status: int, *more: str) -> dict[str, Any]:
    """The problem in an answer, after a look at its form; ``more`` are its further fields."""
    assert response.status_code == status, response.text
    assert response.mimetype == PROBLEM
    document: dict[str, Any] = response.get_json(force=True)
    assert_problem(document, status, *more)
    assert response.headers["X-Request-Id"] == document["request_id"]
    return document


def assert_problem(document: dict[str, Any], status: int, *more: str) -> None:
    """Hold a problem against RFC 9457 and the interface."""
    assert document.keys() == FIELDS | set(more), document
    assert document["status"] == HTTPStatus(status)
    assert document["type"] == "about:blank"
    assert document["title"]
    assert document["detail"]
    assert document["request_id"]


def wrong_fields(response: TestResponse) -> set[str]:
    """The fields that a 422 names, each with a message."""
    errors = problem_of(response, 422, "errors")["errors"]
    assert all(error.keys() == {"field", "message"} and error["message"] for error in errors)
    return {error["field"] for error in errors}
