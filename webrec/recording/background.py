"""[1] → [3] The threads that keep the recorder's promises, and how they end.

Every task is repeated until the process ends; what a step of one meets is logged, and the step is
taken again the next time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from math import inf
from typing import NamedTuple

from webrec.errors import WebrecError

_log = logging.getLogger(__name__)


class Shutdown:
    """That this process ends, and how long it may take over it; safe to use from all threads."""

    def __init__(self) -> None:
        self._begun = threading.Event()
        self._deadline = inf

    def begin(self, within_s: float) -> None:
        """From now on the process ends.

        Args:
            within_s: seconds after which what is left is not begun any more.
        """
        self._deadline = time.monotonic() + within_s
        self._begun.set()

    def has_begun(self) -> bool:
        """Whether this process ends."""
        return self._begun.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end to begin, so long; whether it has."""
        return self._begun.wait(timeout_s)

    def is_overdue(self) -> bool:
        """Whether this process ends, and has used up its time for that."""
        return time.monotonic() > self._deadline


class Task(NamedTuple):
    """Something to be done again and again.

    Attributes:
        name: of its thread.
        every_s: seconds from the end of one turn to the next one.
        steps: taken in order in each turn, whatever the one before met.
    """

    name: str
    every_s: float
    steps: tuple[Callable[[], None], ...]


class Background:
    """A thread for each task: one that the store or a replay holds up delays no other.

    It has no lock: the thread that starts it also joins it.

    Args:
        shutdown: ends all tasks.
    """

    def __init__(self, shutdown: Shutdown) -> None:
        self._shutdown = shutdown
        self._threads: list[threading.Thread] = []

    def start(self, tasks: Iterable[Task]) -> None:
        """Begin to repeat tasks."""
        for task in tasks:
            thread = threading.Thread(
                target=self._repeat, args=(task,), name=task.name, daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def join(self) -> None:
        """Wait until the last turn of every task has ended, after the shutdown has begun."""
        for thread in self._threads:
            thread.join()

    def _repeat(self, task: Task) -> None:
        while not self._shutdown.wait(task.every_s):
            for step in task.steps:
                try:
                    step()
                except WebrecError as error:
                    _log.warning("%s: %s", step.__name__, error)
                except Exception:  # noqa: BLE001 - whatever one step met, the next must be made
                    _log.exception("%s failed", step.__name__)
