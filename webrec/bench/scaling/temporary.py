"""Homes and stores for the time of a measurement, beside what the caller has."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webrec import config
from webrec.bench.stores import drop_all, refuse_sqlite, store_beside, tables_in
from webrec.bench.synthetic_model import ACCEPT_WEIGHT
from webrec.errors import UsageError


def own_settings(settings: config.Settings, folder: Path, name: str) -> config.Settings:
    """The caller's settings, but for where things are.

    Raises:
        UsageError: its store is not on HBase.
    """
    refuse_sqlite(settings)
    return settings.model_copy(
        update={
            "home": folder / name,
            "store": store_beside(settings.store, name),
            "log": "",
            "keys": None,
            "accept_weight": ACCEPT_WEIGHT,
            # so that the one that is warmed up is the one that is measured
            "workers": 1,
        }
    )


@contextmanager
def temporary_store(settings: config.Settings) -> Iterator[None]:
    """A home and a store that are taken away at the end.

    Raises:
        UsageError: there is something already, which is not ours to take away.
    """
    if settings.store and tables_in(settings.store):
        raise UsageError(f"the store {settings.store} holds tables already: give another one")
    try:
        settings.home.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"{settings.home} cannot be made: {error.strerror}") from error
    try:
        yield
    finally:
        if settings.store:
            drop_all(settings.store)
        shutil.rmtree(settings.home, ignore_errors=True)
