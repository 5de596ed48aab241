"""`webrec recommend`: answers without a server."""

from __future__ import annotations

import click

from webrec.cli.command import command
from webrec.cli.engine import engine_of
from webrec.cli.output import print_json
from webrec.cli.settings import ANSWERS, PLACES
from webrec.config import Settings
from webrec.errors import WebrecError
from webrec.formats.files import read_documents


@command(short="Answer request documents without a server.", reads=(*PLACES, *ANSWERS))
@click.argument("file", metavar="FILE")
def recommend(settings: Settings, file: str) -> None:
    """Answer the request documents in FILE (JSON, a list or NDJSON; - is standard input).

    One JSON answer a line is printed, as over HTTP. For a document that cannot be answered its
    problem is printed, and the exit status is 1. Visits are recorded, as over HTTP.
    """
    from service.answers import recommend_document
    from service.responses import problem_document
    from webrec.domain.ids import new_id

    documents = read_documents(file)
    failed = False
    with engine_of(settings) as engine:
        engine.refresh(wait=True)
        for document in documents:
            try:
                if isinstance(document, WebrecError):
                    raise document
                print_json(recommend_document(engine, document))
            except WebrecError as error:
                failed = True
                print_json(problem_document(error, new_id()))
    if failed:
        raise click.exceptions.Exit(1)
