"""`webrec campaigns`: what ad operations upload."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import click

from webrec.cli.common import (
    Group,
    as_json,
    command,
    engine_of,
    out,
    print_json,
    print_table,
    tell,
)
from webrec.config import Settings
from webrec.formats.files import read_documents


@click.group(cls=Group)
def campaigns() -> None:
    """Upload, list and delete ad campaigns."""


@command(campaigns)
@click.argument("file", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@as_json
def apply(settings: Settings, file: str, dry_run: bool, as_json: bool) -> None:
    """Write the campaigns in FILE (a JSON list or NDJSON; - is standard input).

    Each is judged for itself. The same upload twice changes nothing.
    """
    from webrec.admin.campaigns import apply_campaigns

    documents = read_documents(file)
    if len(documents) == 1 and isinstance(documents[0], dict) and "campaigns" in documents[0]:
        documents = documents[0]["campaigns"]  # what `campaigns list --json` prints
    with engine_of(settings) as engine:
        results = apply_campaigns(engine.tables, documents, dry_run=dry_run)
    if as_json:
        print_json({"results": [asdict(result) for result in results]})
    else:
        for result in results:
            for error in result.errors:
                where = f"{result.id or 'document'} (number {result.index})"
                tell(f"{where}: {error['field']}: {error['message']}")
        counts = Counter(result.status for result in results)
        said = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
        out.print(f"{'would be: ' if dry_run else ''}{said or 'the file holds no campaign'}")
    if any(result.status == "invalid" for result in results):
        raise click.exceptions.Exit(1)


@command(campaigns, "list")
@as_json
def list_(settings: Settings, as_json: bool) -> None:
    """List the campaigns."""
    from webrec.admin.campaigns import list_campaigns

    with engine_of(settings) as engine:
        found = list_campaigns(engine.tables, 1_000_000, "").items
    if as_json:
        print_json({"campaigns": found, "next": None})
        return
    print_table(
        ("campaign", "name", "priority", "ads", "starts", "ends", "active"),
        [
            (
                c["id"],
                c.get("name", ""),
                c["priority"],
                len(c["urls"]),
                c.get("starts", ""),
                c.get("ends", ""),
                "yes" if c["active"] else "no",
            )
            for c in found
        ],
    )


@command(campaigns)
@click.argument("campaign_id", metavar="ID")
def delete(settings: Settings, campaign_id: str) -> None:
    """Take a campaign away."""
    from webrec.admin.campaigns import delete_campaign

    with engine_of(settings) as engine:
        delete_campaign(engine.tables, campaign_id)
    out.print(f"campaign {campaign_id} is gone", markup=False)
