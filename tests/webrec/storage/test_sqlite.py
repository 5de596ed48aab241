"""The embedded store keeps the contract, also between processes."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.store import FAMILIES, StoreContract
from webrec.errors import StoreUnavailable, UsageError
from webrec.storage import Store, open_store, sqlite_pool
from webrec.tables.tables import Tables


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new database."""
    store = open_store(f"sqlite:///{tmp_path}/deep/webrec.db")
    yield store
    store.close()


class TestSqliteStore(StoreContract):
    """SQLite keeps the contract."""


def _count_in_another_process(uri: str) -> None:
    tables = Tables(open_store(uri))
    for _ in range(50):
        tables.meta.next_number(b"things")


def test_processes_share_one_file(tmp_path: Path) -> None:
    """Numbers taken by four processes at once all differ."""
    uri = f"sqlite:///{tmp_path}/webrec.db"
    store = open_store(uri)
    Tables(store).create()
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_count_in_another_process, args=(uri,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Tables(store).meta.next_number(b"things") == 201
    store.close()


def test_a_fork_leaves_the_connections_to_its_parent(store: Store) -> None:
    """It opens its own, and closes none but these."""
    store.create_table("t", FAMILIES)
    store.put_many("t", [(b"row", {b"m:a": b"1"})])
    child = os.fork()
    if child == 0:
        try:
            store.put_many("t", [(b"row", {b"m:b": b"2"})])
            store.close()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert store.get("t", b"row") == {b"m:a": b"1", b"m:b": b"2"}


def test_a_busy_database_is_our_error(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that waits too long gets StoreUnavailable, and the next attempt works."""
    monkeypatch.setattr(sqlite_pool, "_BUSY_TIMEOUT_S", 0.05)
    store.create_table("t", FAMILIES)
    store.close()
    other = sqlite3.connect(tmp_path / "deep" / "webrec.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.put_many("t", [(b"r", {b"m:a": b"1"})])
    other.execute("ROLLBACK")
    store.put_many("t", [(b"r", {b"m:a": b"1"})])
    other.close()
    assert store.get("t", b"r") == {b"m:a": b"1"}


def test_a_folder_that_cannot_be_made_is_our_error(tmp_path: Path) -> None:
    """A store below a file cannot be opened, and the message names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="file"):
        open_store(f"sqlite:///{tmp_path}/file/below/webrec.db")


@pytest.mark.parametrize("uri", ["mysql://x", "sqlite://", "sqlite:///", "webrec.db", ""])
def test_an_unknown_uri_is_refused(uri: str) -> None:
    """A URI no back end knows says which would do."""
    with pytest.raises(UsageError, match="sqlite:///"):
        open_store(uri)
