"""`webrec world`: a synthetic world as files."""

from __future__ import annotations

import time
from pathlib import Path

import click

from webrec.cli.command import command
from webrec.cli.output import as_json, out, print_json
from webrec.cli.progress import progress_bar
from webrec.config import Settings
from webrec.errors import UsageError


@command(short="Write a synthetic world as files, to try webrec with.")
@click.option("--urls", default=2_000, show_default=True, help="Make this many pages.")
@click.option("--users", default=200, show_default=True, help="Make this many visitors.")
@click.option(
    "--categories", default=10, show_default=True, help="Spread the pages over this many themes."
)
@click.option(
    "--communities",
    default=4,
    show_default=True,
    help="Spread the visitors over this many kinds of taste.",
)
@click.option("--campaigns", default=50, show_default=True, help="Make this many ad campaigns.")
@click.option("--requests", default=500, show_default=True, help="Make this many requests.")
@click.option(
    "--seed",
    default=1,
    show_default=True,
    help="Draw everything from this seed: the same seed gives the same world.",
)
@click.option("--out", "folder", type=Path, required=True, help="Write the files into this folder.")
@as_json
def world(settings: Settings, folder: Path, as_json: bool, **numbers: int) -> None:  # noqa: ARG001
    """Write a synthetic world: pages, visits, campaigns and requests."""
    from webrec.synthetic.files import generate
    from webrec.synthetic.spec import WorldSpec

    spec = WorldSpec(now_ms=time.time_ns() // 1_000_000, **numbers)
    try:
        with progress_bar() as progress:
            files = generate(spec, folder, progress)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
    if as_json:
        print_json({"files": {n: str(folder / f) for n, f in _NAMES.items()}, **files.documents})
        return
    for name, file in _NAMES.items():
        out.print(f"{files.documents[name]:>9,} {name:<10} {folder / file}")


_NAMES = {
    "pages": "pages.ndjson",
    "visits": "visits.ndjson",
    "campaigns": "campaigns.json",
    "requests": "requests.ndjson",
}
