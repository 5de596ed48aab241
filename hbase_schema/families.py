"""[3] How the tables are kept: a table in, its column families and the splits of its regions out.

Bytes of a family are read together, so what is read together is in one family. HBase advises
two or three families for a table at most, our tables have one or two (docs/decisions/0007).
"""

from __future__ import annotations

from typing import NamedTuple

from hbase_schema import names


class Family(NamedTuple):
    """A column family; it keeps one version of each cell.

    Attributes:
        in_memory: kept in the block cache before others.
        ttl_s: seconds after which a cell is gone; None for never.
    """

    name: str
    in_memory: bool = False
    ttl_s: int | None = None


class Definition(NamedTuple):
    """How a table is kept.

    Attributes:
        is_spread: its row keys begin with evenly distributed bytes, so that it can be split into
            regions before it holds anything.
    """

    families: tuple[Family, ...]
    is_spread: bool = False


DEFINITIONS = {
    names.META: Definition((Family("m", in_memory=True),)),
    names.GENERATIONS: Definition((Family("m"),)),
    names.CAMPAIGNS: Definition((Family("m"), Family("p"))),
    names.LABELS: Definition((Family("m"),)),
    names.RECENT: Definition((Family("m"), Family("e")), is_spread=True),
    names.FORGOTTEN: Definition((Family("m"),)),
    names.EVENTS: Definition((Family("m"),), is_spread=True),
    names.NEW_PAGES: Definition((Family("m"),), is_spread=True),
    "pages": Definition((Family("m"),), is_spread=True),
    "categories": Definition((Family("m"),)),
    "communities": Definition((Family("m"),)),
    "profiles": Definition((Family("m"),), is_spread=True),
    "spaces": Definition((Family("m"),)),
}
"""By name of a fixed table, or by kind of a generation's."""


def definition_of(table: str) -> Definition:
    """The definition of one of the schema's tables.

    Raises:
        KeyError: the schema has no such table.
    """
    return DEFINITIONS[table.partition(".")[2] or table]


def split_keys(regions: int) -> list[bytes]:
    """The first keys of all regions but the first, for a table that is spread.

    Args:
        regions: 1 to 256.
    """
    return [bytes([256 * region // regions]) for region in range(1, regions)]
