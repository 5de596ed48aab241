"""What every store must do; a test class per back end inherits this one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from hbase_schema.families import Family
from webrec.errors import NotFound
from webrec.storage import Store, Swap

FAMILIES = (Family("m"), Family("n"))


class StoreContract:
    """The behaviour of `webrec.storage.base.Store`; a subclass gives the fixture ``store``."""

    scans = 60
    """While other rows come and go."""

    @pytest.fixture
    def table(self, store: Store) -> Iterator[str]:
        """An empty table."""
        store.create_table("things", FAMILIES)
        yield "things"
        store.drop_table("things")

    def test_a_missing_row_is_empty(self, store: Store, table: str) -> None:
        """A row nobody wrote has no cells."""
        assert store.get(table, b"nobody") == {}

    def test_cells_come_back_as_written(self, store: Store, table: str) -> None:
        """Any bytes survive, zero bytes and a megabyte included."""
        cells = {b"m:a": bytes(range(256)), b"m:b": b"x" * 1_000_000, b"n:": b"empty qualifier"}
        store.put_many(table, [(b"row\x00\xff", cells)])
        assert store.get(table, b"row\x00\xff") == cells

    def test_only_the_columns_asked_for(self, store: Store, table: str) -> None:
        """A read may name columns; absent ones are left out."""
        store.put_many(table, [(b"r", {b"m:a": b"1", b"m:b": b"2", b"n:a": b"3"})])
        assert store.get(table, b"r", [b"m:b", b"n:a", b"n:z"]) == {b"m:b": b"2", b"n:a": b"3"}

    def test_a_put_replaces_its_cell_and_leaves_the_others(self, store: Store, table: str) -> None:
        """Writing is by cell."""
        store.put_many(table, [(b"r", {b"m:a": b"1", b"m:b": b"2"})])
        store.put_many(table, [(b"r", {b"m:a": b"3"})])
        assert store.get(table, b"r") == {b"m:a": b"3", b"m:b": b"2"}

    def test_many_rows_come_in_the_order_asked(self, store: Store, table: str) -> None:
        """Missing rows and repeated ones keep their places."""
        store.put_many(table, ((b"r%d" % i, {b"m:a": b"%d" % i}) for i in range(10)))
        rows = store.get_many(table, [b"r7", b"none", b"r2", b"r7"])
        assert rows == [{b"m:a": b"7"}, {}, {b"m:a": b"2"}, {b"m:a": b"7"}]

    def test_check_and_put(self, store: Store, table: str) -> None:
        """A cell changes only from the value expected, absence included."""
        for swap, is_done in (
            (Swap(None, b"1"), True),
            (Swap(None, b"2"), False),
            (Swap(b"0", b"2"), False),
            (Swap(b"1", b"2"), True),
        ):
            assert store.check_and_put(table, b"m:a", {b"r": swap}) == [is_done]
        assert store.get(table, b"r") == {b"m:a": b"2"}

    def test_check_and_put_of_many(self, store: Store, table: str) -> None:
        """Each row is for itself, and the answers come in the order asked."""
        first = {b"r%03d" % n: Swap(None, b"%d" % n) for n in range(0, 200, 2)}
        assert store.check_and_put(table, b"m:a", first) == [True] * 100
        every = {b"r%03d" % n: Swap(None, b"new") for n in range(200)}
        assert store.check_and_put(table, b"m:a", every) == [False, True] * 100
        mixed = {b"r%03d" % n: Swap(b"new", b"newer") for n in range(200)}
        assert store.check_and_put(table, b"m:a", mixed) == [False, True] * 100
        assert store.get(table, b"r102") == {b"m:a": b"102"}
        assert store.get(table, b"r103") == {b"m:a": b"newer"}

    def test_check_and_put_has_one_winner(self, store: Store, table: str) -> None:
        """Of many who expect the same value, exactly one gets it."""
        wins: list[int] = []
        barrier = threading.Barrier(8)

        def contend(me: int) -> None:
            for turn in range(10):
                barrier.wait()
                expected = b"%d" % (turn - 1) if turn else None
                value = b"%d" % turn
                if store.check_and_put(table, b"m:a", {b"r": Swap(expected, value)}) == [True]:
                    wins.append(me)

        threads = [threading.Thread(target=contend, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(wins) == 10

    def test_delete_columns_and_rows(self, store: Store, table: str) -> None:
        """Columns go one by one, or the row as a whole; what is absent may be deleted."""
        store.put_many(table, [(r, {b"m:a": b"1", b"m:b": b"2"}) for r in (b"r1", b"r2", b"r3")])
        store.delete_many(table, [(b"r1", [b"m:a", b"m:z"]), (b"r2", None), (b"none", None)])
        assert store.get_many(table, [b"r1", b"r2"]) == [{b"m:b": b"2"}, {}]
        assert len(store.get(table, b"r3")) == 2

    def test_scan_goes_in_key_order_over_many_pages(self, store: Store, table: str) -> None:
        """A scan sees every row of its range once, however many there are."""
        keys = [b"%05d" % n for n in range(3_210)]
        store.put_many(table, ((key, {b"m:a": key, b"m:b": b"x"}) for key in reversed(keys)))
        assert [row for row, _ in store.scan(table)] == keys
        part = list(store.scan(table, b"00100", b"02200", [b"m:a"]))
        assert part == [(key, {b"m:a": key}) for key in keys[100:2_200]]

    def test_a_scan_misses_nothing_while_others_are_deleted(self, store: Store, table: str) -> None:
        """Rows that stay are all seen, however many others come and go meanwhile."""
        stay = [b"%05d-stays" % n for n in range(2_500)]
        go = [b"%05d-goes" % n for n in range(2_500)]
        store.put_many(table, ((key, {b"m:a": b"1"}) for key in stay))
        stop = threading.Event()

        def come_and_go() -> None:
            while not stop.is_set():
                store.put_many(table, ((key, {b"m:a": b"1"}) for key in go))
                for start in range(0, len(go), 50):
                    store.delete_many(table, ((key, None) for key in go[start : start + 50]))

        thread = threading.Thread(target=come_and_go)
        thread.start()
        try:
            for _ in range(self.scans):
                seen = {row for row, _ in store.scan(table)}
                assert seen.issuperset(stay)
        finally:
            stop.set()
            thread.join()

    def test_a_table_that_is_not_there(self, store: Store) -> None:
        """Reading from no table says so."""
        with pytest.raises(NotFound, match="nowhere"):
            store.get("nowhere", b"r")

    def test_tables_can_be_made_and_dropped_twice(self, store: Store) -> None:
        """Making or dropping a table again changes nothing."""
        store.create_table("again", FAMILIES)
        store.put_many("again", [(b"r", {b"m:a": b"1"})])
        store.create_table("again", FAMILIES)
        assert store.get("again", b"r")
        assert "again" in store.tables()
        store.drop_table("again")
        store.drop_table("again")
        assert "again" not in store.tables()
