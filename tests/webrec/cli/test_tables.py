"""`webrec tables`: the tables as a script for the HBase shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import happybase
import pytest

from hbase_schema.families import DEFINITIONS
from hbase_schema.names import EVENTS, FIXED, KINDS, RECENT
from tests.support.cluster import Cluster
from tests.webrec.cli.conftest import Run
from webrec.storage import open_store
from webrec.tables.tables import Tables

STORE = ("--store", "hbase://host:9090/web?compression=GZ")


def created(script: str) -> dict[str, str]:
    """The statement that makes each table."""
    names = re.findall(r"^create '([^']*)', ", script, re.MULTILINE)
    return dict(zip(names, script.splitlines(), strict=True))


def test_the_tables_that_all_models_share(run: Run) -> None:
    """Each once, split where its keys are spread, compressed as the store says."""
    statements = created(run("tables", *STORE).stdout)
    assert list(statements) == [f"web.{table}" for table in FIXED]
    for table in FIXED:
        statement = statements[f"web.{table}"]
        assert statement.count("COMPRESSION => 'GZ'") == len(DEFINITIONS[table].families)
        assert statement.count("\\x") == (15 if DEFINITIONS[table].is_spread else 0)
        assert "TTL" not in statement


def test_the_tables_of_one_model(run: Run) -> None:
    """By its number, as the batch will name them."""
    statements = created(run("tables", *STORE, "--generation", "12", "--regions", "4").stdout)
    assert list(statements) == [f"web.g000012.{kind}" for kind in KINDS]
    assert statements["web.g000012.profiles"].endswith('SPLITS => ["\\x40", "\\x80", "\\xc0"]')
    assert "SPLITS" not in statements["web.g000012.categories"]


def test_event_ids_for_some_days(run: Run) -> None:
    """Only they are forgotten; their table is otherwise as it was."""
    statements = created(run("tables", *STORE, "--event-ids-days", "30").stdout)
    whole = created(run("tables", *STORE).stdout)
    events = statements.pop(f"web.{EVENTS}")
    assert events.replace(", TTL => 2592000", "") == whole.pop(f"web.{EVENTS}")
    assert events.count("TTL => 2592000}") == 1
    assert statements == whole


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--store hbase://host:9090/prefix"),
        (("--store", "sqlite:///webrec.db"), "--store hbase://host:9090/prefix"),
        (("--store", "hbase://host:9090"), "use hbase://host:9090/prefix"),
        (("--store", "hbase://host/p?compression=zip"), "SNAPPY, GZ, LZ4, ZSTD, NONE"),
        ((*STORE, "--regions", "0"), "1<=x<=256"),
        ((*STORE, "--regions", "257"), "1<=x<=256"),
        ((*STORE, "--event-ids-days", "0"), "1<=x<=20000"),
        ((*STORE, "--generation", "0"), "1<=x<=999999"),
    ],
)
def test_what_cannot_be_meant(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """Exit status 2, the fix in the message, and no script."""
    result = run("tables", *arguments, fails=2)
    assert said in result.stderr
    assert result.stdout == ""


@pytest.fixture
def uri(cluster: Cluster) -> Iterator[str]:
    """A store on the real HBase, without tables."""
    with closing(open_store(cluster.store_uri("scripted"))) as store:
        for table in store.tables():
            store.drop_table(table)
        yield cluster.store_uri("scripted")
        for table in store.tables():
            store.drop_table(table)


@pytest.mark.slow
def test_the_script_is_run(run: Run, cluster: Cluster, uri: str) -> None:
    """By the HBase shell; then nothing is missing, and the tables are as they are meant."""
    for more in (("--event-ids-days", "7"), ("--generation", "3")):
        cluster.shell(run("tables", "--store", uri, "--regions", "4", *more).stdout)
    with closing(open_store(uri)) as store:
        whole = store.tables()
        assert sorted(whole) == sorted([*FIXED, *(f"g000003.{kind}" for kind in KINDS)])
        tables = Tables(store)
        tables.create()
        tables.generations.create("000003")
        assert store.tables() == whole
        assert tables.generations.with_tables() == {"000003"}
        tables.labels.put("c1", "Food")
        assert tables.labels.all() == {"c1": "Food"}
    with closing(happybase.Connection("127.0.0.1", cluster.thrift_port)) as connection:
        for name, ttl_s in ((EVENTS, 7 * 86_400), (RECENT, 2**31 - 1)):
            table = connection.table(f"scripted.{name}")
            assert len(table.regions()) == 4
            for family in table.families().values():
                assert family["time_to_live"] == ttl_s
                assert family["compression"] == b"SNAPPY"
                assert (family["max_versions"], family["bloom_filter_type"]) == (1, b"ROW")
