"""What the tests of the batch share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.worlds import ingest_known, opened
from webrec.rawlog.local import LocalLog
from webrec.serving.engine import Engine
from webrec.storage import open_store
from webrec.tables.tables import Tables


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The known-answer world, before its first batch."""
    with opened(tmp_path) as engine:
        ingest_known(engine)
        yield engine


@pytest.fixture
def log(tmp_path: Path) -> LocalLog:
    """A new log."""
    return LocalLog(tmp_path / "log")


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    """The tables of a new store."""
    with closing(open_store(f"sqlite:///{tmp_path}/webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        yield tables
