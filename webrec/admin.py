"""[3][4] What operators and editors see and change: campaigns, labels, models, the clusters.

The service and the command line share it: both say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple

from hbase_schema.cells import PageCell
from webrec.config import Settings
from webrec.documents import campaign_document, parse_campaign
from webrec.errors import InvalidDocument, NotFound, WebrecError
from webrec.model import Model
from webrec.tables import Counts, Generation, Tables
from webrec.types import Campaign

MAX_LABEL = 200

Document = dict[str, Any]


class Listing(NamedTuple):
    """One page of a listing.

    Attributes:
        next: where the next one begins; None at the end.
    """

    items: list[Document]
    next: str | None


class CampaignResult(NamedTuple):
    """What became of one campaign document of an upload."""

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
    now: dict[str, Campaign] = {}
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
            old = now.get(campaign.id) or tables.campaign(campaign.id)
            status: Literal["created", "updated", "unchanged"] = "created"
            if old is not None:
                status = "unchanged" if old == campaign else "updated"
            now[campaign.id] = campaign
            results.append(CampaignResult(index, campaign.id, status, []))
    changed = {r.id for r in results if r.status in ("created", "updated")}
    if changed and not dry_run:
        tables.put_campaigns([c for c in now.values() if c.id in changed])
    return results


def list_campaigns(tables: Tables, limit: int, after: str) -> Listing:
    """Campaigns in the order of their ids, after one."""
    found = list(islice(tables.campaigns(after), limit + 1))
    shown = [campaign_document(c) for c in found[:limit]]
    return Listing(shown, found[limit - 1].id if len(found) > limit else None)


def delete_campaign(tables: Tables, campaign_id: str) -> None:
    """Take a campaign away.

    Raises:
        NotFound: there is none of this id.
    """
    if tables.campaign(campaign_id) is None:
        raise NotFound(f"there is no campaign {campaign_id!r}")
    tables.delete_campaign(campaign_id)


def list_models(tables: Tables, settings: Settings) -> list[Document]:  # noqa: ARG001
    """The published generations, newest first."""
    active = tables.versions().active
    return [
        {
            "id": g.id,
            "created": g.created_ms,
            "active": g.id.encode() == active,
            "counts": g.counts,
            "quality": g.quality,
        }
        for g in reversed(tables.generations())
    ]
