"""Row stores behind one small seam, opened by URI."""

from __future__ import annotations

from pathlib import Path

from webrec.domain.extras import require
from webrec.errors import UsageError
from webrec.storage.base import Store, Swap

__all__ = ["Store", "Swap", "open_scratch", "open_store"]


def open_store(uri: str, retry_timeout_s: float = 0.0) -> Store:
    """Open the store a URI names.

    Args:
        uri: ``sqlite:///path/to/file.db``, or ``hbase://host:9090/prefix`` for a Thrift server,
            with ``?transport=framed`` where it was started so, and ``?compression=GZ`` (SNAPPY
            when left out) for the tables to come.
        retry_timeout_s: seconds for which a call that failed is repeated, where the back end is a
            server.

    Raises:
        UsageError: it is not understood, or its driver is not installed.
    """
    scheme, separator, rest = uri.partition("://")
    if scheme == "sqlite" and separator and rest.startswith("/") and len(rest) > 1:
        from webrec.storage.sqlite import SqliteStore  # the driver loads only when it is wanted

        # sqlite:///relative.db and sqlite:////absolute.db, as SQLAlchemy reads them
        return SqliteStore(Path(rest[1:]))
    if scheme == "hbase":
        require("hbase", "a store on HBase")
        from webrec.storage.hbase import HBaseStore  # as above
        from webrec.storage.hbase_uri import Server

        return HBaseStore(Server.of(uri), retry_timeout_s)
    raise UsageError(
        f"the store {uri!r} is not understood: use sqlite:///path/to/webrec.db or "
        "hbase://host:9090/prefix"
    )


def open_scratch(folder: Path) -> Store:
    """A store for the time of one computation that does not fit into memory."""
    from webrec.storage.sqlite import SqliteStore  # as above

    return SqliteStore(folder / "scratch.db", scratch=True)
