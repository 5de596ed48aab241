"""The JSON documents that users send: reading, validating, and their JSON Schemas.

A document is described once, by a model here. Validation and the published schema both come from
it, so that what the schema describes is what is accepted. ``null`` for an optional field means
that it is absent, unknown fields are ignored, and every wrong field is reported at once.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple, TypeVar

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    GetPydanticSchema,
    Tag,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails

from webrec.domain.robots import is_bot
from webrec.domain.types import AdPage, Campaign, Event, EventKind, Filter, Mode, Page
from webrec.domain.urls import canonical, canonical_ip
from webrec.errors import FieldError, InvalidDocument, NotJson

MAX_URL_LENGTH = 8_192
DAY_MS = 86_400_000
MAX_TIME_MS = 253_402_300_799_999
"""The last millisecond of the year 9999: what ISO 8601 can still write with four digits."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# As seconds this is the year 5138, as milliseconds 1973: nobody means either.
_FIRST_MILLISECONDS = 100_000_000_000

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN_PATH_PART = 64


# --- bytes ---------------------------------------------------------------------------------------


def read_json(body: bytes) -> object:
    """Reads one JSON document.

    Raises:
        NotJson: ``body`` is no JSON in UTF-8; the message says where.
    """
    try:
        document: object = orjson.loads(body.removeprefix(_BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise NotJson(_fault(body, where, error)) from None
    return document


def iter_ndjson(body: bytes) -> Iterator[tuple[int, object | NotJson]]:
    """Reads newline-delimited JSON.

    Yields:
        The index of the line, from 0 and not counting blank ones, and its document, or the error
        where the line is no JSON.
    """
    index = 0
    for line in io.BytesIO(body.removeprefix(_BYTE_ORDER_MARK)):
        if not line.isspace():
            yield index, _read_line(line)
            index += 1


def _read_line(line: bytes) -> object | NotJson:
    try:
        document: object = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return NotJson(_fault(line, f"column {error.colno}", error))
    return document


def _fault(body: bytes, where: str, error: orjson.JSONDecodeError) -> str:
    """What is wrong with ``body``; the place of a wrong byte is not in orjson's error."""
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        return f"byte {wrong.start + 1} is not UTF-8"
    return f"{where}: {error.msg}"


# --- fields --------------------------------------------------------------------------------------


def _wire(described: Any) -> GetPydanticSchema:
    """Validates as ``described`` a field whose annotation says what comes out of it."""

    def schema(_source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(described)

    return GetPydanticSchema(schema)


def _by_type(message: str, *types: tuple[str, type]) -> Discriminator:
    """Chooses the member of a union by the type of the value, so that errors speak of that one.

    Args:
        message: what to say to a value of another type.
        types: the name in the member's tag, ``<name>``, and the type of its values.
    """
    tags = {type_: f"<{name}>" for name, type_ in types}

    def tag(value: object) -> str | None:
        return tags.get(type(value))

    return Discriminator(tag, custom_error_type="wrong_type", custom_error_message=message)


def _time_ms(time: str | float) -> int:
    """Milliseconds since the epoch of an ISO 8601 string, or of epoch seconds or milliseconds.

    Raises:
        ValueError: no such date, or one that falls out of 1970 to 9999 by its zone.
    """
    ms = _iso_ms(time) if isinstance(time, str) else _epoch_ms(time)
    if not 0 <= ms <= MAX_TIME_MS:
        raise ValueError("must be a time between 1970 and 9999")
    return ms


def _iso_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("must be a date that exists") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def _epoch_ms(number: float) -> int:
    return round(number if number >= _FIRST_MILLISECONDS else number * 1000)


def _not_ahead(at_ms: int, info: ValidationInfo) -> int:
    """Refuses a time more than a day after now, which is the validation's context."""
    now_ms: Any = info.context
    if at_ms > now_ms + DAY_MS:
        raise ValueError("must not be more than a day ahead of now")
    return at_ms


def _keywords(given: list[str] | str) -> tuple[str, ...]:
    words = given.split(",") if isinstance(given, str) else given
    return tuple(stripped for word in words if (stripped := word.strip()))


def _whole(number: object) -> object:
    """Makes 10.0 an integer, as JSON Schema counts it."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _bare_ad(shown: str) -> AdPage:
    return AdPage(shown, Page(canonical(shown)))


def _described_ad(described: _PageObject) -> AdPage:
    ad = described.url
    text = replace(
        ad.page,
        title=described.title,
        keywords=described.keywords,
        description=described.description,
    )
    return AdPage(ad.shown, text)


def _is_named_id(campaign_id: str, info: ValidationInfo) -> str:
    """Refuses another id than the one in the request's path, which is the validation's context."""
    if info.context not in (None, campaign_id):
        raise ValueError("must be the id in the path, or left out")
    return campaign_id


def _after_starts(ends_ms: int, info: ValidationInfo) -> int:
    starts_ms = info.data.get("starts")
    if starts_ms is not None and ends_ms <= starts_ms:
        raise ValueError("must be after starts")
    return ends_ms


# White space before a URL and any case of the scheme are what the URL standard allows.
_URL_PATTERN = r"^\s*[Hh][Tt][Tt][Pp][Ss]?:"
_ID_PATTERN = r"^[A-Za-z0-9._-]+$"
_TIME_PATTERN = (
    r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?$"
)
_LETTER_PATTERN = r"\S"
_PATTERN_MESSAGES = {
    _URL_PATTERN: "the URL must start with http:// or https://",
    _ID_PATTERN: "must have letters, digits, '.', '_' and '-' only",
    _TIME_PATTERN: "must be ISO 8601, like 2026-01-31T12:00:00Z, from 1970 on",
    _LETTER_PATTERN: "must not be blank",
}

_UrlText = Annotated[
    str,
    Field(max_length=MAX_URL_LENGTH, pattern=_URL_PATTERN, json_schema_extra={"format": "uri"}),
]
_Url = Annotated[_UrlText, AfterValidator(canonical)]
_Ip = Annotated[
    str,
    AfterValidator(canonical_ip),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
]
_Name = Annotated[str, Field(min_length=1, max_length=256)]
_Text = Annotated[str, Field(max_length=10_000), AfterValidator(str.strip)]
_Environment = Annotated[
    dict[Annotated[str, Field(max_length=256)], Annotated[str, Field(max_length=10_000)]],
    Field(max_length=1_000),
]
# Whatever the text can hold fits into the list, as which campaigns are written out.
_KeywordText = Annotated[str, Field(max_length=10_000)]
_KeywordList = Annotated[list[_KeywordText], Field(max_length=10_000)]
_Keywords = Annotated[
    tuple[str, ...],
    _wire(
        Annotated[
            Annotated[_KeywordList, Tag("<list>")] | Annotated[_KeywordText, Tag("<text>")],
            _by_type(
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
_Time = Annotated[
    int,
    _wire(
        Annotated[
            Annotated[_IsoTime, Tag("<text>")] | Annotated[_EpochTime, Tag("<number>")],
            _by_type(
                "must be ISO 8601, or seconds or milliseconds since 1970",
                ("text", str),
                ("number", int),
                ("number", float),
            ),
            AfterValidator(_time_ms),
        ]
    ),
]
_PastTime = Annotated[_Time, AfterValidator(_not_ahead)]
_CampaignId = Annotated[str, Field(min_length=1, max_length=128, pattern=_ID_PATTERN)]


# --- models --------------------------------------------------------------------------------------


class _Document(BaseModel):
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
            properties[name] = _nullable(properties[name])
        return schema


def _nullable(schema: JsonSchemaValue) -> JsonSchemaValue:
    """``schema`` or null; a default of None is left out, being no more than "absent"."""
    default = {"default": schema["default"]} if schema.get("default") is not None else {}
    bare = {name: value for name, value in schema.items() if name != "default"}
    members = bare["anyOf"] if bare.keys() == {"anyOf"} else [bare]
    null = {"type": "null"}
    return {"anyOf": [*(m for m in members if m != null), null], **default}


class _Sent(_Document):
    url: _Url
    user: _Name | None = None
    ip: _Ip | None = None
    timestamp: _PastTime | None = None
    environment: _Environment = {}
    keywords: _Keywords = ()
    description: _Text = ""
    title: _Text = ""

    @property
    def visitor(self) -> str | None:
        """The visitor key; the login id counts where both identities are given."""
        if self.user is not None:
            return f"u:{self.user}"
        return None if self.ip is None else f"i:{self.ip}"


class _Request(_Sent):
    """The HTTP-request document of the visitor who will see the recommendations."""

    model_config = ConfigDict(title="Recommendation request")

    mode: Mode = "related"
    filter: Filter | None = None
    limit: Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole)] = 10
    exclude: Annotated[list[_Url], Field(max_length=100)] = []
    campaigns: Annotated[list[_CampaignId], Field(max_length=10_000)] | None = None
    repeat: bool | None = None
    fill: bool | None = None
    track: bool = True
    explain: bool = False
    tmax: Annotated[int, Field(ge=1, le=60_000), BeforeValidator(_whole)] | None = None


class _Event(_Sent):
    """Something a visitor did, or what a page says of itself."""

    model_config = ConfigDict(title="Event")

    type: EventKind
    event_id: _Name | None = None
    answer: Annotated[str, Field(max_length=256)] | None = None


class _Label(_Document):
    """The name a person gives to a category."""

    label: Annotated[str, Field(min_length=1, max_length=200, pattern=_LETTER_PATTERN)]


class _PageObject(_Document):
    """A landing page with its text, so that it can be categorised before anybody visits it."""

    model_config = ConfigDict(title="Page")

    url: Annotated[AdPage, _wire(Annotated[_UrlText, AfterValidator(_bare_ad)])]
    keywords: _Keywords = ()
    description: _Text = ""
    title: _Text = ""


_Ad = Annotated[
    AdPage,
    _wire(
        Annotated[
            Annotated[_UrlText, AfterValidator(_bare_ad), Tag("<url>")]
            | Annotated[_PageObject, AfterValidator(_described_ad), Tag("<page>")],
            _by_type("must be a URL, or an object with one in url", ("url", str), ("page", dict)),
        ]
    ),
]


class _Campaign(_Document):
    """An advertiser's landing pages and when to show them."""

    model_config = ConfigDict(title="Campaign")

    id: Annotated[_CampaignId, AfterValidator(_is_named_id)]
    urls: Annotated[list[_Ad], Field(min_length=1, max_length=10_000)]
    priority: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    name: Annotated[str, Field(max_length=1_000)] | None = None
    starts: _Time | None = None
    ends: Annotated[_Time, AfterValidator(_after_starts)] | None = None
    active: bool = True


# --- errors --------------------------------------------------------------------------------------

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


def _field_error(error: ErrorDetails) -> FieldError:
    path = ".".join(_path_part(part) for part in error["loc"] if not _is_marker(part))
    return FieldError(path, _message(error))


def _message(error: ErrorDetails) -> str:
    context = {name: _whole(value) for name, value in error.get("ctx", {}).items()}
    if error["type"] == "string_pattern_mismatch":
        return _PATTERN_MESSAGES[error["ctx"]["pattern"]]
    template = _MESSAGES.get(error["type"])
    return error["msg"] if template is None else template.format(**context)


def _is_marker(part: int | str) -> bool:
    """Whether ``part`` is a union's tag or says "the key itself": not in the user's document."""
    return part in {"<list>", "<text>", "<number>", "<url>", "<page>", "[key]"}


def _path_part(part: int | str) -> str:
    text = str(part)
    return text if len(text) <= _SHOWN_PATH_PART else text[:_SHOWN_PATH_PART] + "…"


_M = TypeVar("_M", bound=_Document)


def _validated(model: type[_M], document: object, context: object) -> _M:
    try:
        return model.model_validate(document, context=context)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidDocument([_field_error(each) for each in found]) from None


# --- what comes out ------------------------------------------------------------------------------


class RequestDocument(NamedTuple):
    """A recommendation request, checked and with its defaults filled in.

    Attributes:
        url: canonical.
        visitor: visitor key, or None for an anonymous visitor.
        at_ms: when the page was asked for.
        environment: what else the sender told (user agent, referrer, …).
        title, keywords, description: the page's own words; empty where not sent.
        filter: None where the setting decides.
        exclude: canonical URLs.
        campaigns: ids of the only campaigns to choose from; all where it names none.
        repeat: whether visited URLs may be shown; None where the mode decides.
        fill: whether a list that is too short is filled up; None where the setting decides.
        track: whether the visit is recorded.
        explain: whether the answer says how it came about.
        tmax_ms: how long the answer may take; None where the setting decides.
    """

    url: str
    visitor: str | None
    at_ms: int
    environment: Mapping[str, str]
    title: str
    keywords: tuple[str, ...]
    description: str
    mode: Mode
    filter: Filter | None
    limit: int
    exclude: tuple[str, ...]
    campaigns: tuple[str, ...] | None
    repeat: bool | None
    fill: bool | None
    track: bool
    explain: bool
    tmax_ms: int | None

    @property
    def user_agent(self) -> str | None:
        """The visitor's user agent, where the sender told it."""
        return self.environment.get("user_agent")

    @property
    def page(self) -> Page | None:
        """The page with the text that was sent of it; None where none was."""
        if not (self.title or self.keywords or self.description):
            return None
        return Page(self.url, self.title, self.keywords, self.description)

    def event(self) -> Event:
        """The visit that the request stands for."""
        return Event(
            kind="visit",
            url=self.url,
            visitor=self.visitor,
            at_ms=self.at_ms,
            title=self.title,
            keywords=self.keywords,
            description=self.description,
            bot=is_bot(self.user_agent),
            environment=self.environment,
        )


def parse_request(document: object, now_ms: int) -> RequestDocument:
    """Checks the document of a recommendation request.

    Args:
        document: what JSON gave.
        now_ms: the time of a request that names none.

    Raises:
        InvalidDocument: with every wrong field.
    """
    sent = _validated(_Request, document, now_ms)
    return RequestDocument(
        url=sent.url,
        visitor=sent.visitor,
        at_ms=now_ms if sent.timestamp is None else sent.timestamp,
        environment=sent.environment,
        title=sent.title,
        keywords=sent.keywords,
        description=sent.description,
        mode=sent.mode,
        filter=sent.filter,
        limit=sent.limit,
        exclude=tuple(sent.exclude),
        campaigns=None if sent.campaigns is None else tuple(sent.campaigns),
        repeat=sent.repeat,
        fill=sent.fill,
        track=sent.track,
        explain=sent.explain,
        tmax_ms=sent.tmax,
    )


def parse_event(document: object, now_ms: int) -> Event:
    """Checks the document of an event.

    Args:
        document: what JSON gave.
        now_ms: the time of an event that names none.

    Raises:
        InvalidDocument: with every wrong field.
    """
    sent = _validated(_Event, document, now_ms)
    return Event(
        kind=sent.type,
        url=sent.url,
        visitor=sent.visitor,
        at_ms=now_ms if sent.timestamp is None else sent.timestamp,
        event_id=sent.event_id,
        title=sent.title,
        keywords=sent.keywords,
        description=sent.description,
        bot=is_bot(sent.environment.get("user_agent")),
        answer=sent.answer or None,
        environment=sent.environment,
    )


def parse_campaign(document: object, id: str | None = None) -> Campaign:  # noqa: A002 - its name
    """Checks the document of a campaign.

    Args:
        document: what JSON gave.
        id: the id that the request's path names; the document may then leave it out.

    Raises:
        InvalidDocument: with every wrong field.
    """
    if id is not None and isinstance(document, dict) and document.get("id") is None:
        document = {**document, "id": id}
    sent = _validated(_Campaign, document, id)
    return Campaign(
        id=sent.id,
        ads=tuple(sent.urls),
        priority=sent.priority,
        name=sent.name,
        starts_ms=sent.starts,
        ends_ms=sent.ends,
        active=sent.active,
    )


def parse_label(document: object) -> str:
    """Checks the document that names a category, ``{"label": …}``.

    Raises:
        InvalidDocument: with every wrong field.
    """
    return _validated(_Label, document, None).label.strip()


def campaign_document(campaign: Campaign) -> dict[str, object]:
    """The document of a campaign: ``parse_campaign`` makes the same campaign of it."""
    optional = {
        "name": campaign.name,
        "starts": None if campaign.starts_ms is None else iso(campaign.starts_ms),
        "ends": None if campaign.ends_ms is None else iso(campaign.ends_ms),
    }
    return {
        "id": campaign.id,
        "urls": [_ad_document(ad) for ad in campaign.ads],
        "priority": campaign.priority,
        **{name: value for name, value in optional.items() if value is not None},
        "active": campaign.active,
    }


def _ad_document(ad: AdPage) -> str | dict[str, object]:
    if not ad.page.has_text:
        return ad.shown
    words = {
        "title": ad.page.title,
        "keywords": list(ad.page.keywords),
        "description": ad.page.description,
    }
    return {"url": ad.shown, **{name: value for name, value in words.items() if value}}


def iso(time_ms: int) -> str:
    """A moment as ISO 8601 in UTC, to the millisecond."""
    moment = _EPOCH + time_ms * _MILLISECOND
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- schemas -------------------------------------------------------------------------------------


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles of fields: they only repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - an override
        return False


def _json_schema(model: type[_Document]) -> dict[str, Any]:
    """The JSON Schema of ``model``, without references, so that it can stand anywhere."""
    schema = model.model_json_schema(schema_generator=_Untitled)
    definitions = schema.pop("$defs", {})
    inlined: dict[str, Any] = _inlined(schema, definitions)
    return inlined


def _inlined(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(each, definitions) for name, each in node.items()}


def _with_optional_id(campaign: Mapping[str, Any]) -> dict[str, Any]:
    properties = campaign["properties"]
    return {
        **campaign,
        "properties": {**properties, "id": _nullable(properties["id"])},
        "required": [name for name in campaign["required"] if name != "id"],
    }


REQUEST_SCHEMA = _json_schema(_Request)
EVENT_SCHEMA = _json_schema(_Event)
CAMPAIGN_SCHEMA = _json_schema(_Campaign)
LABEL_SCHEMA = _json_schema(_Label)
NAMED_CAMPAIGN_SCHEMA = _with_optional_id(CAMPAIGN_SCHEMA)
"""The campaign document where the request's path names the id."""
