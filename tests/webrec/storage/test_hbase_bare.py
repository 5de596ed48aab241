"""The driver's reads, with nothing of ours in between."""

from __future__ import annotations

from contextlib import closing

import pytest

from hbase_schema import names as t
from hbase_schema import row_keys as keys
from tests.support.thrift_gateway import ThriftGateway
from webrec.bench.health import free_port
from webrec.errors import StoreUnavailable
from webrec.storage import open_store
from webrec.storage.hbase_bare import bare_reader
from webrec.tables.tables import Tables


@pytest.mark.parametrize("framed", [False, True])
def test_both_rows_are_read(framed: bool) -> None:
    """As the tables have them, and as often as asked; how long it took is what comes back."""
    with ThriftGateway(framed=framed) as gateway:
        uri = gateway.store_uri("bare")
        with closing(open_store(uri)) as store:
            tables = Tables(store)
            tables.create()
            tables.generations.create("000001")
            profiles = t.generation_table("000001", "profiles")
            store.put_many(profiles, [(keys.visitor_key("u:v"), {t.COMMUNITY: b""})])
        with bare_reader(uri, "000001") as reader:
            for visitor in ("u:v", "u:stranger"):
                assert min(reader.read(visitor)) > 0


def test_a_table_that_is_not_there() -> None:
    """What the server says becomes our error."""
    with ThriftGateway() as gateway:
        uri = gateway.store_uri("bare")
        with pytest.raises(StoreUnavailable), bare_reader(uri, "000009") as reader:
            reader.read("u:v")


def test_a_server_that_is_not_there() -> None:
    """It is named."""
    port = free_port()
    uri = f"hbase://127.0.0.1:{port}/bare"
    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}"), bare_reader(uri, "000001"):
        pass
