"""Where a log on HDFS lies is read from its URI."""

from __future__ import annotations

import pytest

from webrec.rawlog import hdfs_uri


@pytest.mark.parametrize(
    ("uri", "user", "hosts", "path"),
    [
        ("hdfs://nn:9870/webrec/log", "webrec", ("nn:9870",), "/webrec/log"),
        ("hdfs://nn/log/", "webrec", ("nn:9870",), "/log"),
        ("hdfs://ops@nn-1:50070/log", "ops", ("nn-1:50070",), "/log"),
        ("hdfs://nn1:1,nn2/a b", "webrec", ("nn1:1", "nn2:9870"), "/a b"),
        ("hdfs://[::1]:9870/log", "webrec", ("[::1]:9870",), "/log"),
    ],
)
def test_a_uri_says_who_and_where(uri: str, user: str, hosts: tuple[str, ...], path: str) -> None:
    """User and port have defaults; there may be more than one NameNode."""
    assert hdfs_uri.Address.of(uri) == (user, hosts, path)
