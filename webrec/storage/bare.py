"""Bare reads of HBase: one driver connection and nothing of ours in between, for a benchmark.

A recommendation needs two rows of its visitor. What the driver alone takes to read them is, with
what the HTTP stack alone takes, the least that a recommendation from HBase can take.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import happybase

from hbase_schema import keys
from hbase_schema import tables as t
from webrec.storage.server import Server


class BareRead(NamedTuple):
    """Seconds to read each of a visitor's two rows."""

    recent: float
    profile: float


class BareReader:
    """One connection to a Thrift server.

    Args:
        uri: of the store; see `webrec.storage.open_store`.
        generation: whose profiles are read.
    """

    def __init__(self, uri: str, generation: str) -> None:
        server = Server.of(uri)
        self._connection = happybase.Connection(
            server.host,
            server.port,
            table_prefix=server.prefix,
            table_prefix_separator=".",
            transport=server.transport,
        )
        self._recent = self._connection.table(t.RECENT)
        self._profiles = self._connection.table(t.generation_table(generation, "profiles"))

    def read(self, visitor: str) -> BareRead:
        """Read both rows, one after the other, and say how long each took."""
        row = keys.visitor_key(visitor)
        began = time.perf_counter()
        self._recent.row(row)
        between = time.perf_counter()
        self._profiles.row(row)
        return BareRead(between - began, time.perf_counter() - between)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
