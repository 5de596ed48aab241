"""[1] Events as they are sent: the JSON document in, an `Event` for the raw log out.

A recommendation request stands for a visit, so the fields that it shares with an event are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import ConfigDict, Field

from webrec.domain.event_kinds import EventKind
from webrec.domain.robots import is_bot
from webrec.domain.types import Event
from webrec.formats.fields import Environment, Ip, Keywords, Name, PastTime, Text, Url
from webrec.formats.validation import Document, validated

PageView: TypeAlias = tuple[str, str | None, int, Mapping[str, str], str, tuple[str, ...], str]
"""What a request and an event have in common.

Canonical URL, visitor key or None, moment (ms), environment, and the page's title, keywords and
description. A plain tuple: it is made for every request, and a named one takes 5 % of its parsing.
"""


class SentPageView(Document):
    """The fields that requests and events share: which page, who, when, and the page's text."""

    url: Url
    user: Name | None = None
    ip: Ip | None = None
    timestamp: PastTime | None = None
    environment: Environment = Field(default={})
    keywords: Keywords = ()
    description: Text = ""
    title: Text = ""

    @property
    def visitor(self) -> str | None:
        """The visitor key; the login id counts where both identities are given."""
        if self.user is not None:
            return f"u:{self.user}"
        return None if self.ip is None else f"i:{self.ip}"

    def page_view(self, now_ms: int) -> PageView:
        """The shared fields.

        Args:
            now_ms: the moment where none was sent.
        """
        return (
            self.url,
            self.visitor,
            now_ms if self.timestamp is None else self.timestamp,
            self.environment,
            self.title,
            self.keywords,
            self.description,
        )


class SentEvent(SentPageView):
    """Something a visitor did, or what a page says of itself."""

    model_config = ConfigDict(title="Event")

    type: EventKind
    event_id: Name | None = None
    answer: Annotated[str, Field(max_length=256)] | None = None


def parse_event(document: object, now_ms: int) -> Event:
    """Checks the document of an event.

    Args:
        document: what JSON gave.
        now_ms: the time of an event that names none.

    Raises:
        InvalidDocument: with every wrong field.
    """
    sent = validated(SentEvent, document, now_ms)
    return event_of(sent.type, sent.page_view(now_ms), sent.event_id, sent.answer or None)


def event_of(
    kind: EventKind, page_view: PageView, event_id: str | None = None, answer: str | None = None
) -> Event:
    """The event of a page view, with the robots marked."""
    url, visitor, at_ms, environment, title, keywords, description = page_view
    return Event(
        kind=kind,
        url=url,
        visitor=visitor,
        at_ms=at_ms,
        event_id=event_id,
        title=title,
        keywords=keywords,
        description=description,
        bot=is_bot(environment.get("user_agent")),
        answer=answer,
        environment=environment,
    )
