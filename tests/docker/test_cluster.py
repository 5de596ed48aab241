"""The cluster of the tests: it holds what was written, whatever is done to its servers."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing

import happybase
import pytest
from hdfs import InsecureClient
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed
from thriftpy2.thrift import TException

from tests.support.cluster import SERVERS, Cluster

pytestmark = pytest.mark.slow

_FAMILY = {"e": {"max_versions": 1, "bloom_filter_type": "ROW", "block_cache_enabled": True}}


@pytest.fixture
def table(cluster: Cluster) -> str:
    """A new table with a family e and a row of one cell."""
    name = f"trial{secrets.token_hex(4)}"
    with _connection(cluster) as connection:
        connection.create_table(name, _FAMILY)
        connection.table(name).put(b"row", {b"e:before": b"1"})
    return name


@pytest.fixture(autouse=True)
def healthy(cluster: Cluster) -> Iterator[None]:
    """Leave the cluster as it was found."""
    yield
    cluster.wait()


@pytest.mark.parametrize("name", SERVERS)
def test_a_killed_server_comes_back_with_its_data(cluster: Cluster, table: str, name: str) -> None:
    """A server that is killed is started again, and what was written is there."""
    cluster.kill(name)
    cluster.wait()
    assert _row(cluster, table) == {b"e:before": b"1"}


def test_held_down_until_let_go(cluster: Cluster, table: str) -> None:
    """A stopped server stays down until it is started; the others stay up meanwhile."""
    cluster.stop("thrift", "datanode")
    assert not cluster.healthy()
    status = _status(cluster)
    assert status["thrift"] == status["datanode"] == "not running, held down"
    assert status["hbase"].startswith("pid ")
    cluster.start("thrift", "datanode")
    cluster.wait()
    assert _row(cluster, table) == {b"e:before": b"1"}


def test_paused_is_silent_and_then_goes_on(cluster: Cluster, table: str) -> None:
    """A paused server answers nobody though its port is open; resumed, it is the same process."""
    before = _status(cluster)["thrift"]
    cluster.pause("thrift")
    with pytest.raises(TimeoutError), _connection(cluster, timeout_ms=300) as connection:
        connection.table(table).row(b"row")
    cluster.resume("thrift")
    cluster.wait()
    assert _status(cluster)["thrift"] == before
    assert _row(cluster, table) == {b"e:before": b"1"}


def test_a_restart_keeps_ports_and_data(cluster: Cluster, table: str) -> None:
    """Stopped in order and started again, everything is where it was."""
    files = InsecureClient(f"http://127.0.0.1:{cluster.namenode_port}", user="trial", timeout=20)
    files.write("/trial/before", data=b"line\n", overwrite=True)
    cluster.restart()
    assert _row(cluster, table) == {b"e:before": b"1"}
    with files.read("/trial/before") as reader:
        assert reader.read() == b"line\n"


def test_a_power_failure_loses_no_acknowledged_put(cluster: Cluster, table: str) -> None:
    """All servers killed at once come back with every put that was answered."""
    with _connection(cluster) as connection:
        for number in range(200):
            connection.table(table).put(b"row", {b"e:%d" % number: b"1"})
    cluster.kill_all()
    cluster.start_all()
    cluster.wait()
    assert len(_row(cluster, table)) == 201


def test_webhdfs_writes_appends_and_renames(cluster: Cluster) -> None:
    """Files are written, added to and renamed from this machine."""
    files = InsecureClient(f"http://127.0.0.1:{cluster.namenode_port}", user="trial", timeout=20)
    files.write("/trial/new/part", data=b"one\n", overwrite=True)
    files.write("/trial/new/part", data=b"two\n", append=True)
    files.makedirs("/trial/done")
    files.delete("/trial/done/part")
    files.rename("/trial/new/part", "/trial/done/part")
    with files.read("/trial/done/part") as reader:
        assert reader.read() == b"one\ntwo\n"


def test_operators_scripts_run_in_the_hbase_shell(cluster: Cluster) -> None:
    """A script of `create` statements makes pre-split tables; a snapshot of one can be cloned."""
    name = f"trial{secrets.token_hex(4)}"
    cluster.shell(
        f"create '{name}.recent', {{NAME => 'e', COMPRESSION => 'SNAPPY', TTL => 86400}}, "
        'SPLITS => ["\\x40", "\\x80", "\\xc0"]\n'
        f"snapshot '{name}.recent', '{name}'\n"
        f"clone_snapshot '{name}', '{name}.clone'\n"
    )
    with _connection(cluster) as connection:
        for table in (f"{name}.recent", f"{name}.clone"):
            starts = [region["start_key"] for region in connection.table(table).regions()]
            assert starts == [b"", b"\x40", b"\x80", b"\xc0"]
        family = connection.table(f"{name}.clone").families()[b"e"]
    assert (family["compression"], family["time_to_live"]) == (b"SNAPPY", 86_400)


def test_a_script_stops_where_it_fails(cluster: Cluster) -> None:
    """A statement that fails fails the script, and those after it are not run."""
    name = f"trial{secrets.token_hex(4)}"
    with pytest.raises(RuntimeError, match="disable_nothing"):
        cluster.shell(f"disable_nothing 'x'\ncreate '{name}', 'e'\n")
    with _connection(cluster) as connection:
        assert name.encode() not in connection.tables()


def test_a_table_comes_back_from_an_exported_snapshot(cluster: Cluster, table: str) -> None:
    """A snapshot copied out of HDFS restores the table when everything of it is gone there."""
    place = f"file:///tmp/{table}"
    copy = ("hbase", "snapshot", "export", "-snapshot", table, "-no-checksum-verify")
    cluster.shell(f"snapshot '{table}', '{table}'")
    cluster.exec(*copy, "-copy-to", place)
    cluster.shell(f"disable '{table}'\ndrop '{table}'\ndelete_snapshot '{table}'")
    cluster.exec(*copy, "-copy-from", place, "-copy-to", "hdfs://localhost:9000/hbase")
    cluster.shell(f"clone_snapshot '{table}', '{table}'")
    assert _row(cluster, table) == {b"e:before": b"1"}


@retry(
    retry=retry_if_exception_type((OSError, TException)),
    stop=stop_after_delay(60),
    wait=wait_fixed(0.2),
    reraise=True,
)
def _row(cluster: Cluster, table: str) -> dict[bytes, bytes]:
    """The table's row, once its region is open again: health speaks of hbase:meta only."""
    with _connection(cluster) as connection:
        row: dict[bytes, bytes] = connection.table(table).row(b"row")
        return row


def _connection(cluster: Cluster, timeout_ms: int = 20_000) -> closing[happybase.Connection]:
    return closing(happybase.Connection("127.0.0.1", cluster.thrift_port, timeout=timeout_ms))


def _status(cluster: Cluster) -> dict[str, str]:
    """What `cluster status` says of each server; its exit status tells of the health."""
    lines = cluster.exec("bash", "-c", "cluster status || true").splitlines()
    return {line[:9].strip(): line[10:] for line in lines if line[:9].strip() in SERVERS}
