"""The command line: one file per command."""

from __future__ import annotations

import click

from webrec.cli.batch import batch
from webrec.cli.bench import bench
from webrec.cli.campaigns import campaigns
from webrec.cli.check import check
from webrec.cli.command import Group
from webrec.cli.demo import demo
from webrec.cli.evaluate import evaluate
from webrec.cli.ingest import ingest
from webrec.cli.keys import keys
from webrec.cli.labels import labels
from webrec.cli.models import models
from webrec.cli.recommend import recommend
from webrec.cli.scaling import growth
from webrec.cli.serve import serve
from webrec.cli.tables import tables
from webrec.cli.world import world


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="webrec", message="webrec %(version)s")
def main() -> None:
    """Recommend web pages in real time: related ones, and sponsored ones.

    `webrec demo` shows the whole way. `webrec COMMAND --help` shows what a command does and which
    settings it reads. A setting is a flag of any command, or a variable WEBREC_<NAME> in the
    environment; the flag wins.
    """


for _command in (
    demo, world, ingest, batch, serve, recommend, campaigns, labels, models, keys, tables, check,
    evaluate, bench, growth,
):  # fmt: skip
    main.add_command(_command)
