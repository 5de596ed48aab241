"""`webrec keys`: API keys."""

from __future__ import annotations

import click

from service.api_keys import SCOPES, KeyFile
from webrec.cli.command import Group, command
from webrec.cli.output import as_json, out, print_json, print_note, print_table
from webrec.config import Settings

_READS = ("home", "keys")


@click.group(cls=Group, short_help="Make, list and revoke API keys.")
def keys() -> None:
    """Make, list and revoke API keys."""


@command(keys, short="Make a key.", reads=_READS)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="Let the key do this; give it once for each scope.",
)
@as_json
def add(settings: Settings, name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a key called NAME, and print it this once."""
    key = KeyFile(settings.keys_path).add(name, scopes)
    if as_json:
        print_json({"name": name, "key": key, "scopes": [s for s in SCOPES if s in scopes]})
        return
    out.print(key, markup=False, soft_wrap=True)
    print_note("Keep it: it is stored hashed and cannot be shown again. Send it as X-API-Key.")


@command(keys, "list", short="List the keys' names and scopes.", reads=_READS)
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


@command(keys, short="Revoke a key.", reads=_READS)
@click.argument("name")
def revoke(settings: Settings, name: str) -> None:
    """Revoke the key called NAME."""
    KeyFile(settings.keys_path).revoke(name)
    out.print(f"key {name} is revoked; running services follow within 2 seconds", markup=False)
