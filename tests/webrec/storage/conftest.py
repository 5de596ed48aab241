"""Stores on HBase: on the gateway, over both transports, and on the real one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.contracts.store import FAMILIES
from tests.support.interruptions import Wire
from tests.support.thrift_gateway import ThriftGateway
from tests.webrec.storage.hbase_stores import PREFIX, Place
from webrec.storage import Store, open_store


@pytest.fixture(
    scope="module",
    params=[
        "buffered",
        pytest.param("framed", marks=pytest.mark.slow),
        pytest.param("hbase", marks=pytest.mark.slow),
    ],
)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The gateway over both transports, and the real one."""
    if request.param == "hbase":
        yield Place(request.getfixturevalue("cluster").thrift_port)
        return
    with ThriftGateway(framed=request.param == "framed") as gateway:
        yield Place(gateway.port, "?transport=framed" if request.param == "framed" else "")


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """A store without tables."""
    with closing(open_store(place.uri())) as store:
        for table in store.tables():
            store.drop_table(table)
        yield store
        for table in store.tables():
            store.drop_table(table)


@pytest.fixture
def table(store: Store) -> str:
    """An empty table."""
    store.create_table("things", FAMILIES)
    return "things"


@pytest.fixture
def gateway() -> Iterator[ThriftGateway]:
    """A gateway to break, with an empty table."""
    with ThriftGateway() as gateway:
        with closing(open_store(gateway.store_uri(PREFIX))) as store:
            store.create_table("things", FAMILIES)
        yield gateway


@pytest.fixture
def shaky(gateway: ThriftGateway) -> Iterator[Store]:
    """A store on it that has been answered, and gives up soon."""
    with closing(open_store(gateway.store_uri(PREFIX), retry_timeout_s=0)) as store:
        store.ping()
        yield store


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The client's side of the connections."""
    return Wire(monkeypatch)
