"""`webrec labels`: what categories are called."""

from __future__ import annotations

import click

from webrec.cli.command import Group, command
from webrec.cli.engine import engine_of
from webrec.cli.output import as_json, out, print_json, print_table
from webrec.cli.settings import PLACES
from webrec.config import Settings


@click.group(cls=Group, short_help="List the categories, and name one.")
def labels() -> None:
    """List the categories, and name one."""


@command(labels, "list", short="List the categories with their labels.", reads=PLACES)
@as_json
def list_(settings: Settings, as_json: bool) -> None:
    """List the categories of the active model with their labels."""
    from webrec.admin.categories import list_categories

    with engine_of(settings) as engine:
        engine.refresh()
        found = list_categories(engine, 1_000_000, "").items
    if as_json:
        print_json({"categories": found, "next": None})
        return
    print_table(
        ("category", "label", "by", "pages", "keywords"),
        [
            (c["id"], c["label"], c["label_source"], c["size"], ", ".join(c["keywords"][:8]))
            for c in found
        ],
    )


@command(labels, "set", short="Name a category.", reads=PLACES)
@click.argument("category_id", metavar="ID")
@click.argument("label", metavar="LABEL")
def set_(settings: Settings, category_id: str, label: str) -> None:
    """Name a category; the name stays with it through later batches."""
    from webrec.admin.categories import set_label
    from webrec.formats.labels import parse_label

    name = parse_label({"label": label})
    with engine_of(settings) as engine:
        engine.refresh()
        set_label(engine, category_id, name)
    out.print(f"category {category_id} is called {name}", markup=False)
