"""[4] Recommendation requests: the JSON document in, a checked request with its defaults out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, ConfigDict, Field

from algorithms import filters
from webrec.domain.types import Event, Mode, Page
from webrec.formats.events import SentPageView, event_of
from webrec.formats.fields import CampaignId, Url, whole
from webrec.formats.validation import validated

if TYPE_CHECKING:
    _Filter = str
else:  # what the algorithms say, so that a new one is named in requests and in their schema
    _Filter = Literal[filters()]


class SentRequest(SentPageView):
    """The HTTP-request document of the visitor who will see the recommendations."""

    model_config = ConfigDict(title="Recommendation request")

    mode: Mode = "related"
    filter: _Filter | None = None
    limit: Annotated[int, Field(ge=1, le=100), BeforeValidator(whole)] = 10
    exclude: Annotated[list[Url], Field(max_length=100)] = Field(default=[])
    campaigns: Annotated[list[CampaignId], Field(max_length=10_000)] | None = None
    repeat: bool | None = None
    fill: bool | None = None
    track: bool = True
    explain: bool = False
    tmax: Annotated[int, Field(ge=1, le=60_000), BeforeValidator(whole)] | None = None


class RequestDocument(NamedTuple):
    """A recommendation request, checked and with its defaults filled in.

    The first seven fields are those of `webrec.formats.events.PageView`, in its order.

    Attributes:
        url: canonical.
        visitor: visitor key, or None for an anonymous visitor.
        at_ms: when the page was asked for.
        environment: what else the sender knows of the visitor (user agent, referrer, …).
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
    filter: str | None
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
        """The visitor's user agent, where the sender gave it."""
        return self.environment.get("user_agent")

    @property
    def page(self) -> Page | None:
        """The page with the text that was sent of it; None where none was."""
        if not (self.title or self.keywords or self.description):
            return None
        return Page(self.url, self.title, self.keywords, self.description)

    def event(self) -> Event:
        """The visit that the request stands for."""
        return event_of("visit", self[:7])


def parse_request(document: object, now_ms: int) -> RequestDocument:
    """Checks the document of a recommendation request.

    Args:
        document: what JSON gave.
        now_ms: the time of a request that names none.

    Raises:
        InvalidDocument: with every wrong field.
    """
    sent = validated(SentRequest, document, now_ms)
    return RequestDocument(
        *sent.page_view(now_ms),
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
