"""[6] Campaigns: written, listed and deleted; campaign documents in and out.

In: the documents of an upload. Out: rows of the campaigns table, and what became of each document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from webrec.admin.listing import Listing
from webrec.domain.types import Campaign
from webrec.errors import InvalidDocument, NotFound, WebrecError
from webrec.formats.campaigns import campaign_document, parse_campaign
from webrec.tables.tables import Tables


@dataclass(frozen=True, slots=True)
class CampaignResult:
    """What became of one campaign document of an upload.

    Attributes:
        index: of the document in the upload.
        id: None where the document has none that could be read.
        errors: ``field`` and ``message`` of each wrong field.
    """

    index: int
    id: str | None
    status: Literal["created", "updated", "unchanged", "invalid"]
    errors: list[dict[str, str]]


def apply_campaigns(
    tables: Tables, documents: Iterable[object], *, dry_run: bool
) -> list[CampaignResult]:
    """Write the good documents of an upload, each compared with what is there.

    Args:
        documents: JSON values, or the `InputError` of one that could not be read.
        dry_run: only say what would be done.
    """
    results: list[CampaignResult] = []
    stored: dict[str, Campaign | None] = {}
    applied: dict[str, Campaign] = {}
    for index, document in enumerate(documents):
        try:
            if isinstance(document, WebrecError):
                raise document
            campaign = parse_campaign(document)
        except InvalidDocument as error:
            errors = [{"field": e.field, "message": e.message} for e in error.errors]
            results.append(CampaignResult(index, _id_of(document), "invalid", errors))
        except WebrecError as error:
            errors = [{"field": "", "message": str(error)}]
            results.append(CampaignResult(index, None, "invalid", errors))
        else:
            if campaign.id not in stored:
                stored[campaign.id] = tables.campaigns.get(campaign.id)
            old = applied.get(campaign.id) or stored[campaign.id]
            status: Literal["created", "updated", "unchanged"] = "created"
            if old is not None:
                status = "unchanged" if old == campaign else "updated"
            applied[campaign.id] = campaign
            results.append(CampaignResult(index, campaign.id, status, []))
    changed = {campaign.id for campaign in applied.values() if stored[campaign.id] != campaign}
    if not dry_run:
        tables.campaigns.put([c for c in applied.values() if c.id in changed])
    return results


def list_campaigns(tables: Tables, limit: int, cursor: str) -> Listing:
    """A part of the campaigns, in the order of their ids."""
    found = list(islice(tables.campaigns.all(cursor), limit + 1))
    shown = [campaign_document(c) for c in found[:limit]]
    return Listing(shown, found[limit - 1].id if len(found) > limit else None)


def delete_campaign(tables: Tables, campaign_id: str) -> None:
    """Delete a campaign.

    Raises:
        NotFound: there is none of this id.
    """
    was_there = tables.campaigns.get(campaign_id) is not None
    tables.campaigns.delete(campaign_id)
    if not was_there:
        raise NotFound(f"there is no campaign {campaign_id!r}")


def _id_of(document: object) -> str | None:
    given = document.get("id") if isinstance(document, dict) else None
    return given if isinstance(given, str) else None
