"""[1] The raw log: events in, durable lines out; replayed in order for the batch. Opened by URI."""

from __future__ import annotations

from pathlib import Path

from webrec.domain.extras import require
from webrec.errors import UsageError
from webrec.rawlog.base import (
    Log,
    Record,
    Segment,
    Unshipped,
    Watermark,
    epoch_of,
    spool_of,
)
from webrec.rawlog.local import LocalLog

__all__ = [
    "Log",
    "Record",
    "Segment",
    "Unshipped",
    "Watermark",
    "epoch_of",
    "open_log",
    "spool_of",
]


def open_log(uri: str, spool: Path) -> Log:
    """Open the log a URI names.

    Args:
        uri: ``file://folder`` or ``hdfs://[user@]namenode:9870/path``.
        spool: folder of this machine for what is not on HDFS yet.

    Raises:
        UsageError: the URI is not understood, or the driver is not installed.
        LogUnavailable: the folder cannot be made.
    """
    scheme, separator, path = uri.partition("://")
    if scheme == "file" and separator and path:
        return LocalLog(Path(path))
    if scheme == "hdfs" and separator:
        require("hbase", "a log on HDFS")
        from webrec.rawlog.hdfs import HdfsLog  # the driver loads only when it is wanted

        return HdfsLog.open(uri, spool)
    raise UsageError(
        f"the log {uri!r} is not understood: use file:///path/to/folder or "
        "hdfs://[user@]namenode:9870/path"
    )
