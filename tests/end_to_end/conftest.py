"""The known-answer world in a home for real processes."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.running import build_world


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


@pytest.fixture
def on_cluster(cluster: Cluster) -> dict[str, str]:
    """The settings for a store and a log of one test on HBase and HDFS, both new."""
    name = f"test-{secrets.token_hex(4)}"
    return {"store": cluster.store_uri(name), "log": cluster.log_uri(f"{name}/log")}
