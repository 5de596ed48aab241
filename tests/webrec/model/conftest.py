"""A small generation in a store of its own, and loaded."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.support.worlds import publish
from tests.webrec.model.known import WORLD
from webrec.model.files import load
from webrec.model.model import Model
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables


@pytest.fixture
def generation(tables: Tables) -> Generation:
    """The world, published."""
    return publish(tables, WORLD, Random(1))


@pytest.fixture
def model(tables: Tables, generation: Generation, tmp_path: Path) -> Model:
    """The world, loaded."""
    return load(tables, generation, tmp_path / "cache")
