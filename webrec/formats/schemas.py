"""The JSON Schemas that are published: out of the models that validate, so that they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from webrec.formats.campaigns import SentCampaign
from webrec.formats.events import SentEvent
from webrec.formats.labels import SentLabel
from webrec.formats.requests import SentRequest
from webrec.formats.validation import Document, nullable


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles of fields: they only repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - an override
        return False


def _json_schema(model: type[Document]) -> dict[str, Any]:
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
        "properties": {**properties, "id": nullable(properties["id"])},
        "required": [name for name in campaign["required"] if name != "id"],
    }


REQUEST_SCHEMA = _json_schema(SentRequest)
EVENT_SCHEMA = _json_schema(SentEvent)
CAMPAIGN_SCHEMA = _json_schema(SentCampaign)
LABEL_SCHEMA = _json_schema(SentLabel)
NAMED_CAMPAIGN_SCHEMA = _with_optional_id(CAMPAIGN_SCHEMA)
"""The campaign document where the request's path names the id."""
