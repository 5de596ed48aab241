"""Where an HBase Thrift server is, from a URI; the driver is not needed to know."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

from webrec.errors import UsageError

_DEFAULT_PORT = 9090
_PREFIX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_TRANSPORTS = ("buffered", "framed")
_COMPRESSIONS = ("SNAPPY", "GZ", "LZ4", "ZSTD", "NONE")


class Server(NamedTuple):
    """A Thrift server.

    Attributes:
        prefix: begins the names of all our tables, before a full stop.
        transport: ``buffered`` or ``framed``, as the server was started.
        compression: of new tables; one that the cluster has.
    """

    host: str
    port: int
    prefix: str
    transport: str = "buffered"
    compression: str = "SNAPPY"

    def __str__(self) -> str:
        return f"hbase://{self.host}:{self.port}/{self.prefix}"

    def table(self, name: str) -> str:
        """The full name of one of our tables."""
        return f"{self.prefix}.{name}"

    @classmethod
    def of(cls, uri: str) -> Server:
        """The server that ``hbase://host:9090/prefix?transport=framed&compression=GZ`` names.

        Raises:
            UsageError: it is not understood.
        """
        parts = urlsplit(uri)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        prefix = parts.path.removeprefix("/")
        server = cls(
            parts.hostname or "",
            _port(parts),
            prefix,
            options.pop("transport", "buffered"),
            options.pop("compression", "SNAPPY").upper(),
        )
        if not server.host or not server.port or not _PREFIX.fullmatch(prefix):
            raise UsageError(
                f"the store {uri!r} is not understood: use hbase://host:9090/prefix, the prefix of "
                "letters, digits, _ and -"
            )
        for name, value, known in (
            ("transport", server.transport, _TRANSPORTS),
            ("compression", server.compression, _COMPRESSIONS),
        ):
            if value not in known:
                raise UsageError(f"the store {uri!r}: {name} is one of {', '.join(known)}")
        if options:
            raise UsageError(
                f"the store {uri!r}: {', '.join(options)} is no option; there are transport and "
                "compression"
            )
        return server


def _port(parts: SplitResult) -> int:
    """The port; 0 for one that is none."""
    try:
        return _DEFAULT_PORT if parts.port is None else parts.port
    except ValueError:
        return 0
