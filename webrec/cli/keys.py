"""`webrec keys`: API keys."""

from __future__ import annotations

import click

from service.api_keys import SCOPES, KeyFile
from webrec.cli.common import Group, as_json, command, out, print_json, print_table, tell
from webrec.config import Settings


@click.group(cls=Group)
def keys() -> None:
    """Make, list and revoke API keys."""


@command(keys)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="What the key may do; give it once for each.",
)
@as_json
def add(settings: Settings, name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a key called NAME, and show it this once."""
    key = KeyFile(settings.keys_path).add(name, scopes)
    if as_json:
        print_json({"name": name, "key": key, "scopes": [s for s in SCOPES if s in scopes]})
        return
    out.print(key, markup=False, soft_wrap=True)
    tell("Keep it: it is stored hashed and cannot be shown again. Send it as X-API-Key.")


@command(keys, "list")
@as_json
def list_(settings: Settings, as_json: bool) -> None:
    """List the keys' names and scopes."""
    from webrec.formats.times import iso

    entries = KeyFile(settings.keys_path).entries()
    rows = [(e.name, list(e.scopes), iso(e.created_ms)) for e in entries]
    if as_json:
        shown = [{"name": n, "scopes": scopes, "created": at} for n, scopes, at in rows]
        print_json({"keys": shown})
        return
    print_table(("name", "scopes", "created"), [(n, ", ".join(s), at) for n, s, at in rows])


@command(keys)
@click.argument("name")
def revoke(settings: Settings, name: str) -> None:
    """Take the key called NAME away."""
    KeyFile(settings.keys_path).revoke(name)
    out.print(f"key {name} is revoked; running services follow within 2 seconds", markup=False)
