"""[1] What goes wrong on the way to HDFS, as our errors: each says what to do where people can.

A refusal of the server or an exception of ``requests`` comes in, a `LogUnavailable` goes out.
`webrec.rawlog.webhdfs` raises them.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from webrec.errors import LogUnavailable
from webrec.rawlog.hdfs_uri import DEFAULT_PORT, Address

_NO_USE_REPEATING = frozenset(
    (
        "AccessControlException",
        "AuthorizationException",
        "FileAlreadyExistsException",
        "FileNotFoundException",
        "IllegalArgumentException",
        "InvalidPathException",
        "ParentNotDirectoryException",
        "SecurityException",
        "UnsupportedOperationException",
    )
)
"""Hadoop's exceptions that the same request meets again, however often it is made."""


class NotAnswered(LogUnavailable):
    """HDFS did not do it now; a moment later it may."""


class NotThere(LogUnavailable):
    """There is no such file or folder."""


def refused(address: Address, exception: str | None, message: str | bytes | None) -> LogUnavailable:
    """The error for an answer that is one.

    Args:
        exception: the name of Hadoop's exception; None where the answer has none.
        message: what the answer says; bytes where it is no answer of WebHDFS.
    """
    if isinstance(message, bytes):
        return no_webhdfs(address)
    text = f"{address}: {(message or exception or 'it refuses').splitlines()[0]}"
    if exception == "FileNotFoundException":
        return NotThere(text)
    if exception == "AccessControlException":
        user, path = address.user, address.path
        return LogUnavailable(
            f"{text}: give {user} a folder: hdfs dfs -mkdir -p {path}; "
            f"hdfs dfs -chown -R {user} {path}"
        )
    if exception is None or exception in _NO_USE_REPEATING:
        return LogUnavailable(text)
    return NotAnswered(text)


def silent(address: Address, error: requests.RequestException) -> NotAnswered:
    """The error for a server that does not answer: the NameNode, or a DataNode that it named."""
    why = _innermost(error)
    host = urlsplit(error.request.url or "").netloc if error.request is not None else ""
    if host and host not in address.hosts:
        return NotAnswered(
            f"{address} names its DataNode {host}, which does not answer ({why}): this "
            "machine must reach the DataNodes, too"
        )
    return NotAnswered(f"{address} does not answer ({why})")


def no_webhdfs(address: Address) -> LogUnavailable:
    """The error for a server that answers as no NameNode does."""
    return LogUnavailable(
        f"{address} answers, but not as WebHDFS does: name the NameNode's HTTP port, "
        f"{DEFAULT_PORT} where nobody changed it"
    )


def _innermost(error: BaseException) -> str:
    """What the libraries wrapped up, in a few words."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
