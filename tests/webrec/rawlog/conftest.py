"""HDFS in memory or a real one, and machines that log on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.webhdfs import WebHdfs
from tests.webrec.rawlog.hdfs_logs import (
    Opener,
    machines,
)
from webrec.rawlog import shipping, webhdfs


@pytest.fixture
def hdfs() -> Iterator[WebHdfs]:
    """A running HDFS without anything on it."""
    with WebHdfs() as hdfs:
        yield hdfs


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two attempts, and no timeout as long as outside of tests."""
    for name in ("SHIPPING", "STATUS"):
        monkeypatch.setattr(webhdfs, name, webhdfs.Timeouts(10.0, 10.0))
    monkeypatch.setattr(webhdfs, "READING", webhdfs.Timeouts(10.0, 10.0, 4, 0.01))
    monkeypatch.setattr(shipping, "_LONGEST_PAUSE_S", 0.0)


@pytest.fixture
def machine(tmp_path: Path, hdfs: WebHdfs, short_timeouts: None) -> Iterator[Opener]:
    """Opens the log as a process of a machine does, by the machine's name."""
    with machines(tmp_path, hdfs.uri()) as opener:
        yield opener


@pytest.fixture(params=["memory", pytest.param("cluster", marks=pytest.mark.slow)])
def anywhere(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Opener]:
    """As `machine`, on an HDFS in memory and on a real one."""
    if request.param == "memory":
        yield request.getfixturevalue("machine")
        return
    path = f"test/{tmp_path.name}/{time.time_ns()}"
    with machines(tmp_path, request.getfixturevalue("cluster").log_uri(path)) as opener:
        yield opener
