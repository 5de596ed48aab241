"""The engine that a command works with, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from webrec.config import Settings

if TYPE_CHECKING:
    from webrec.serving.engine import Engine


@contextmanager
def engine_of(settings: Settings, retry_timeout_s: float | None = None) -> Iterator[Engine]:
    """The engine for one command; what it recorded is durable when the command ends.

    Args:
        retry_timeout_s: for how long a call to the store that failed is repeated; some seconds
            when left out.
    """
    from webrec.serving.engine import RETRY_TIMEOUT_S, Engine

    engine = Engine(settings, RETRY_TIMEOUT_S if retry_timeout_s is None else retry_timeout_s)
    try:
        engine.tables.create()
        engine.recorder.start()
        yield engine
    finally:
        engine.close()
