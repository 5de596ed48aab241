"""Progress: how a long piece of work says how far it is.

Work takes a function and calls it now and then; what the function does (a bar on a terminal,
renewing a lease, nothing) is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much (0: not known)."""

StepProgress: TypeAlias = Callable[[int, int], None]
"""The same for work that is one step: called with how much is done, and of how much."""


def step(progress: Progress, doing: str) -> StepProgress:
    """The progress of one step, which the caller names.

    Args:
        doing: what the step does, like ``reading the log``.
    """
    return lambda done, total: progress(doing, done, total)


def no_progress(*_: object) -> None:
    """Stands for a `Progress` or a `StepProgress` where the caller wants none."""
