"""The tables as statements of the HBase shell."""

from __future__ import annotations

import pytest

from hbase_schema.ddl import create_statements
from hbase_schema.families import DEFINITIONS, Definition, Family


def test_a_statement_says_how_the_table_is_kept() -> None:
    """Family by family, and where it is split."""
    definition = Definition((Family("m", in_memory=True), Family("e", ttl_s=86_400)), True)
    (statement,) = create_statements([("webrec.things", definition)], 4, "ZSTD")
    assert statement == (
        "create 'webrec.things', "
        "{NAME => 'm', VERSIONS => 1, BLOOMFILTER => 'ROW', BLOCKCACHE => 'true', "
        "IN_MEMORY => 'true', DATA_BLOCK_ENCODING => 'FAST_DIFF', COMPRESSION => 'ZSTD'}, "
        "{NAME => 'e', VERSIONS => 1, BLOOMFILTER => 'ROW', BLOCKCACHE => 'true', "
        "IN_MEMORY => 'false', DATA_BLOCK_ENCODING => 'FAST_DIFF', COMPRESSION => 'ZSTD', "
        "TTL => 86400}, "
        'SPLITS => ["\\x40", "\\x80", "\\xc0"]'
    )


@pytest.mark.parametrize(("is_spread", "regions"), [(False, 16), (True, 1)])
def test_a_table_in_one_region(*, is_spread: bool, regions: int) -> None:
    """Is not split."""
    definition = Definition((Family("m"),), is_spread)
    (statement,) = create_statements([("t", definition)], regions, "NONE")
    assert "SPLITS" not in statement


def test_one_statement_for_each_table() -> None:
    """In the order asked, each on a line of its own."""
    statements = list(create_statements(DEFINITIONS.items(), 256, "SNAPPY"))
    assert [s.partition(",")[0] for s in statements] == [f"create '{name}'" for name in DEFINITIONS]
    assert not any("\n" in statement for statement in statements)
    assert sum(statement.count("\\x") for statement in statements) == 5 * 255
