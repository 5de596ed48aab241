"""The stores of benchmarks: a benchmark makes its own, in its folder or beside one on HBase."""

from __future__ import annotations

from webrec.config import Settings
from webrec.errors import UsageError
from webrec.storage import open_store


def store_beside(store: str, name: str) -> str:
    """The URI of another store on the same server; empty for none given."""
    where, question, options = store.partition("?")
    return f"{where}-{name}{question}{options}" if store else ""


def refuse_sqlite(settings: Settings) -> None:
    """Refuse an SQLite store of the caller's: a benchmark makes its own.

    Raises:
        UsageError: with what to do.
    """
    if settings.store and not settings.store.startswith("hbase://"):
        raise UsageError(
            f"the store {settings.store} is not used by a benchmark, which makes one in its "
            "--folder: leave --store (WEBREC_STORE) out, or give one on HBase"
        )


def tables_in(uri: str) -> list[str]:
    """The names of the tables that a store holds."""
    store = open_store(uri)
    try:
        return store.tables()
    finally:
        store.close()


def drop_all(uri: str) -> None:
    """Drop every table of a store."""
    store = open_store(uri)
    try:
        for table in store.tables():
            store.drop_table(table)
    finally:
        store.close()
