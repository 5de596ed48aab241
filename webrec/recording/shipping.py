"""[1] Shipping: closed segments go where the log keeps them, in the background and at the end.

What keeps them back is logged once when it starts, and once when it is over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from webrec.errors import LogUnavailable
from webrec.rawlog import Log

_LAST_SHIPPING_S = 10.0
"""Seconds for shipping when a process ends: with those for closing (15), less than the 30 that a
service has for ending in good order."""

_OTHER_PROCESS_S = 0.2
"""Seconds between two looks whether another process, which ships just now, is done."""

_log = logging.getLogger(__name__)


class Shipping:
    """Ships closed segments, and logs what keeps them back.

    It has no lock: `ship` is called by one thread, and `ship_last` when that has ended.

    Args:
        log: the raw log.
        is_ending: whether this process is about to end, so that shipping stops.
    """

    def __init__(self, log: Log, is_ending: Callable[[], bool]) -> None:
        self._log = log
        self._is_ending = is_ending
        self._has_warned = False

    def ship(self) -> None:
        """Ship what is closed.

        Raises:
            LogUnavailable: it could not be found out what waits.
        """
        self._log.ship(self._is_ending)
        waiting = self._log.unshipped()
        if waiting.why and waiting.segments and not self._has_warned:
            _log.warning("%s", waiting.in_words(time.time()))
            self._has_warned = True
        elif self._has_warned and not waiting.why:
            _log.warning("segments are shipped again")
            self._has_warned = False

    def ship_last(self) -> None:
        """Ship what was just closed, as far as a few seconds allow; log what stays behind."""
        deadline = time.monotonic() + _LAST_SHIPPING_S
        try:
            while True:
                self._log.ship(lambda: time.monotonic() > deadline)
                waiting = self._log.unshipped()
                if not waiting.segments or waiting.why or time.monotonic() > deadline:
                    break
                time.sleep(_OTHER_PROCESS_S)
        except LogUnavailable as error:
            _log.warning("%s", error)
            return
        if waiting.segments:
            _log.warning(
                "%s. The service, or the next command on this home, ships them",
                waiting.in_words(time.time()),
            )
