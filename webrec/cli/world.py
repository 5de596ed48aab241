"""`webrec world`: a synthetic world as files."""

from __future__ import annotations

import time
from pathlib import Path

import click

from webrec.cli.common import as_json, command, out, print_json, progress
from webrec.config import Settings
from webrec.errors import UsageError


@command()
@click.option("--urls", default=2_000, show_default=True, help="Pages.")
@click.option("--users", default=200, show_default=True, help="Visitors.")
@click.option("--categories", default=10, show_default=True, help="Themes of pages.")
@click.option("--communities", default=4, show_default=True, help="Groups of visitors.")
@click.option("--campaigns", default=50, show_default=True, help="Ad campaigns.")
@click.option("--requests", default=500, show_default=True, help="Recorded requests.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same world.")
@click.option("--out", "folder", type=Path, required=True, help="The folder to write.")
@as_json
def world(settings: Settings, folder: Path, as_json: bool, **numbers: int) -> None:  # noqa: ARG001
    """Write a synthetic world: pages, visits, campaigns and requests."""
    from webrec.synthetic.files import generate
    from webrec.synthetic.spec import WorldSpec

    spec = WorldSpec(now_ms=time.time_ns() // 1_000_000, **numbers)
    try:
        with progress() as tell:
            files = generate(spec, folder, tell)
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
