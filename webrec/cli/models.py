"""`webrec models`: the published models."""

from __future__ import annotations

import click

from webrec.cli.command import Group, command
from webrec.cli.engine import engine_of
from webrec.cli.output import as_json, out, print_json, print_table
from webrec.cli.settings import PLACES
from webrec.config import Settings


@click.group(cls=Group, short_help="List the published models, and go back to one.")
def models() -> None:
    """List the published models, and go back to one."""


@command(models, "list", short="List the published models, newest first.", reads=PLACES)
@as_json
def list_(settings: Settings, as_json: bool) -> None:
    """List the published models, newest first."""
    from webrec.admin.models import all_models

    with engine_of(settings) as engine:
        found = all_models(engine.tables)
    if as_json:
        print_json({"models": found, "next": None})
        return
    print_table(
        ("model", "created", "active", "pages", "categories", "users", "communities"),
        [
            (
                m["id"],
                m["created"],
                "yes" if m["active"] else "",
                *(m["counts"][n] for n in ("pages", "categories", "profiles", "communities")),
            )
            for m in found
        ],
    )


@command(models, short="Go back, or forward, to a published model.", reads=PLACES)
@click.argument("model_id", metavar="ID")
def activate(settings: Settings, model_id: str) -> None:
    """Make the published model with this ID the active one."""
    from webrec.admin.models import activate_model

    with engine_of(settings) as engine:
        activate_model(engine, model_id)
    out.print(f"model {model_id} is active; running services follow within 2 seconds")
