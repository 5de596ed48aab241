"""The server of a store on HBase is read from its URI."""

from __future__ import annotations

import pytest

from webrec.errors import UsageError
from webrec.storage import open_store
from webrec.storage.hbase_uri import Server


@pytest.mark.parametrize(
    ("uri", "server"),
    [
        ("hbase://h:9090/p", Server("h", 9090, "p")),
        ("hbase://h/p", Server("h", 9090, "p", "buffered", "SNAPPY")),
        ("hbase://10.0.0.1:1/web_rec-2", Server("10.0.0.1", 1, "web_rec-2")),
        ("hbase://h/p?transport=framed", Server("h", 9090, "p", "framed")),
        ("hbase://h/p?compression=gz", Server("h", 9090, "p", compression="GZ")),
        (
            "hbase://h:2/p?compression=NONE&transport=buffered",
            Server("h", 2, "p", "buffered", "NONE"),
        ),
    ],
)
def test_a_uri_names_a_server(uri: str, server: Server) -> None:
    """With its options, and without them as HBase is commonly run."""
    assert Server.of(uri) == server
    assert str(server) == f"hbase://{server.host}:{server.port}/{server.prefix}"
    assert server.table("meta") == f"{server.prefix}.meta"


@pytest.mark.parametrize(
    ("uri", "fix"),
    [
        ("hbase://", "use hbase://host:9090/prefix"),
        ("hbase://h:9090", "use hbase://host:9090/prefix"),
        ("hbase://h:9090/", "use hbase://host:9090/prefix"),
        ("hbase:///p", "use hbase://host:9090/prefix"),
        ("hbase://h:0/p", "use hbase://host:9090/prefix"),
        ("hbase://h:port/p", "use hbase://host:9090/prefix"),
        ("hbase://h:70000/p", "use hbase://host:9090/prefix"),
        ("hbase://h/a/b", "letters, digits, _ and -"),
        ("hbase://h/a.b", "letters, digits, _ and -"),
        ("hbase://h/-a", "letters, digits, _ and -"),
        ("hbase://h/p?transport=http", "transport is one of buffered, framed"),
        ("hbase://h/p?transport=", "transport is one of buffered, framed"),
        ("hbase://h/p?compression=zip", "compression is one of SNAPPY, GZ, LZ4, ZSTD, NONE"),
        ("hbase://h/p?tls=1&x=", "tls, x is no option; there are transport and compression"),
    ],
)
def test_a_uri_that_cannot_be_meant(uri: str, fix: str) -> None:
    """It is quoted, with what it should be."""
    with pytest.raises(UsageError) as caught:
        open_store(uri)
    assert repr(uri) in str(caught.value)
    assert fix in str(caught.value)
