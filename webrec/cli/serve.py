"""`webrec serve`: the service under gunicorn."""

from __future__ import annotations

import click

from webrec.cli.common import command
from webrec.config import Settings


@command()
def serve(settings: Settings) -> None:
    """Answer over HTTP, until told to stop.

    See --bind and --workers below; /docs on the service describes the interface.
    """
    from service import wsgi

    raise click.exceptions.Exit(wsgi.serve(settings))
