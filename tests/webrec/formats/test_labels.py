"""The document that names a category."""

import pytest

from webrec.errors import FieldError, InvalidDocument
from webrec.formats.labels import parse_label


def test_label() -> None:
    """White space around a label is no part of it; other fields are ignored."""
    assert parse_label({"label": " Travel by sea ", "id": 3}) == "Travel by sea"


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({}, FieldError("label", "is required")),
        ({"label": None}, FieldError("label", "is required")),
        ({"label": ""}, FieldError("label", "must not be empty")),
        ({"label": " \t"}, FieldError("label", "must not be blank")),
        ({"label": "x" * 201}, FieldError("label", "must have at most 200 characters")),
        ({"label": 5}, FieldError("label", "must be a string")),
        ("Travel", FieldError("", "must be an object")),
    ],
)
def test_wrong_label(document: object, error: FieldError) -> None:
    """A label without a letter, or none at all, is refused with what to do about it."""
    with pytest.raises(InvalidDocument) as raised:
        parse_label(document)
    assert raised.value.errors == (error,)
