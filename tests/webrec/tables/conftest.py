"""Tables in a new store, and in every kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from hbase_schema import names as t
from tests.support.thrift_gateway import ThriftGateway
from webrec.storage import open_store
from webrec.tables.tables import Tables


@pytest.fixture(scope="module", params=["sqlite", "buffered", "framed"])
def store_uri(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URI of a store: the embedded one, and a Thrift server over both transports."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store')}/webrec.db"
        return
    with ThriftGateway(framed=request.param == "framed") as gateway:
        yield gateway.store_uri("tables")


@pytest.fixture
def anywhere(store_uri: str) -> Iterator[Tables]:
    """Tables in a store of each kind, without campaigns."""
    with closing(open_store(store_uri)) as store:
        tables = Tables(store)
        tables.create()
        rows = [row for row, _ in store.scan(t.CAMPAIGNS)]
        store.delete_many(t.CAMPAIGNS, [(row, None) for row in rows])
        yield tables
