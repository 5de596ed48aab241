"""Versions, counters and the lease."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from hbase_schema import names as t
from hbase_schema.cells import pack_int
from tests.support.tables import campaign, generation
from webrec.errors import LeaseLost
from webrec.storage import open_store
from webrec.tables.tables import Tables


def test_every_write_changes_its_version(tables: Tables) -> None:
    """And no other: a reader sees by one row what to read again."""
    tables.generations.put(generation())
    changes: list[tuple[str, Callable[[], None]]] = [
        ("campaigns", lambda: tables.campaigns.put([campaign("k1")])),
        ("campaigns", lambda: tables.campaigns.put([campaign("k1")])),
        ("campaigns", lambda: tables.campaigns.delete("k1")),
        ("labels", lambda: tables.labels.put("c1", "Food")),
        ("active", lambda: tables.generations.activate("000001", None)),
    ]
    for what, change in changes:
        before = tables.meta.versions()._asdict()
        change()
        after = tables.meta.versions()._asdict()
        assert {name for name in after if after[name] != before[name]} == {what}


def test_numbers_are_never_given_twice(tables: Tables) -> None:
    """Each counter on its own, from 1."""
    assert [tables.meta.next_number(t.NEXT_CATEGORY) for _ in range(3)] == [1, 2, 3]
    assert tables.meta.next_number(t.NEXT_GENERATION) == 1


def test_numbers_of_many_threads_differ(anywhere: Tables, store_uri: str) -> None:
    """None is given twice, and none is left out."""
    counter = b"next:of-many"
    anywhere.store.delete_many(t.META, [(counter, None)])

    def take(_: int) -> list[int]:
        with closing(open_store(store_uri)) as store:
            return [Tables(store).meta.next_number(counter) for _ in range(15)]

    with ThreadPoolExecutor(4) as threads:
        taken = [number for numbers in threads.map(take, range(4)) for number in numbers]
    assert sorted(taken) == list(range(1, 61))


def test_a_counter_goes_on_from_where_it_was(tables: Tables) -> None:
    """Also from a bare number, without the token of a write."""
    tables.store.put_many(t.META, [(b"next:old", {t.VALUE: pack_int(41)})])
    assert [tables.meta.next_number(b"next:old") for _ in range(2)] == [42, 43]


def test_the_lease_changes_hands_by_what_was_read(tables: Tables) -> None:
    """A batch that has read an older one is too late."""
    assert tables.meta.lease() is None
    tables.meta.swap_lease(None, b"one")
    with pytest.raises(LeaseLost):
        tables.meta.swap_lease(None, b"two")
    tables.meta.swap_lease(b"one", b"two")
    assert tables.meta.lease() == b"two"
