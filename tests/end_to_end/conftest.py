"""The known-answer world in a home for real processes."""

from __future__ import annotations

import secrets

import pytest

from tests.support.cluster import Cluster


@pytest.fixture
def on_cluster(cluster: Cluster) -> dict[str, str]:
    """The settings for a store and a log of one test on HBase and HDFS, both new."""
    name = f"test-{secrets.token_hex(4)}"
    return {"store": cluster.store_uri(name), "log": cluster.log_uri(f"{name}/log")}
