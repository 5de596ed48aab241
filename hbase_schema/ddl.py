"""[3] Statements of the HBase shell: definitions of tables in, a ``create`` for each out.

An operator runs them before the first service or batch, which create every table that is missing,
but over Thrift, which can neither split a new table nor set an encoding. Without them all works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hbase_schema.families import Definition, Family, split_keys

_ENCODING = "FAST_DIFF"  # of blocks: the keys and columns of neighbours begin alike


def create_statements(
    tables: Iterable[tuple[str, Definition]], regions: int, compression: str
) -> Iterator[str]:
    """One ``create`` statement for each table.

    Args:
        tables: full names, with the prefix.
        regions: with how many a table that is spread is created, 1 to 256.
        compression: as HBase names it.
    """
    for name, definition in tables:
        parts = [f"'{name}'", *(_family(f, compression) for f in definition.families)]
        if definition.is_spread and regions > 1:
            keys = ", ".join(f'"\\x{key[0]:02x}"' for key in split_keys(regions))
            parts.append(f"SPLITS => [{keys}]")
        yield "create " + ", ".join(parts)


def _family(family: Family, compression: str) -> str:
    settings = {
        "NAME": f"'{family.name}'",
        "VERSIONS": "1",
        "BLOOMFILTER": "'ROW'",
        "BLOCKCACHE": "'true'",
        "IN_MEMORY": f"'{str(family.in_memory).lower()}'",
        "DATA_BLOCK_ENCODING": f"'{_ENCODING}'",
        "COMPRESSION": f"'{compression}'",
    }
    if family.ttl_s is not None:
        settings["TTL"] = str(family.ttl_s)
    return "{" + ", ".join(f"{name} => {value}" for name, value in settings.items()) + "}"
