"""A small generation in a store of its own, and loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.support.worlds import publish
from tests.webrec.model.known import WORLD
from webrec.model.files import load
from webrec.model.model import Model
from webrec.storage import open_store
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    """The tables of a new store."""
    with closing(open_store(f"sqlite:///{tmp_path}/webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        yield tables


@pytest.fixture
def generation(tables: Tables) -> Generation:
    """The world, published."""
    return publish(tables, WORLD, Random(1))


@pytest.fixture
def model(tables: Tables, generation: Generation, tmp_path: Path) -> Model:
    """The world, loaded."""
    return load(tables, generation, tmp_path / "cache")
