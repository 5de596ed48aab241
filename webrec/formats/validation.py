"""Validation: a document of JSON values in, a checked model out, or every wrong field at once.

A document is described once, by a model made of `webrec.formats.fields`. Validation and the
published schema both come from it, so that what the schema describes is what is accepted.
``null`` for an optional field means that it is absent, and unknown fields are ignored.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails

from webrec.errors import FieldError, InvalidDocument
from webrec.formats.fields import MARKERS, PATTERN_MESSAGES, whole

_SHOWN_PATH_PART = 64
"""Characters shown of a name that the sender chose, so that a message stays short."""

_MESSAGES = {
    "missing": "is required",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a string",
    "string_unicode": "must be valid Unicode text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length:,} characters",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length:,} entries",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
}
"""What to say of each of pydantic's errors, by its type."""


class Document(BaseModel):
    """The base of the models: strict about types, and with null as absent."""

    model_config = ConfigDict(strict=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, document: object) -> object:
        if isinstance(document, dict) and None in document.values():
            return {name: value for name, value in document.items() if value is not None}
        return document

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema, with null allowed wherever a field may be absent."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        properties = schema["properties"]
        for name in properties.keys() - set(schema.get("required", ())):
            properties[name] = nullable(properties[name])
        return schema


_D = TypeVar("_D", bound=Document)


def nullable(schema: JsonSchemaValue) -> JsonSchemaValue:
    """``schema`` or null; a default of None is left out, being no more than "absent"."""
    default = {"default": schema["default"]} if schema.get("default") is not None else {}
    bare = {name: value for name, value in schema.items() if name != "default"}
    members = bare["anyOf"] if bare.keys() == {"anyOf"} else [bare]
    null = {"type": "null"}
    return {"anyOf": [*(m for m in members if m != null), null], **default}


def validated(model: type[_D], document: object, context: object) -> _D:
    """The model of a document.

    Args:
        model: what the document must be.
        document: what JSON gave.
        context: what the validators of the model's fields want to know.

    Raises:
        InvalidDocument: with every wrong field.
    """
    try:
        return model.model_validate(document, context=context)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidDocument([_field_error(each) for each in found]) from None


def _field_error(error: ErrorDetails) -> FieldError:
    path = ".".join(_path_part(part) for part in error["loc"] if part not in MARKERS)
    return FieldError(path, _message(error))


def _message(error: ErrorDetails) -> str:
    context = {name: whole(value) for name, value in error.get("ctx", {}).items()}
    if error["type"] == "string_pattern_mismatch":
        return PATTERN_MESSAGES[error["ctx"]["pattern"]]
    template = _MESSAGES.get(error["type"])
    return error["msg"] if template is None else template.format(**context)


def _path_part(part: int | str) -> str:
    text = str(part)
    return text if len(text) <= _SHOWN_PATH_PART else text[:_SHOWN_PATH_PART] + "…"
