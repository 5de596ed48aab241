"""The label a person gives to a category: the JSON document in, the label out."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from webrec.formats.fields import LETTER_PATTERN
from webrec.formats.validation import Document, validated


class SentLabel(Document):
    """The name a person gives to a category."""

    model_config = ConfigDict(title="Label")

    label: Annotated[str, Field(min_length=1, max_length=200, pattern=LETTER_PATTERN)]


def parse_label(document: object) -> str:
    """Checks the document that names a category, ``{"label": …}``.

    Raises:
        InvalidDocument: with every wrong field.
    """
    return validated(SentLabel, document, None).label.strip()
