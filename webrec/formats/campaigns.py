"""Campaigns: the JSON document in, a `Campaign` out, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, Tag, ValidationInfo

from webrec.domain.types import AdPage, Campaign, Page
from webrec.domain.urls import canonical
from webrec.formats.fields import CampaignId, Keywords, Text, Time, UrlText, by_type, wire
from webrec.formats.times import iso
from webrec.formats.validation import Document, validated


def _bare_ad(shown: str) -> AdPage:
    return AdPage(shown, Page(canonical(shown)))


def _described_ad(described: _SentAd) -> AdPage:
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


class _SentAd(Document):
    """A landing page with its text, so that it can be categorised before its first visit."""

    model_config = ConfigDict(title="Page")

    url: Annotated[AdPage, wire(Annotated[UrlText, AfterValidator(_bare_ad)])]
    keywords: Keywords = ()
    description: Text = ""
    title: Text = ""


_Ad = Annotated[
    AdPage,
    wire(
        Annotated[
            Annotated[UrlText, AfterValidator(_bare_ad), Tag("<url>")]
            | Annotated[_SentAd, AfterValidator(_described_ad), Tag("<page>")],
            by_type("must be a URL, or an object with one in url", ("url", str), ("page", dict)),
        ]
    ),
]


class SentCampaign(Document):
    """An advertiser's landing pages and when to show them."""

    model_config = ConfigDict(title="Campaign")

    id: Annotated[CampaignId, AfterValidator(_is_named_id)]
    urls: Annotated[list[_Ad], Field(min_length=1, max_length=10_000)]
    priority: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    name: Annotated[str, Field(max_length=1_000)] | None = None
    starts: Time | None = None
    ends: Annotated[Time, AfterValidator(_after_starts)] | None = None
    active: bool = True


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
    sent = validated(SentCampaign, document, id)
    return Campaign(
        id=sent.id,
        ads=tuple(sent.urls),
        priority=sent.priority,
        name=sent.name,
        starts_ms=sent.starts,
        ends_ms=sent.ends,
        active=sent.active,
    )


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
