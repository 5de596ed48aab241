"""What a store lost or changed is found before it is published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from hbase_schema import names as t
from hbase_schema.cells import PageCell
from tests.webrec.batch.small_generation import contents, write
from webrec.batch import publish
from webrec.errors import WebrecError
from webrec.storage.base import Cells
from webrec.storage.sqlite import SqliteStore
from webrec.tables.tables import Tables


class _Losing(SqliteStore):
    """A store that forgets to write a row of one table."""

    losing = ""

    def put_many(self, table: str, rows: Iterator[tuple[bytes, Cells]]) -> None:  # type: ignore[override]
        """Write all rows but the first."""
        given: Sequence[tuple[bytes, Cells]] = list(rows)
        super().put_many(table, given[1:] if table.endswith(self.losing) else given)


@pytest.mark.parametrize("kind", t.KINDS)
def test_what_the_store_lost_is_found(tmp_path: Path, kind: str) -> None:
    """A generation of which a row is missing is never published."""
    with closing(_Losing(tmp_path / "webrec.db")) as store:
        tables = Tables(store)  # type: ignore[arg-type]
        tables.create()
        store.losing = kind
        with pytest.raises(WebrecError, match="the store holds"):
            write(tables, contents())


def test_what_the_store_changed_is_found(tables: Tables) -> None:
    """Pages are compared, not only counted."""

    def report(doing: str, _done: int, _total: int) -> None:
        if doing == "verifying":
            tables.pages.put("000001", [PageCell("https://site.example/0", 0, 0, 99, 0)])

    with pytest.raises(WebrecError, match="the store gives"):
        publish.write(tables, contents(), report)


def test_an_array_that_changed_is_found(tables: Tables) -> None:
    """Arrays are compared, not only counted."""

    def report(doing: str, _done: int, _total: int) -> None:
        if doing == "verifying":
            tables.arrays.put("000001", {"users": {"idf": np.array([0.5, 3.0])}})

    with pytest.raises(WebrecError, match=r"arrays of learner users .* the store holds others"):
        publish.write(tables, contents(), report)
