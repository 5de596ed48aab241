"""A real HDFS whose servers die while it is written and read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.webrec.rawlog.hdfs_logs import (
    events,
    keeps_shipping,
    machines,
    nothing,
    urls,
    visits,
    write,
)
from webrec.rawlog import shipping

if TYPE_CHECKING:
    from tests.support.cluster import Cluster


@pytest.mark.slow
def test_a_real_hdfs_dies_and_comes_back(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers killed, stopped and frozen while a machine ships: every event is there once."""
    monkeypatch.setattr(shipping, "_LONGEST_PAUSE_S", 1.0)
    faults: list[Callable[[], None]] = [
        lambda: cluster.kill("datanode"),
        lambda: cluster.kill("namenode"),
        lambda: cluster.stop("datanode"),
        lambda: cluster.start("datanode"),
        lambda: cluster.stop("namenode"),
        lambda: cluster.start("namenode"),
        lambda: cluster.pause("namenode"),
        lambda: cluster.resume("namenode"),
        lambda: cluster.pause("datanode"),
        lambda: cluster.resume("datanode"),
        lambda: cluster.kill("namenode", "datanode"),
    ]
    written: list[str] = []
    with machines(tmp_path, cluster.log_uri(f"test/faults/{time.time_ns()}")) as opener:
        log, shipper = opener(), opener()
        with keeps_shipping(shipper):
            for fault in faults:
                for _ in range(5):
                    by = f"u:{len(written)}"
                    written.append(by)
                    write(log, 3_000, by)
                fault()
                time.sleep(1)
            cluster.wait()
            while log.unshipped().segments:
                time.sleep(0.1)
        watermark = log.cut(60, nothing)
        assert watermark.is_complete
        assert events(log, watermark) == urls(*(visits(3_000, by) for by in written))


@pytest.mark.slow
def test_a_read_outlives_a_restart_of_a_real_hdfs(cluster: Cluster, tmp_path: Path) -> None:
    """The DataNode dies in the middle of a file, then the NameNode: it is read to its end."""
    with machines(tmp_path, cluster.log_uri(f"test/reading/{time.time_ns()}")) as opener:
        log = opener()
        segment = log.begin()
        for _ in range(300):
            segment.append(visits(1_000), 1)
        segment.close()
        watermark = log.cut(120, nothing)
        assert log.covered_by(watermark) == [segment.name]
        read = 0
        for record in log.read(segment.name):
            assert record.number == read
            read += 1
            if read == 20_000:
                cluster.kill("datanode")
            if read == 200_000:
                cluster.wait()  # until the one that was killed is there to be killed again
                cluster.kill("datanode", "namenode")
        assert read == 300_000
        cluster.wait()
