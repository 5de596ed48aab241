"""`webrec tables`: the tables as a script for the HBase shell."""

from __future__ import annotations

import sys

import click

from webrec.cli.command import command
from webrec.config import Settings
from webrec.errors import UsageError

_DAY_S = 86_400


@command(short="Print a script for the HBase shell that makes the tables.", reads=("store",))
@click.option(
    "--regions",
    type=click.IntRange(1, 256),
    default=16,
    show_default=True,
    help="Split each table with evenly spread keys into this many regions.",
)
@click.option(
    "--event-ids-days",
    type=click.IntRange(1, 20_000),
    help="Forget event ids after this many days; never, if left out.",
)
@click.option(
    "--generation",
    type=click.IntRange(1, 999_999),
    help="Make the tables of the model with this number, instead of those that all models share.",
)
def tables(
    settings: Settings, regions: int, event_ids_days: int | None, generation: int | None
) -> None:
    """Print a script for the HBase shell that makes the tables, split and encoded.

    Run it before the service first runs: `webrec tables | hbase shell -n`. The service and the
    batch make what is missing, each table in one region.
    """
    from hbase_schema import names as t
    from hbase_schema.ddl import create_statements
    from hbase_schema.families import DEFINITIONS
    from webrec.storage.hbase_uri import Server

    if not settings.store_uri.startswith("hbase://"):
        raise UsageError(
            f"the store is {settings.store_uri}: --store hbase://host:9090/prefix names the one "
            "that the script is for"
        )
    server = Server.of(settings.store_uri)
    definitions = dict(DEFINITIONS)
    if event_ids_days is not None:
        definitions[t.EVENTS] = definitions[t.EVENTS]._replace(
            families=tuple(
                family._replace(ttl_s=event_ids_days * _DAY_S)
                for family in definitions[t.EVENTS].families
            )
        )
    if generation is None:
        names = {table: table for table in t.FIXED}
    else:
        names = {kind: t.generation_table(f"{generation:06d}", kind) for kind in t.KINDS}
    wanted = [(server.table(name), definitions[key]) for key, name in names.items()]
    for statement in create_statements(wanted, regions, server.compression):
        sys.stdout.write(statement + "\n")
