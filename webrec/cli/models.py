"""`webrec models`: the published models."""

from __future__ import annotations

import click

from webrec.cli.common import Group, as_json, command, engine_of, out, print_json, print_table
from webrec.config import Settings


@click.group(cls=Group)
def models() -> None:
    """List the published models, go back to one."""


@command(models, "list")
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


@command(models)
@click.argument("model_id", metavar="ID")
def activate(settings: Settings, model_id: str) -> None:
    """Go back, or forward, to a published model."""
    from webrec.admin.models import activate_model

    with engine_of(settings) as engine:
        activate_model(engine, model_id)
    out.print(f"model {model_id} is active; running services follow within 2 seconds")
