"""Unique ids: a random prefix for the process, and a counter within it.

A request needs two of them, and asking the operating system for randomness each time would cost
more than the rest of making them.
"""

from __future__ import annotations

import os
import secrets
from itertools import count

_RANDOM_BYTES = 10
"""Bytes of the prefix: with 2^80 of them two processes do not draw the same."""


class _Ids:
    """The ids of one process; a fork starts a series of its own."""

    def __init__(self) -> None:
        self._restart()
        os.register_at_fork(after_in_child=self._restart)

    def _restart(self) -> None:
        self._prefix = secrets.token_hex(_RANDOM_BYTES)
        self._counter = count()

    def __call__(self) -> str:
        return f"{self._prefix}{next(self._counter):012x}"


new_id = _Ids()
"""Make an id of 32 hexadecimal digits."""
