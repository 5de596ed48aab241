"""The HBase driver alone, as a yardstick for benchmarks; no store, and no request comes here.

A recommendation needs two rows of its visitor. What one connection of the driver takes to read
them, with nothing of ours in between, is, with what the HTTP stack alone takes, the least that a
recommendation from HBase can take. It is here since no other package may know the driver.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import happybase
from thriftpy2.thrift import TException

from hbase_schema import names as t
from hbase_schema import row_keys as keys
from webrec.errors import StoreUnavailable
from webrec.storage.hbase_uri import Server


class BareRead(NamedTuple):
    """Seconds to read each of a visitor's two rows."""

    recent: float
    profile: float


class BareReader:
    """Reads over one connection.

    Args:
        connection: the driver's, open.
        generation: whose profiles are read.
    """

    def __init__(self, connection: happybase.Connection, generation: str) -> None:
        self._recent = connection.table(t.RECENT)
        self._profiles = connection.table(t.generation_table(generation, "profiles"))

    def read(self, visitor: str) -> BareRead:
        """Read both rows, one after the other, and say how long each took."""
        row = keys.visitor_key(visitor)
        started = time.perf_counter()
        self._recent.row(row)
        between = time.perf_counter()
        self._profiles.row(row)
        return BareRead(between - started, time.perf_counter() - between)


@contextmanager
def bare_reader(uri: str, generation: str) -> Iterator[BareReader]:
    """A reader over a connection of its own; for a short while, since the server ends idle ones.

    Args:
        uri: of the store; see `webrec.storage.open_store`.

    Raises:
        StoreUnavailable: the server does not answer, or with an error.
    """
    server = Server.of(uri)
    try:
        connection = happybase.Connection(
            server.host,
            server.port,
            table_prefix=server.prefix,
            table_prefix_separator=".",
            transport=server.transport,
        )
        try:
            yield BareReader(connection, generation)
        finally:
            connection.close()
    except (OSError, TException) as error:
        raise StoreUnavailable(f"{server}: {error}") from error
