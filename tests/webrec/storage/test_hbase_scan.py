"""A scan of HBase in pages, each read again where it fails."""

from __future__ import annotations

import pytest

from tests.support.thrift_gateway import ThriftGateway
from tests.webrec.storage.hbase_stores import VALUE
from webrec.storage import Store, hbase_scan


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 13, 14, 15, 30])
def test_a_scan_in_pages(
    store: Store, table: str, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Every row once and in order, wherever pages and answers end."""
    monkeypatch.setattr(hbase_scan, "_ROWS_PER_PAGE", 7)
    monkeypatch.setattr(hbase_scan, "_ROWS_PER_ANSWER", 3)
    # each key is the one after the key before it: none lies between
    rows = [(b"k" + b"\0" * n, {VALUE: b"%d" % n, b"n:b": b"x"}) for n in range(count)]
    store.put_many(table, rows)
    assert list(store.scan(table)) == rows
    assert list(store.scan(table, b"k\0", b"k" + b"\0" * 12)) == rows[1:12]
    assert list(store.scan(table, b"k\0", columns=[VALUE])) == [
        (row, {VALUE: cells[VALUE]}) for row, cells in rows[1:]
    ]


def test_pages_are_cut_by_bytes(
    gateway: ThriftGateway, shaky: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large a row is; the larger they are, the fewer of them are asked for at once."""
    monkeypatch.setattr(hbase_scan, "_PAGE_BYTES", 100_000)
    monkeypatch.setattr(hbase_scan, "_ANSWER_BYTES", 20_000)
    rows = [(b"%03d" % n, {VALUE: b"x" * 30_000}) for n in range(40)]
    shaky.put_many("things", rows)
    before = gateway.calls
    assert list(shaky.scan("things")) == rows
    calls = gateway.calls - before
    assert calls["scannerOpenWithScan"] == calls["scannerClose"] == 6
    shaky.delete_many("things", ((row, None) for row, _ in rows))
    shaky.put_many("things", ((b"%04d" % n, {VALUE: b"x"}) for n in range(2_000)))
    before = gateway.calls
    assert len(list(shaky.scan("things"))) == 2_000
    calls = gateway.calls - before
    assert calls["scannerOpenWithScan"] <= 3
    assert calls["scannerGetList"] < 50


def test_an_empty_range(store: Store, table: str) -> None:
    """Up to its own start, or to before it, there is nothing."""
    store.put_many(table, [(row, {VALUE: b"x"}) for row in (b"a", b"b", b"c")])
    assert list(store.scan(table, b"b", b"b")) == list(store.scan(table, b"b", b"a")) == []
    assert [row for row, _ in store.scan(table, b"b", b"b\0")] == [b"b"]


def test_a_scan_whose_reader_takes_its_time(
    gateway: ThriftGateway, shaky: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No scanner is open while it does, and rows may change behind and before it."""
    monkeypatch.setattr(hbase_scan, "_ROWS_PER_PAGE", 10)
    monkeypatch.setattr(hbase_scan, "_ROWS_PER_ANSWER", 5)
    shaky.put_many("things", ((b"%02d" % n, {VALUE: b"x"}) for n in range(40)))
    seen = []
    for row, _ in shaky.scan("things"):
        seen.append(row)
        calls = gateway.calls
        assert calls["scannerOpenWithScan"] == calls["scannerClose"]
        if row == b"09":
            shaky.delete_many("things", [(b"10", None), (b"19", None), (b"05", None)])
            shaky.put_many("things", [(b"195", {VALUE: b"x"})])
    assert seen == sorted({b"%02d" % n for n in range(40)} - {b"10", b"19"} | {b"195"})


@pytest.mark.parametrize("call", ["scannerOpenWithScan", "scannerGetList", "scannerClose"])
def test_a_page_that_fails_is_read_again(
    gateway: ThriftGateway, shaky: Store, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """No row is missed or seen twice."""
    monkeypatch.setattr(hbase_scan, "_ROWS_PER_PAGE", 10)
    monkeypatch.setattr(hbase_scan, "_ROWS_PER_ANSWER", 5)
    rows = [b"%02d" % n for n in range(40)]
    shaky.put_many("things", ((row, {VALUE: b"x"}) for row in rows))
    seen = []
    for row, _ in shaky.scan("things"):
        seen.append(row)
        if row in (b"09", b"29"):
            gateway.drop_next(call=call)
    assert seen == rows
