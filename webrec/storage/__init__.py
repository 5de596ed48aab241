"""Row stores behind one small seam, opened by URI."""

from __future__ import annotations

from pathlib import Path

from webrec.errors import UsageError
from webrec.storage.base import Store

__all__ = ["Store", "open_scratch", "open_store"]


def open_store(uri: str) -> Store:
    """Open the store a URI names: ``sqlite:///path/to/file.db``.

    Raises:
        UsageError: no back end has this scheme.
    """
    scheme, separator, rest = uri.partition("://")
    if scheme == "sqlite" and separator and rest.startswith("/") and len(rest) > 1:
        from webrec.storage.sqlite import SqliteStore  # the driver loads only when it is wanted

        # sqlite:///relative.db and sqlite:////absolute.db, as SQLAlchemy reads them
        return SqliteStore(Path(rest[1:]))
    raise UsageError(f"the store {uri!r} is not understood: use sqlite:///path/to/webrec.db")


def open_scratch(folder: Path) -> Store:
    """A store for the time of one computation that does not fit into memory."""
    from webrec.storage.sqlite import SqliteStore  # as above

    return SqliteStore(folder / "scratch.db", scratch=True)
