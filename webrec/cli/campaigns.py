"""`webrec campaigns`: what ad operations upload."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import click

from webrec.cli.command import Group, command
from webrec.cli.engine import engine_of
from webrec.cli.output import as_json, out, print_json, print_note, print_table
from webrec.cli.settings import PLACES
from webrec.config import Settings
from webrec.formats.files import read_documents


@click.group(cls=Group, short_help="Upload, list and delete ad campaigns.")
def campaigns() -> None:
    """Upload, list and delete ad campaigns."""


@command(campaigns, short="Write the campaigns of a file.", reads=PLACES)
@click.argument("file", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@as_json
def apply(settings: Settings, file: str, dry_run: bool, as_json: bool) -> None:
    """Write the campaigns in FILE (a JSON list or NDJSON; - is standard input).

    Each is checked and written for itself. The same upload twice changes nothing.
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
                print_note(f"{where}: {error['field']}: {error['message']}")
        counts = Counter(result.status for result in results)
        summary = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
        out.print(f"{'would be: ' if dry_run else ''}{summary or 'the file holds no campaign'}")
    if any(result.status == "invalid" for result in results):
        raise click.exceptions.Exit(1)


@command(campaigns, "list", short="List the campaigns.", reads=PLACES)
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


@command(campaigns, short="Delete a campaign.", reads=PLACES)
@click.argument("campaign_id", metavar="ID")
def delete(settings: Settings, campaign_id: str) -> None:
    """Delete the campaign with this ID."""
    from webrec.admin.campaigns import delete_campaign

    with engine_of(settings) as engine:
        delete_campaign(engine.tables, campaign_id)
    out.print(f"campaign {campaign_id} is gone", markup=False)
