"""The gateway of the tests answers as the real HBase does: every test here is for both."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator

import happybase  # noqa: F401  # loads the protocol as the module Hbase_thrift
import pytest
from Hbase_thrift import AlreadyExists, BatchMutation, ColumnDescriptor, Mutation, TScan

from tests.support.thrift_calls import (
    TABLE,
    Server,
    deletions,
    illegal,
    in_threads,
    internal_error,
    message,
    puts,
    refusal,
    talk,
    text,
)
from tests.support.thrift_gateway import ThriftGateway

MISSING = b"drift.nowhere"
FAR_MS = 10**13
"""A timestamp that lies far in the future."""


@pytest.fixture(scope="module", params=["gateway", pytest.param("hbase", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The gateway, and the real one, with a table for all tests of this module.

    Its families keep one version (``m``), two (``n``), and for 100 seconds (``t``).
    """
    if request.param == "gateway":
        with ThriftGateway() as gateway:
            yield from _prepared(gateway.port)
    else:
        yield from _prepared(request.getfixturevalue("cluster").thrift_port)


def _prepared(port: int) -> Iterator[Server]:
    server = Server(port)
    server.drop(TABLE)
    families = [
        ColumnDescriptor(name=b"m:", maxVersions=1),
        ColumnDescriptor(name=b"n:", maxVersions=2),
        ColumnDescriptor(name=b"t:", maxVersions=1, timeToLive=100),
    ]
    server.client.createTable(TABLE, families)
    yield server
    server.drop(TABLE)
    server.close()


@pytest.fixture
def row(request: pytest.FixtureRequest) -> bytes:
    """A row of this test's own."""
    name: str = request.node.name
    return name.partition("[")[0].encode()


class TestTables:
    """Making, listing and dropping."""

    def test_a_table_is_described_as_it_was_made(self, server: Server) -> None:
        """Names may have full stops; what is left out has the protocol's defaults."""
        name = b"drift.a.b-c_1"
        server.drop(name)
        server.create(
            name,
            maxVersions=1,
            compression="snappy",
            bloomFilterType="ROW",
            blockCacheEnabled=True,
            timeToLive=77,
        )
        assert name in server.client.getTableNames()
        described = server.client.getColumnDescriptors(name)[b"m:"]
        assert (described.name, described.maxVersions, described.timeToLive) == (b"m:", 1, 77)
        assert (described.compression, described.bloomFilterType) == (b"SNAPPY", b"ROW")
        assert (described.blockCacheEnabled, described.inMemory) == (True, False)
        server.drop(name)
        server.create(name)
        described = server.client.getColumnDescriptors(name)[b"m:"]
        assert (described.maxVersions, described.timeToLive) == (3, 2**31 - 1)
        assert (described.bloomFilterType, described.blockCacheEnabled) == (b"NONE", False)
        server.drop(name)

    def test_names_are_listed_in_the_order_of_their_bytes(self, server: Server) -> None:
        """Capitals come first."""
        for name in (b"drift.b", b"drift.B"):
            server.drop(name)
            server.create(name)
        assert server.client.getTableNames() == sorted(server.client.getTableNames())
        server.drop(b"drift.b")
        server.drop(b"drift.B")

    def test_a_name_is_made_once(self, server: Server) -> None:
        """With the same families or others."""
        with pytest.raises(AlreadyExists) as caught:
            server.create(TABLE)
        assert caught.value.message == b"table name already in use"

    def test_the_default_namespace_may_be_spelled(self, server: Server, row: bytes) -> None:
        """It is the same table."""
        server.put(row, {b"m:a": b"1"}, 10)
        (found,) = server.client.getRow(b"default:" + TABLE, row, {})
        assert found.columns[b"m:a"].value == b"1"

    @pytest.mark.parametrize("name", [b"", b"a b", b"a/b", b".a", b"-a"])
    def test_a_bad_name_is_refused(self, server: Server, name: bytes) -> None:
        """Where writes expect it, else as an error inside the server."""
        client = server.client
        assert internal_error(server.create, name) == "Internal error processing createTable"
        assert "getRow" in internal_error(client.getRow, name, b"r", {})
        assert "isTableEnabled" in internal_error(client.isTableEnabled, name)
        assert "scannerOpen" in internal_error(client.scannerOpenWithScan, name, TScan(), {})
        said = illegal(client.mutateRow, name, b"r", puts({b"m:a": b"1"}), {})
        assert said.startswith("java.lang.IllegalArgumentException: ")

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"compression": "FOO"}, "Unsupported compression algorithm name: foo"),
            ({"bloomFilterType": "row"}, "No enum constant"),
            ({"maxVersions": 0}, "Maximum versions must be positive"),
        ],
    )
    def test_a_bad_family_is_refused(
        self, server: Server, options: dict[str, object], said: str
    ) -> None:
        """Each option has its own words."""
        assert said in illegal(lambda: server.create(b"drift.bad", **options))

    def test_families_have_names_and_there_is_one(self, server: Server) -> None:
        """None, nameless ones and two of one name are refused, each differently."""

        def create(*names: bytes) -> None:
            families = [ColumnDescriptor(name=name) for name in names]
            server.client.createTable(b"drift.bad", families)

        assert "Table should have at least one column family" in refusal(create)
        assert illegal(create, b"") == "column name is empty"
        assert "Column Family name can not be empty" in illegal(create, b":")
        assert "Family 'm' already exists" in illegal(create, b"m:", b"m:")

    def test_only_a_disabled_table_is_dropped(self, server: Server) -> None:
        """Disabling, enabling and dropping mind the state; dropping takes the rows along."""
        name = b"drift.cycle"
        client = server.client
        server.drop(name)
        server.create(name)
        client.mutateRow(name, b"r", puts({b"m:a": b"1"}), {})
        assert "TableNotDisabledException" in refusal(client.deleteTable, name)
        assert "TableNotDisabledException" in refusal(client.enableTable, name)
        client.disableTable(name)
        assert not client.isTableEnabled(name)
        assert "TableNotEnabledException" in refusal(client.disableTable, name)
        client.enableTable(name)
        assert len(client.getRow(name, b"r", {})) == 1
        client.disableTable(name)
        client.deleteTable(name)
        assert name not in client.getTableNames()
        server.create(name)
        assert client.getRow(name, b"r", {}) == []
        server.drop(name)

    def test_a_disabled_table_refuses_everything(self, server: Server) -> None:
        """The real one tries batches again, for seconds, and then has no word of the reason."""
        name = b"drift.disabled"
        client = server.client
        server.drop(name)
        server.create(name)
        client.disableTable(name)
        put = puts({b"m:a": b"1"})
        scanner = client.scannerOpenWithScan(name, TScan(), {})
        for said in (
            refusal(client.getRow, name, b"r", {}),
            refusal(client.mutateRow, name, b"r", put, {}),
            refusal(client.deleteAllRow, name, b"r", {}),
            refusal(client.atomicIncrement, name, b"r", b"m:a", 1),
            refusal(client.checkAndPut, name, b"r", b"m:a", None, put[0], {}),
            refusal(client.scannerGetList, scanner, 1),
        ):
            assert said == (
                "org.apache.hadoop.hbase.TableNotEnabledException: drift.disabled is disabled."
            )
        said = refusal(client.mutateRows, name, [BatchMutation(row=b"r", mutations=put)], {})
        assert "RetriesExhaustedWithDetailsException: Failed 1 action: Backoff time of" in said
        server.drop(name)

    def test_a_missing_table_is_named_by_every_call(self, server: Server) -> None:
        """Calls for several rows say only its name, not what is wrong with it."""
        client = server.client
        put = puts({b"m:a": b"1"})
        scanner = client.scannerOpenWithScan(MISSING, TScan(), {})
        for said in (
            refusal(client.getRow, MISSING, b"r", {}),
            refusal(client.getRowWithColumns, MISSING, b"r", [b"m:a"], {}),
            refusal(client.getRows, MISSING, [b"r"], {}),
            refusal(client.get, MISSING, b"r", b"m:a", {}),
            refusal(client.mutateRow, MISSING, b"r", put, {}),
            refusal(client.deleteAllRow, MISSING, b"r", {}),
            refusal(client.atomicIncrement, MISSING, b"r", b"m:a", 1),
            refusal(client.checkAndPut, MISSING, b"r", b"m:a", None, put[0], {}),
            refusal(client.scannerGetList, scanner, 1),
            refusal(client.scannerGetList, scanner, 1),
            refusal(client.isTableEnabled, MISSING),
            refusal(client.enableTable, MISSING),
            refusal(client.getColumnDescriptors, MISSING),
        ):
            assert said == "org.apache.hadoop.hbase.TableNotFoundException: drift.nowhere"
        assert "TableNotFoundException: drift.nowhere" in refusal(client.disableTable, MISSING)
        assert refusal(client.deleteTable, MISSING) == "java.io.IOException: table does not exist"
        exhausted = "org.apache.hadoop.hbase.client.RetriesExhaustedWithDetailsException: "
        assert refusal(client.getRows, MISSING, [b"r", b"s"], {}) == (
            f"{exhausted}Failed 2 actions: drift.nowhere: 2 times, servers with issues: null"
        )
        one = [BatchMutation(row=b"r", mutations=put)]
        assert refusal(client.mutateRows, MISSING, one, {}) == (
            f"{exhausted}Failed 1 action: drift.nowhere: 1 time, servers with issues: null"
        )
        assert client.getRows(MISSING, [], {}) == []
        assert client.mutateRows(MISSING, [], {}) is None


class TestReading:
    """Rows and their columns."""

    def test_a_name_without_a_colon_is_a_family(self, server: Server, row: bytes) -> None:
        """With one and nothing after it, it is the column with the empty qualifier."""
        server.put(row, {b"m:": b"none", b"m:a": b"a", b"m:a:b": b"ab", b"n:a": b"na"}, 10)
        assert server.row(row, [b"m:"]) == {b"m:": b"none"}
        family = {b"m:": b"none", b"m:a": b"a", b"m:a:b": b"ab"}
        assert server.row(row, [b"m"]) == family
        assert server.row(row, [b"m:a", b"m"]) == family
        assert server.row(row, [b"m", b"m:a"]) == {b"m:a": b"a"}
        assert server.row(row, [b"n", b"m:a", b"m:a"]) == {b"m:a": b"a", b"n:a": b"na"}
        values = [cell.value for cell in server.client.get(TABLE, row, b"m", {})]
        assert values == [b"none", b"a", b"ab"]

    def test_no_columns_are_all(self, server: Server, row: bytes) -> None:
        """An empty list asks for the whole row, as None does."""
        cells = {b"m:a": b"1", b"n:a": b"2"}
        server.put(row, cells, 10)
        assert server.row(row, []) == server.row(row, None) == cells

    def test_a_row_without_the_columns_is_left_out(self, server: Server, row: bytes) -> None:
        """As one that is not there at all."""
        server.put(row, {b"m:a": b"1"}, 10)
        assert server.client.getRowWithColumns(TABLE, row, [b"m:z"], {}) == []
        assert server.client.getRow(TABLE, row + b"?", {}) == []
        assert server.client.get(TABLE, row, b"m:z", {}) == []
        assert server.row(row, [b"m:z", b"m:a"]) == {b"m:a": b"1"}

    def test_rows_come_as_often_as_asked_in_that_order(self, server: Server, row: bytes) -> None:
        """Missing ones leave no gap."""
        for key in (b"1", b"2", b"3"):
            server.put(row + key, {b"m:a": key}, 10)
        asked = [row + key for key in (b"3", b"?", b"1", b"3", b"2")]
        found = server.client.getRows(TABLE, asked, {})
        assert [r.row[-1:] for r in found] == [b"3", b"1", b"3", b"2"]
        assert server.client.getRowsWithColumns(TABLE, asked, [b"m:z"], {}) == []

    def test_columns_come_in_the_order_of_signed_bytes(self, server: Server, row: bytes) -> None:
        """Not in that of their bytes: the server is Java."""
        server.put(row, {b"m:a": b"", b"m:\x80": b"", b"m:": b"", b"m:\x7f": b"", b"m:ab": b""}, 10)
        (found,) = server.client.getRow(TABLE, row, {})
        assert list(found.columns) == [b"m:", b"m:\x80", b"m:a", b"m:ab", b"m:\x7f"]
        assert found.sortedColumns is None

    def test_values_may_be_empty(self, server: Server, row: bytes) -> None:
        """None is written as empty."""
        mutations = [*puts({b"m:a": b""}), Mutation(isDelete=False, column=b"m:b", value=None)]
        server.client.mutateRowTs(TABLE, row, mutations, 10, {})
        assert server.row(row) == {b"m:a": b"", b"m:b": b""}

    def test_any_bytes_survive(self, server: Server, row: bytes) -> None:
        """In keys, columns and values."""
        every = bytes(range(256))
        server.put(row + every, {b"m:" + every: every}, 10)
        assert server.row(row + every) == {b"m:" + every: every}

    def test_a_missing_family_is_named(self, server: Server, row: bytes) -> None:
        """By every call that reads."""
        client = server.client
        no_x = "NoSuchColumnFamilyException: Column family x does not exist in region"
        wanted = [b"m:a", b"x:a"]
        assert no_x in refusal(client.getRowWithColumns, TABLE, row, wanted, {})
        assert no_x in refusal(client.getRowsWithColumns, TABLE, [row], wanted, {})
        assert no_x in refusal(client.get, TABLE, row, b"x:a", {})
        both = refusal(client.getRowsWithColumns, TABLE, [row, b"other"], wanted, {})
        assert "Failed 2 actions: " in both
        assert no_x in both
        scanner = server.open_scan(row, b"", [b"x:a"])
        assert no_x in refusal(client.scannerGetList, scanner, 1)
        assert no_x in refusal(client.scannerGetList, scanner, 1)

    def test_an_empty_or_very_long_key_is_no_key(self, server: Server) -> None:
        """Where writes expect it, else as an error inside the server."""
        client = server.client
        put = puts({b"m:a": b"1"})
        for key, said in ((b"", "Row length is 0"), (b"k" * 2**15, "Row length 32768 is > 32767")):
            assert said in illegal(client.mutateRow, TABLE, key, put, {})
            assert said in illegal(client.checkAndPut, TABLE, key, b"m:a", None, put[0], {})
            batch = [BatchMutation(row=key, mutations=put)]
            assert "mutateRows" in internal_error(client.mutateRows, TABLE, batch, {})
            assert "getRow" in internal_error(client.getRow, TABLE, key, {})
            assert "getRows" in internal_error(client.getRows, TABLE, [b"r", key], {})
            assert "deleteAllRow" in internal_error(client.deleteAllRow, TABLE, key, {})


class TestTime:
    """What timestamps make visible."""

    def test_the_newest_cell_is_seen(self, server: Server, row: bytes) -> None:
        """Whatever was written last."""
        server.put(row, {b"m:a": b"new"}, 100)
        server.put(row, {b"m:a": b"old"}, 50)
        assert server.row(row) == {b"m:a": b"new"}
        (cell,) = server.client.get(TABLE, row, b"m:a", {})
        assert (cell.value, cell.timestamp) == (b"new", 100)

    def test_of_one_timestamp_the_last_write_is_seen(self, server: Server, row: bytes) -> None:
        """Also within one call."""
        server.put(row, {b"m:a": b"first"}, 100)
        server.put(row, {b"m:a": b"second"}, 100)
        twice = [*puts({b"m:b": b"first"}), *puts({b"m:b": b"second"})]
        server.client.mutateRowTs(TABLE, row, twice, 100, {})
        batches = [BatchMutation(row=row, mutations=puts({b"m:c": v})) for v in (b"1", b"2")]
        server.client.mutateRowsTs(TABLE, batches, 100, {})
        assert server.row(row) == {b"m:a": b"second", b"m:b": b"second", b"m:c": b"2"}
        for value in (b"first", b"second"):
            server.put(row, {b"n:a": value}, 100)
        versions = server.client.getVer(TABLE, row, b"n:a", 10, {})
        assert [cell.value for cell in versions] == [b"second"]

    def test_a_read_may_end_before_a_time(self, server: Server, row: bytes) -> None:
        """The bound itself is out; versions that the family does not keep may show."""
        client = server.client
        server.put(row, {b"m:a": b"old"}, 50)
        server.put(row, {b"m:a": b"new", b"n:a": b"new"}, 100)

        def values(found: list[object]) -> list[dict[bytes, bytes]]:
            return [{c: cell.value for c, cell in r.columns.items()} for r in found]  # type: ignore[attr-defined]

        new, old = {b"m:a": b"new", b"n:a": b"new"}, {b"m:a": b"old"}
        assert values(client.getRowTs(TABLE, row, 101, {})) == [new]
        assert values(client.getRowTs(TABLE, row, 100, {})) == [old]
        assert values(client.getRowTs(TABLE, row, 0, {})) == []
        assert values(client.getRowWithColumnsTs(TABLE, row, [b"m:a"], 60, {})) == [old]
        assert values(client.getRowsTs(TABLE, [row, row], 60, {})) == [old, old]
        assert values(client.getRowsWithColumnsTs(TABLE, [row], [b"n"], 60, {})) == []

    def test_a_family_shows_the_versions_it_keeps(self, server: Server, row: bytes) -> None:
        """Newest first, and no more than asked for."""
        client = server.client
        for at_ms in (1, 2, 3):
            server.put(row, {b"m:a": b"%d" % at_ms, b"n:a": b"%d" % at_ms}, at_ms)

        def values(column: bytes, count: int) -> list[bytes]:
            return [cell.value for cell in client.getVer(TABLE, row, column, count, {})]

        assert values(b"m:a", 10) == [b"3"]
        assert values(b"n:a", 10) == [b"3", b"2"]
        assert values(b"n:a", 1) == [b"3"]
        before_3 = client.getVerTs(TABLE, row, b"n:a", 3, 10, {})
        assert [cell.value for cell in before_3] == [b"2", b"1"]
        assert "versions must be positive" in refusal(client.getVer, TABLE, row, b"n:a", 0, {})

    def test_a_deletion_masks_up_to_its_time(self, server: Server, row: bytes) -> None:
        """What is newer stays; what is written later but not newer stays hidden."""
        server.put(row, {b"m:a": b"1", b"m:b": b"1"}, 100)
        server.delete(row, [b"m:a"], 99)
        assert server.row(row, [b"m:a"]) == {b"m:a": b"1"}
        server.delete(row, [b"m:a"], 100)
        assert server.row(row) == {b"m:b": b"1"}
        server.put(row, {b"m:a": b"hidden"}, 100)
        assert server.row(row) == {b"m:b": b"1"}
        server.put(row, {b"m:a": b"2"}, 101)
        assert server.row(row) == {b"m:a": b"2", b"m:b": b"1"}

    def test_a_family_is_deleted_by_its_name(self, server: Server, row: bytes) -> None:
        """Other families stay; columns it did not have yet are masked too."""
        server.put(row, {b"m:": b"1", b"m:a": b"1", b"n:a": b"1"}, 100)
        server.delete(row, [b"m:"], 100)
        assert server.row(row) == {b"m:a": b"1", b"n:a": b"1"}
        server.delete(row, [b"m"], 100)
        server.put(row, {b"m:b": b"hidden"}, 100)
        assert server.row(row) == {b"n:a": b"1"}
        server.put(row, {b"m:b": b"2"}, 101)
        assert server.row(row) == {b"m:b": b"2", b"n:a": b"1"}

    def test_a_row_is_deleted_up_to_a_time(self, server: Server, row: bytes) -> None:
        """All its families, whether or not it is there."""
        client = server.client
        client.deleteAllRow(TABLE, row + b"?", {})
        server.put(row, {b"m:a": b"1", b"n:a": b"1"}, 100)
        client.deleteAllRowTs(TABLE, row, 99, {})
        assert len(server.row(row)) == 2
        client.deleteAllRowTs(TABLE, row, 100, {})
        assert server.row(row) == {}
        server.put(row, {b"m:a": b"2"}, 101)
        assert server.row(row) == {b"m:a": b"2"}
        client.deleteAllRow(TABLE, row, {})
        server.put(row, {b"m:a": b"hidden"}, 102)
        assert server.row(row) == {}

    def test_a_column_is_deleted_up_to_a_time(self, server: Server, row: bytes) -> None:
        """By the call for one column."""
        server.put(row, {b"m:a": b"1", b"m:b": b"1", b"m:c": b"1"}, 100)
        server.client.deleteAllTs(TABLE, row, b"m:a", 100, {})
        server.client.deleteAll(TABLE, row, b"m:b", {})
        assert server.row(row) == {b"m:c": b"1"}

    def test_the_clock_does_not_reach_the_future(self, server: Server, row: bytes) -> None:
        """A write or a deletion of now leaves what is newer."""
        client = server.client
        server.put(row, {b"m:a": b"future"}, FAR_MS)
        client.mutateRow(TABLE, row, deletions([b"m:a"]), {})
        client.mutateRow(TABLE, row, puts({b"m:a": b"now"}), {})
        client.deleteAllRow(TABLE, row, {})
        assert server.row(row) == {b"m:a": b"future"}

    def test_the_largest_timestamp_is_now(self, server: Server, row: bytes) -> None:
        """The one below it is a time as any other."""
        server.put(row, {b"m:a": b"1"}, 2**63 - 1)
        server.put(row, {b"m:b": b"1"}, 2**63 - 2)
        (found,) = server.client.getRow(TABLE, row, {})
        assert found.columns[b"m:a"].timestamp < FAR_MS
        assert found.columns[b"m:b"].timestamp == 2**63 - 2

    def test_no_timestamp_is_negative(self, server: Server, row: bytes) -> None:
        """Zero is one."""
        client = server.client
        put = puts({b"m:a": b"1"})
        said = illegal(client.mutateRowTs, TABLE, row, put, -1, {})
        assert said.endswith("Timestamp cannot be negative. ts=-1")
        batch = [BatchMutation(row=row, mutations=put)]
        assert "mutateRowsTs" in internal_error(client.mutateRowsTs, TABLE, batch, -1, {})
        assert "deleteAllRowTs" in internal_error(client.deleteAllRowTs, TABLE, row, -1, {})
        assert server.row(row) == {}
        server.put(row, {b"m:a": b"1"}, 0)
        assert server.row(row) == {b"m:a": b"1"}

    def test_cells_older_than_the_time_to_live_are_gone(self, server: Server, row: bytes) -> None:
        """At once, if they are written with such a time."""
        now_ms = time.time_ns() // 1_000_000
        server.put(row, {b"t:a": b"1"}, now_ms)
        server.put(row, {b"t:b": b"1"}, now_ms - 200_000)
        server.put(row, {b"t:c": b"1"}, 10)
        assert server.row(row) == {b"t:a": b"1"}
        assert server.check_and_put(row, b"t:b", None, b"2")


class TestWriting:
    """Mutations, one row or many."""

    def test_a_deletion_masks_the_put_of_the_same_call(self, server: Server, row: bytes) -> None:
        """If they share column and time; whichever comes first."""
        both = [*deletions([b"m:a"]), *puts({b"m:a": b"lost", b"m:b": b"1"})]
        server.client.mutateRowTs(TABLE, row, both, 100, {})
        assert server.row(row) == {b"m:b": b"1"}
        key = row + b"2"
        batch = [BatchMutation(row=key, mutations=both[::-1])]
        server.client.mutateRowsTs(TABLE, batch, 100, {})
        assert server.row(key) == {b"m:b": b"1"}

    def test_mutate_rows_deletes_after_it_puts(self, server: Server, row: bytes) -> None:
        """In whatever order they are asked for, at the times of the server's clock."""
        batches = [
            BatchMutation(row=row, mutations=deletions([b"m:a"])),
            BatchMutation(row=row, mutations=puts({b"m:a": b"lost", b"m:b": b"1"})),
        ]
        server.client.mutateRows(TABLE, batches, {})
        assert server.row(row) == {b"m:b": b"1"}

    def test_a_row_is_put_as_a_whole_or_not_at_all(self, server: Server, row: bytes) -> None:
        """A family that is not there stops the columns beside it; deletions went before."""
        client = server.client
        mixed = puts({b"m:a": b"1", b"x:a": b"1"})
        no_x = "NoSuchColumnFamilyException: Column family x does not exist"
        assert no_x in refusal(client.mutateRow, TABLE, row, mixed, {})
        assert server.row(row) == {}
        server.put(row, {b"m:b": b"1", b"m:c": b"1"}, 10)
        mixed += deletions([b"m:b"])
        assert no_x in refusal(client.mutateRow, TABLE, row, mixed, {})
        assert server.row(row) == {b"m:c": b"1"}
        assert no_x in refusal(client.mutateRow, TABLE, row, deletions([b"x:a"]), {})
        assert no_x in refusal(client.mutateRow, TABLE, row, deletions([b"x"]), {})

    def test_of_many_rows_the_good_ones_are_written(self, server: Server, row: bytes) -> None:
        """The error counts the others; deletions come only after puts that all went well."""
        client = server.client
        server.put(row, {b"m:a": b"1"}, 10)
        batches = [
            BatchMutation(row=row + b"1", mutations=puts({b"x:a": b"1"})),
            BatchMutation(row=row + b"2", mutations=puts({b"m:a": b"1"})),
            BatchMutation(row=row + b"3", mutations=puts({b"m:a": b"1", b"x:a": b"1"})),
            BatchMutation(row=row, mutations=deletions([b"m:a"])),
        ]
        said = refusal(client.mutateRows, TABLE, batches, {})
        assert "RetriesExhaustedWithDetailsException: Failed 2 actions: " in said
        assert "NoSuchColumnFamilyException: Column family x does not exist" in said
        found = client.getRows(TABLE, [row, row + b"1", row + b"2", row + b"3"], {})
        assert [r.row for r in found] == [row, row + b"2"]
        batches = [
            BatchMutation(row=row + b"2", mutations=deletions([b"x:a"])),
            BatchMutation(row=row, mutations=deletions([b"m"])),
        ]
        assert "Failed 1 action: " in refusal(client.mutateRows, TABLE, batches, {})
        assert server.row(row) == {}

    def test_a_put_to_a_family_is_nothing_or_an_error(self, server: Server, row: bytes) -> None:
        """One row's is passed over, several rows' is not expected, nor is a check-and-put's."""
        client = server.client
        put = puts({b"m": b"1"})
        client.mutateRow(TABLE, row, put, {})
        client.mutateRow(MISSING, row, put, {})
        assert server.row(row) == {}
        batch = [BatchMutation(row=row, mutations=put)]
        assert "mutateRows" in internal_error(client.mutateRows, TABLE, batch, {})
        call = client.checkAndPut
        assert "checkAndPut" in internal_error(call, TABLE, row, b"m:a", None, put[0], {})
        assert "checkAndPut" in internal_error(server.check_and_put, row, b"m", None, b"1")
        nameless = puts({b":a": b"1"})
        assert "Family cannot be null" in illegal(client.mutateRow, TABLE, row, nameless, {})

    def test_no_mutations_are_no_error(self, server: Server, row: bytes) -> None:
        """For one row and for many."""
        server.client.mutateRow(TABLE, row, [], {})
        server.client.mutateRows(TABLE, [BatchMutation(row=row, mutations=[])], {})
        assert server.row(row) == {}

    def test_a_cell_has_at_most_ten_mebibytes(self, server: Server, row: bytes) -> None:
        """Counted with row, column and 24 bytes more; a batch with a larger one is not begun."""
        client = server.client
        most = 10 * 2**20 - len(row) - len(b"ma") - 24
        server.put(row, {b"m:a": b"x" * most}, 10)
        (cell,) = client.get(TABLE, row, b"m:a", {})
        assert len(cell.value) == most
        (larger,) = puts({b"m:b": b"x" * (most + 1)})
        limit = "DoNotRetryIOException: Cell["
        assert limit in refusal(client.mutateRow, TABLE, row, [larger], {})
        assert limit in refusal(client.checkAndPut, TABLE, row, b"m:b", None, larger, {})
        (larger,) = puts({b"m:b": b"x" * (most + 5)})  # not even sent on
        too_large = "java.lang.IllegalArgumentException: KeyValue size too large"
        assert illegal(client.mutateRow, TABLE, row, [larger], {}) == too_large
        assert illegal(client.checkAndPut, TABLE, row, b"m:b", None, larger, {}) == too_large
        batches = [
            BatchMutation(row=row + b"2", mutations=puts({b"m:a": b"1"})),
            BatchMutation(row=row, mutations=[larger]),
        ]
        assert illegal(client.mutateRows, TABLE, batches, {}) == too_large
        assert server.row(row + b"2") == {}
        assert list(server.row(row)) == [b"m:a"]

    def test_a_call_may_be_larger_than_its_cells(self, server: Server, row: bytes) -> None:
        """Over the buffered transport, both ways."""
        keys = [row + b"%d" % n for n in range(20)]
        put = puts({b"m:a": b"x" * 1_000_000})
        batches = [BatchMutation(row=key, mutations=put) for key in keys]
        server.client.mutateRowsTs(TABLE, batches, 10, {})
        found = server.client.getRows(TABLE, keys, {})
        assert sum(len(r.columns[b"m:a"].value) for r in found) == 20_000_000


class TestCounters:
    """Increments."""

    def test_a_counter_starts_at_zero_and_wraps(self, server: Server, row: bytes) -> None:
        """It is a signed 64-bit number, big-endian; adding nothing makes it too."""
        add = server.client.atomicIncrement
        assert [add(TABLE, row, b"m:n", by) for by in (5, -7, 0)] == [5, -2, -2]
        assert add(TABLE, row, b"m:z", 0) == 0
        assert server.row(row) == {b"m:n": struct.pack(">q", -2), b"m:z": bytes(8)}
        assert add(TABLE, row, b"m:x", 2**63 - 1) == 2**63 - 1
        assert add(TABLE, row, b"m:x", 1) == -(2**63)
        assert [add(TABLE, row, column, 1) for column in (b"m", b"m:")] == [1, 2]

    def test_only_eight_bytes_are_a_counter(self, server: Server, row: bytes) -> None:
        """Whoever wrote them."""
        server.put(row, {b"m:a": b"12345", b"m:b": b"", b"m:c": struct.pack(">q", 41)}, 10)
        add = server.client.atomicIncrement
        wide = "DoNotRetryIOException: Field is not a long, it's {} bytes wide"
        assert wide.format(5) in refusal(add, TABLE, row, b"m:a", 1)
        assert wide.format(0) in refusal(add, TABLE, row, b"m:b", 1)
        assert add(TABLE, row, b"m:c", 1) == 42
        assert "NoSuchColumnFamily" in refusal(add, TABLE, row, b"x:a", 1)

    def test_an_increment_is_newer_than_what_it_adds_to(self, server: Server, row: bytes) -> None:
        """By a millisecond at least; under a deletion of the future it gets lost."""
        server.put(row, {b"m:a": struct.pack(">q", 1)}, FAR_MS)
        assert server.client.atomicIncrement(TABLE, row, b"m:a", 1) == 2
        (cell,) = server.client.get(TABLE, row, b"m:a", {})
        assert (cell.value, cell.timestamp) == (struct.pack(">q", 2), FAR_MS + 1)
        server.delete(row, [b"m:b"], FAR_MS)
        assert server.client.atomicIncrement(TABLE, row, b"m:b", 3) == 3
        assert server.client.atomicIncrement(TABLE, row, b"m:b", 3) == 3
        assert server.row(row, [b"m:b"]) == {}

    def test_increments_of_several_connections_all_count(self, server: Server, row: bytes) -> None:
        """Each is atomic."""

        def count() -> None:
            other = Server(server.port)
            for _ in range(25):
                other.client.atomicIncrement(TABLE, row, b"m:n", 1)
            other.close()

        in_threads(4, count)
        assert server.client.atomicIncrement(TABLE, row, b"m:n", 0) == 100


class TestCheckAndPut:
    """Changing a cell from what it is expected to hold."""

    def test_a_cell_changes_only_from_what_it_holds(self, server: Server, row: bytes) -> None:
        """None expects it to be absent."""
        assert not server.check_and_put(row, b"m:a", b"0", b"1")
        assert server.check_and_put(row, b"m:a", None, b"1")
        assert not server.check_and_put(row, b"m:a", None, b"2")
        assert not server.check_and_put(row, b"m:a", b"0", b"2")
        assert server.check_and_put(row, b"m:a", b"1", b"2")
        assert server.row(row) == {b"m:a": b"2"}

    @pytest.mark.parametrize("expected", [None, b""])
    def test_an_empty_value_counts_as_absent(
        self, server: Server, row: bytes, expected: bytes | None
    ) -> None:
        """Expecting nothing and expecting an empty value are the same."""
        key = row + repr(expected).encode()
        server.put(key, {b"m:a": b"", b"m:b": b"1"}, 10)
        assert server.check_and_put(key, b"m:a", expected, b"2")
        assert not server.check_and_put(key, b"m:b", expected, b"2")
        assert server.check_and_put(key, b"m:c", expected, b"2")

    def test_another_column_of_the_row_may_be_written(self, server: Server, row: bytes) -> None:
        """With a family that exists, which is looked at only when the check holds."""
        server.put(row, {b"m:a": b"1"}, 10)
        call = server.client.checkAndPut
        other, nowhere = puts({b"n:a": b"2", b"x:a": b"2"})
        assert call(TABLE, row, b"m:a", b"1", other, {})
        assert server.row(row) == {b"m:a": b"1", b"n:a": b"2"}
        assert not call(TABLE, row, b"m:a", b"0", nowhere, {})
        no_x = "NoSuchColumnFamilyException: Column family x does not exist"
        assert no_x in refusal(call, TABLE, row, b"m:a", b"1", nowhere, {})
        assert no_x in refusal(call, TABLE, row, b"x:a", b"1", other, {})

    def test_it_writes_no_earlier_than_what_it_checked(self, server: Server, row: bytes) -> None:
        """What it writes is not hidden by a value of the future that it replaces."""
        server.put(row, {b"m:a": b"1"}, FAR_MS)
        assert server.check_and_put(row, b"m:a", b"1", b"2")
        (cell,) = server.client.get(TABLE, row, b"m:a", {})
        assert (cell.value, cell.timestamp) == (b"2", FAR_MS)

    def test_it_never_deletes(self, server: Server, row: bytes) -> None:
        """A deletion is taken for a put of nothing."""
        server.put(row, {b"m:a": b"1"}, 10)
        (deletion,) = deletions([b"m:a"])
        assert server.client.checkAndPut(TABLE, row, b"m:a", b"1", deletion, {})
        assert server.row(row) == {b"m:a": b""}

    def test_of_several_connections_one_wins(self, server: Server, row: bytes) -> None:
        """It is atomic."""
        wins: list[bool] = []
        barrier = threading.Barrier(4)

        def contend() -> None:
            other = Server(server.port)
            for turn in range(100):
                barrier.wait()
                expected = b"%d" % (turn - 1) if turn else None
                wins.append(other.check_and_put(row, b"m:a", expected, b"%d" % turn))
            other.close()

        in_threads(4, contend)
        assert wins.count(True) == 100


class TestScans:
    """Ranges of rows."""

    @pytest.fixture
    def keys(self, server: Server, row: bytes) -> list[bytes]:
        """Four rows, of which every other one has a second column."""
        keys = [row + suffix for suffix in (b"\x00", b"1", b"2", b"\xff")]
        for place, key in enumerate(keys):
            odd = {b"n:odd": b"1"} if place % 2 else {}
            server.put(key, {b"m:a": b"1", **odd}, 10)
        return keys

    def test_a_scan_goes_from_start_to_before_stop(self, server: Server, keys: list[bytes]) -> None:
        """In the order of the keys' bytes."""
        after = keys[-1] + b"\x00"
        assert [key for key, _ in server.scan(keys[0], after)] == keys
        assert [key for key, _ in server.scan(keys[1], keys[3])] == keys[1:3]
        assert [key for key, _ in server.scan(keys[1], keys[1] + b"\x00")] == keys[1:2]
        assert server.scan(keys[3], keys[0]) == []

    def test_no_bounds_are_the_whole_table(self, server: Server, keys: list[bytes]) -> None:
        """Whether they are empty or not there."""
        every = [key for key, _ in server.scan(b"", b"")]
        assert set(keys) <= set(every)
        scanner = server.client.scannerOpenWithScan(TABLE, TScan(), {})
        assert [r.row for r in server.client.scannerGetList(scanner, 1000)] == every
        server.client.scannerClose(scanner)

    def test_a_scan_from_a_row_to_itself_is_that_row(
        self, server: Server, keys: list[bytes]
    ) -> None:
        """Not the empty range."""
        assert [key for key, _ in server.scan(keys[1], keys[1])] == [keys[1]]
        assert server.scan(keys[1] + b"?", keys[1] + b"?") == []

    def test_a_scan_gives_rows_that_have_the_columns(
        self, server: Server, keys: list[bytes]
    ) -> None:
        """A column or a family; no columns are all."""
        after = keys[-1] + b"\x00"
        odd = [(key, [b"n:odd"]) for key in keys[1::2]]
        assert server.scan(keys[0], after, [b"n:odd"]) == odd
        assert server.scan(keys[0], after, [b"n"]) == odd
        assert server.scan(keys[0], keys[2], []) == [
            (keys[0], [b"m:a"]),
            (keys[1], [b"m:a", b"n:odd"]),
        ]
        server.delete(keys[3], [b"n:odd"], 10)
        assert server.scan(keys[0], after, [b"n:odd"]) == odd[:1]

    def test_a_scan_may_end_before_a_time(self, server: Server, keys: list[bytes]) -> None:
        """As a read may."""

        def rows_before(at_ms: int) -> int:
            scan = TScan(startRow=keys[0], stopRow=keys[3], timestamp=at_ms)
            scanner = server.client.scannerOpenWithScan(TABLE, scan, {})
            found = server.client.scannerGetList(scanner, 100)
            server.client.scannerClose(scanner)
            return len(found)

        assert (rows_before(10), rows_before(11)) == (0, 3)

    def test_a_scan_shows_the_table_as_it_was_at_its_first_page(
        self, server: Server, keys: list[bytes]
    ) -> None:
        """What is written before it is read from is seen, what is written after is not."""
        client = server.client
        after = keys[-1] + b"\x00"
        scanner = server.open_scan(keys[0], after)
        early, late = keys[0] + b"early", keys[1] + b"late"
        server.put(early, {b"m:a": b"1"}, 10)
        assert [r.row for r in client.scannerGetList(scanner, 2)] == [keys[0], early]
        server.put(late, {b"m:a": b"1"}, 10)
        server.delete(keys[2], [b"m:a"], 10)
        server.put(keys[3], {b"m:a": b"2"}, 11)
        rest = client.scannerGetList(scanner, 100)
        assert [r.row for r in rest] == keys[1:]
        assert rest[-1].columns[b"m:a"].value == b"1"
        client.scannerClose(scanner)

    def test_a_scanner_is_used_up_and_closed(self, server: Server, keys: list[bytes]) -> None:
        """From any connection; after its end it is empty, after closing it is none."""
        client = server.client
        scanner = server.open_scan(keys[0], keys[3])
        assert client.scannerGetList(scanner, 0) == []
        assert [r.row for r in client.scannerGetList(scanner, 1)] == keys[:1]
        other = Server(server.port)
        assert [r.row for r in other.client.scannerGetList(scanner, 1)] == keys[1:2]
        other.close()
        assert [r.row for r in client.scannerGetList(scanner, 5)] == keys[2:3]
        assert client.scannerGetList(scanner, 5) == []
        assert client.scannerGetList(scanner, 5) == []
        client.scannerClose(scanner)
        assert illegal(client.scannerGetList, scanner, 5) == "scanner ID is invalid"
        assert illegal(client.scannerClose, scanner) == "scanner ID is invalid"


class TestWire:
    """The protocol below the calls."""

    def test_an_answer_has_the_number_of_its_call(self, server: Server) -> None:
        """Calls that come at once are answered in turn."""
        answers = talk(server.port, message(b"isTableEnabled", 7) + message(b"noSuchCall", 8))
        assert answers.startswith(message(b"isTableEnabled", 7, kind=2, body=b""))
        unknown = message(b"noSuchCall", 8, kind=3, body=b"")
        assert answers.partition(unknown)[2].startswith(
            text(1, b"Invalid method name: 'noSuchCall'")
        )

    def test_what_is_no_call_ends_the_connection(self, server: Server) -> None:
        """Without an answer."""
        assert talk(server.port, b"\xff" * 100) == b""

    def test_an_error_leaves_the_connection_usable(self, server: Server) -> None:
        """Whatever error it was."""
        other = Server(server.port)
        refusal(other.client.getRow, MISSING, b"r", {})
        internal_error(other.client.getRow, TABLE, b"", {})
        illegal(other.client.scannerClose, 2**31 - 1)
        assert other.client.isTableEnabled(TABLE)
        other.close()
