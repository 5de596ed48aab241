"""[1] Where a log on HDFS lies, from a URI; the driver is not needed to know."""

from __future__ import annotations

import re
from typing import NamedTuple

from webrec.errors import UsageError

DEFAULT_PORT = 9870
"""The NameNode's HTTP port as Hadoop 3 is shipped."""

_DEFAULT_USER = "webrec"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")


class Address(NamedTuple):
    """What a URI ``hdfs://[user@]host[:port][,host…]/path`` says.

    Attributes:
        hosts: of the NameNodes, each with its HTTP port.
    """

    user: str
    hosts: tuple[str, ...]
    path: str

    @classmethod
    def of(cls, uri: str) -> Address:
        """Read a URI.

        Raises:
            UsageError: it is not understood.
        """
        where, slash, path = uri.removeprefix("hdfs://").partition("/")
        user, _, listed = where.rpartition("@")
        hosts = listed.split(",")
        if not slash or not path.strip("/") or not all(map(_HOST.fullmatch, hosts)):
            raise UsageError(
                f"the log {uri!r} is not understood: use hdfs://[user@]namenode:9870/path"
            )
        ports = ("" if re.search(r":\d+$", host) else f":{DEFAULT_PORT}" for host in hosts)
        addressed = tuple(host + port for host, port in zip(hosts, ports, strict=True))
        return cls(user or _DEFAULT_USER, addressed, "/" + path.strip("/"))

    def __str__(self) -> str:
        return f"hdfs://{','.join(self.hosts)}{self.path}"
