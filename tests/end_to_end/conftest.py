"""The known-answer world in a home for real processes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.running import build_world


@pytest.fixture(scope="session")
def world_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose batch has run over the known-answer world; to be copied."""
    home = tmp_path_factory.mktemp("world") / "home"
    build_world(home)
    return home


@pytest.fixture
def home(world_home: Path, tmp_path: Path) -> Path:
    """A copy of the world for one test."""
    return shutil.copytree(world_home, tmp_path / "home")
