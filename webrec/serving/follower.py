"""[4] The background of a worker: what others wrote in, a newer snapshot out, twice a second."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from webrec.errors import WebrecError
from webrec.serving.reads import CircuitBreaker

_EVERY_S = 0.5
"""A change reaches every worker within two seconds: this, and what taking it in needs."""

_PING_S = 1.0
"""A store that does not answer within it is not asked for more."""

_log = logging.getLogger(__name__)


class Follower:
    """A thread that refreshes, as long as the store answers.

    Args:
        refresh: takes in what others wrote.
        breaker: of the reads of requests; closed here when the store answers again.
        ping: asks the store for a sign of life, within so many seconds.
    """

    def __init__(
        self,
        refresh: Callable[[], None],
        breaker: CircuitBreaker,
        ping: Callable[[float], object],
    ) -> None:
        self._refresh = refresh
        self._breaker = breaker
        self._ping = ping
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._follow, name="engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, after the look that is going on; nothing where it never began."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _follow(self) -> None:
        while not self._stop.wait(_EVERY_S):
            try:
                if self._store_answers():
                    self._refresh()
            except WebrecError as error:
                _log.warning("what others wrote could not be read: %s", error)
            except Exception:  # noqa: BLE001 - whatever one look met, the next one must still be taken
                _log.exception("what others wrote could not be read")

    def _store_answers(self) -> bool:
        """Whether asking the store makes sense; requests may ask it again when it does."""
        try:
            self._breaker.probe()
        except WebrecError as error:
            _log.warning("requests are answered without the store: %s", error)
            try:
                self._ping(_PING_S)
            except WebrecError:
                return False
        return True
