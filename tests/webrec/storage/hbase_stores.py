"""Where the tests of the store on HBase have their stores, and what they ask of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.support.thrift_gateway import HOST, ThriftGateway
from webrec.storage import Store, Swap

VALUE = b"m:a"
PREFIX = "hbasetest"


class Place(NamedTuple):
    """Where stores are."""

    port: int
    options: str = ""

    def uri(self, prefix: str = PREFIX, port: int = 0) -> str:
        """A store here; of another port, to come here by."""
        return f"hbase://{HOST}:{port or self.port}/{prefix}{self.options}"


NO_FAMILY: dict[str, Callable[[Store, str], object]] = {
    "get": lambda store, table: store.get(table, b"r", [b"x:a"]),
    "get_many": lambda store, table: store.get_many(table, [b"r", b"s"], [b"x:a"]),
    "put_many": lambda store, table: store.put_many(table, [(b"r", {b"x:a": b"1"})]),
    "put_many of two": lambda store, table: store.put_many(
        table, [(b"r", {b"x:a": b"1"}), (b"s", {b"x:a": b"1"})]
    ),
    "scan": lambda store, table: list(store.scan(table, columns=[b"x:a"])),
    "check_and_put": lambda store, table: store.check_and_put(
        table, b"x:a", {b"r": Swap(None, b"1")}
    ),
    "delete_many": lambda store, table: store.delete_many(table, [(b"r", [b"x:a"])]),
}


def named(gateway: ThriftGateway) -> str:
    """How an error names the store on a gateway."""
    return f"hbase://{HOST}:{gateway.port}/{PREFIX}"
