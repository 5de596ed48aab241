"""`webrec serve`: the service under gunicorn."""

from __future__ import annotations

import click

from webrec.cli.command import command
from webrec.cli.settings import ANSWERS, PLACES, SERVERS
from webrec.config import Settings


@command(
    short="Answer over HTTP.",
    reads=("bind", *SERVERS, *PLACES, "keys", *ANSWERS, "segment_bytes"),
)
def serve(settings: Settings) -> None:
    """Answer over HTTP, until the process is stopped.

    /docs on the service describes the interface.
    """
    from service import wsgi

    raise click.exceptions.Exit(wsgi.serve(settings))
