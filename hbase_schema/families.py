"""[3] How the tables are kept: column families, and where regions are split.

Bytes of a family are read together, so a table has as few families as its readers have habits:
HBase advises two or three, our tables have one or two (docs/decisions/0007).
"""

from __future__ import annotations

from typing import NamedTuple

from hbase_schema import names as t


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
    t.META: Definition((Family("m", in_memory=True),)),
    t.GENERATIONS: Definition((Family("m"),)),
    t.CAMPAIGNS: Definition((Family("m"), Family("p"))),
    t.LABELS: Definition((Family("m"),)),
    t.RECENT: Definition((Family("m"), Family("e")), is_spread=True),
    t.FORGOTTEN: Definition((Family("m"),)),
    t.EVENTS: Definition((Family("m"),), is_spread=True),
    t.NEW_PAGES: Definition((Family("m"),), is_spread=True),
    "pages": Definition((Family("m"),), is_spread=True),
    "categories": Definition((Family("m"),)),
    "communities": Definition((Family("m"),)),
    "profiles": Definition((Family("m"),), is_spread=True),
    "spaces": Definition((Family("m"),)),
}
"""By name of a fixed table, or by kind of a generation's."""


def definition_of(table: str) -> Definition:
    """The definition of one of our tables.

    Raises:
        KeyError: it is none of ours.
    """
    return DEFINITIONS[table.partition(".")[2] or table]


def split_keys(regions: int) -> list[bytes]:
    """The first keys of all regions but the first, for a table that is spread.

    Args:
        regions: 1 to 256.
    """
    return [bytes([256 * region // regions]) for region in range(1, regions)]
