"""The types of the fields that documents have: what each accepts, and what comes out of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    Tag,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import CoreSchema

from webrec.domain.urls import canonical, canonical_ip
from webrec.formats.times import DAY_MS, MAX_TIME_MS, time_ms

_MAX_URL_LENGTH = 8_192
"""Characters of a URL: what common web servers take in a request line."""

MARKERS = frozenset(["<list>", "<text>", "<number>", "<url>", "<page>", "[key]"])
"""Parts of an error's path that are not in the document: tags of unions, and "the key itself"."""


def wire(described: Any) -> GetPydanticSchema:
    """Validates as ``described`` a field whose annotation says what comes out of it."""

    def schema(_source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(described)

    return GetPydanticSchema(schema)


def by_type(message: str, *types: tuple[str, type]) -> Discriminator:
    """Chooses the member of a union by the type of the value, so that errors speak of that one.

    Args:
        message: what to say to a value of another type.
        types: the name in the member's tag, ``<name>``, and the type of its values. Every tag
            is one of `MARKERS`.
    """
    tags = {type_: f"<{name}>" for name, type_ in types}

    def tag(value: object) -> str | None:
        return tags.get(type(value))

    return Discriminator(tag, custom_error_type="wrong_type", custom_error_message=message)


def whole(number: object) -> object:
    """Makes 10.0 an integer, as JSON Schema counts it."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _not_ahead(at_ms: int, info: ValidationInfo) -> int:
    """Refuses a time more than a day after now, which is the validation's context."""
    now_ms: Any = info.context
    if at_ms > now_ms + DAY_MS:
        raise ValueError("must not be more than a day ahead of now")
    return at_ms


def _keywords(given: list[str] | str) -> tuple[str, ...]:
    words = given.split(",") if isinstance(given, str) else given
    return tuple(stripped for word in words if (stripped := word.strip()))


# White space before a URL and any case of the scheme are what the URL standard allows.
_URL_PATTERN = r"^\s*[Hh][Tt][Tt][Pp][Ss]?:"
_ID_PATTERN = r"^[A-Za-z0-9._-]+$"
_TIME_PATTERN = (
    r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?$"
)
LETTER_PATTERN = r"\S"
PATTERN_MESSAGES = {
    _URL_PATTERN: "the URL must start with http:// or https://",
    _ID_PATTERN: "must have letters, digits, '.', '_' and '-' only",
    _TIME_PATTERN: "must be ISO 8601, like 2026-01-31T12:00:00Z, from 1970 on",
    LETTER_PATTERN: "must not be blank",
}
"""What to say of a text that a field's pattern does not match."""

UrlText = Annotated[
    str,
    Field(max_length=_MAX_URL_LENGTH, pattern=_URL_PATTERN, json_schema_extra={"format": "uri"}),
]
Url = Annotated[UrlText, AfterValidator(canonical)]
Ip = Annotated[
    str,
    AfterValidator(canonical_ip),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
]
Name = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(max_length=10_000), AfterValidator(str.strip)]
Environment = Annotated[
    dict[Annotated[str, Field(max_length=256)], Annotated[str, Field(max_length=10_000)]],
    Field(max_length=1_000),
]
CampaignId = Annotated[str, Field(min_length=1, max_length=128, pattern=_ID_PATTERN)]

# Whatever the text can hold fits into the list, as which campaigns are written out.
_KeywordText = Annotated[str, Field(max_length=10_000)]
_KeywordList = Annotated[list[_KeywordText], Field(max_length=10_000)]
Keywords = Annotated[
    tuple[str, ...],
    wire(
        Annotated[
            Annotated[_KeywordList, Tag("<list>")] | Annotated[_KeywordText, Tag("<text>")],
            by_type(
                "must be a list of strings, or one string with commas between",
                ("list", list),
                ("text", str),
            ),
            AfterValidator(_keywords),
        ]
    ),
]

_IsoTime = Annotated[str, Field(pattern=_TIME_PATTERN)]
_EpochTime = Annotated[float, Field(ge=0, le=MAX_TIME_MS, allow_inf_nan=False)]
Time = Annotated[
    int,
    wire(
        Annotated[
            Annotated[_IsoTime, Tag("<text>")] | Annotated[_EpochTime, Tag("<number>")],
            by_type(
                "must be ISO 8601, or seconds or milliseconds since 1970",
                ("text", str),
                ("number", int),
                ("number", float),
            ),
            AfterValidator(time_ms),
        ]
    ),
]
PastTime = Annotated[Time, AfterValidator(_not_ahead)]
