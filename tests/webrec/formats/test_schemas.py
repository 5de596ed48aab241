"""The JSON Schemas describe what is accepted."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrec.formats.samples import (
    NOW,
    URL,
    bad_ids,
    bad_urls,
    ids,
    iso_times,
    keywords,
    mostly,
    odd_times,
    page_objects,
    times,
    urls,
    words,
)
from webrec.errors import InvalidDocument
from webrec.formats.campaigns import parse_campaign
from webrec.formats.events import parse_event
from webrec.formats.requests import parse_request
from webrec.formats.schemas import (
    CAMPAIGN_SCHEMA,
    EVENT_SCHEMA,
    NAMED_CAMPAIGN_SCHEMA,
    REQUEST_SCHEMA,
)

_junk = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 200) | st.floats(-1e9, 1e9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
_sent = {
    "url": mostly(urls, bad_urls),
    "user": st.text(max_size=3),
    "ip": st.ip_addresses().map(str),
    "timestamp": mostly(times, odd_times),
    "environment": st.dictionaries(words, words, max_size=3),
    "keywords": keywords,
    "description": words,
    "title": words,
}
_FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "request": {
        **_sent,
        "mode": mostly(st.sampled_from(["related", "sponsored"]), st.just("x")),
        "filter": mostly(st.sampled_from(["content", "collaborative"]), st.just("")),
        "limit": mostly(st.sampled_from([1, 100, 10.0]), st.sampled_from([0, 101, 1.5])),
        "exclude": st.lists(mostly(urls, bad_urls), max_size=3),
        "campaigns": st.lists(mostly(ids, bad_ids), max_size=2),
        "repeat": st.booleans(),
        "track": st.booleans(),
        "explain": st.booleans(),
    },
    "event": {
        **_sent,
        "type": mostly(st.sampled_from(["visit", "accept", "page"]), st.just("click")),
        "event_id": st.text(max_size=3),
        "answer": st.text(max_size=3),
    },
    "campaign": {
        "id": mostly(ids, bad_ids),
        "urls": st.lists(mostly(urls | page_objects, bad_urls), max_size=3),
        "priority": mostly(st.sampled_from([0, 0.5, 1]), st.sampled_from([-1, 1.01])),
        "name": words,
        "starts": mostly(iso_times, odd_times),
        "ends": mostly(st.just("2030-01-01"), st.sampled_from([1e18, "never", True, []])),
        "active": st.booleans(),
    },
}
_SCHEMAS = {"request": REQUEST_SCHEMA, "event": EVENT_SCHEMA, "campaign": CAMPAIGN_SCHEMA}
_VALIDATORS = {
    kind: jsonschema_rs.Draft202012Validator(
        schema,
        # The URL standard allows more than "uri" does, which is there to tell readers.
        formats={"uri": lambda _: True},
        validate_formats=True,
    )
    for kind, schema in _SCHEMAS.items()
}


@st.composite
def _nearly_right(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A document whose fields are mostly right; some are missing, null, or anything at all."""
    fields = _FIELDS[kind]
    required = _SCHEMAS[kind]["required"]
    document = {
        name: draw(strategy)
        for name, strategy in fields.items()
        if draw(st.integers(0, 20)) < (20 if name in required else 7)
    }
    if draw(st.booleans()):
        # No schema can say that "ends" is after "starts", so it is never just any number.
        document[draw(st.sampled_from(sorted(fields.keys() - {"ends"})))] = draw(_junk)
    return document


def _is_accepted(kind: str, document: object) -> bool:
    try:
        if kind == "campaign":
            parse_campaign(document)
        elif kind == "event":
            parse_event(document, NOW)
        else:
            parse_request(document, NOW)
    except InvalidDocument:
        return False
    return True


@pytest.mark.parametrize("kind", _SCHEMAS)
@given(data=st.data())
def test_schema_describes_what_is_accepted(kind: str, data: st.DataObject) -> None:
    """A document is accepted if, and only if, it matches the schema."""
    document = data.draw(_nearly_right(kind) | _junk)
    assert _is_accepted(kind, document) == _VALIDATORS[kind].is_valid(document)


@pytest.mark.parametrize("schema", [*_SCHEMAS.values(), NAMED_CAMPAIGN_SCHEMA])
def test_schema_stands_alone(schema: dict[str, Any]) -> None:
    """Each schema is valid, plain JSON, and refers to nothing outside itself."""
    jsonschema_rs.meta.validate(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    )
    text = json.dumps(schema)
    assert "$ref" not in text
    assert "$defs" not in text


def test_optional_id() -> None:
    """Where the path names the campaign its schema does without the id."""
    validator = jsonschema_rs.Draft202012Validator(NAMED_CAMPAIGN_SCHEMA)
    document = {"urls": [URL], "priority": 0}
    assert validator.is_valid(document)
    assert validator.is_valid({**document, "id": None})
    assert not validator.is_valid({**document, "id": "a b"})
    assert not jsonschema_rs.is_valid(CAMPAIGN_SCHEMA, document)


def test_defaults_are_told() -> None:
    """Readers of the schema see the defaults."""
    properties = REQUEST_SCHEMA["properties"]
    assert (properties["limit"]["default"], properties["mode"]["default"]) == (10, "related")
