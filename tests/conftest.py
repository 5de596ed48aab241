"""What all tests share."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.cluster import Cluster

# a shell starts what it runs in the background with Ctrl-C ignored, and commands would inherit that
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# how long an example takes is no matter of tests
settings.register_profile("webrec", deadline=None)
settings.load_profile("webrec")

NO_SKIPS = "WEBREC_TEST_NO_SKIPS"
DATA = "WEBREC_TEST_DATA"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real data; the test is skipped where there is none."""
    folder = os.environ.get(DATA)
    if not folder:
        pytest.skip(f"needs real data: set {DATA} to its folder")
    return Path(folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """HBase and HDFS, shared by all tests: use tables of your own, and leave it healthy."""
    from tests.support.cluster import NO_ENGINE, Cluster, engine_answers

    if not engine_answers():
        pytest.skip(NO_ENGINE)
    with Cluster() as started:
        yield started


@pytest.fixture(scope="session")
def world_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose batch has run over the known-answer world; to be copied."""
    from tests.support.running import build_world

    home = tmp_path_factory.mktemp("world") / "home"
    build_world(home)
    return home


@pytest.fixture
def home(world_home: Path, tmp_path: Path) -> Path:
    """A copy of the world for one test."""
    return shutil.copytree(world_home, tmp_path / "home")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything can run, a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get(NO_SKIPS) and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line(f"tests were skipped although {NO_SKIPS} is set", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
