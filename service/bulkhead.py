"""[6] A bulkhead: a bound on how many requests of one worker wait for the store at once."""

from __future__ import annotations

from threading import BoundedSemaphore

from flask import Blueprint, Flask, g

from webrec.errors import StoreUnavailable

_TURN_S = 0.5
"""How long a request waits for a place: a store that answers frees one sooner."""


class Bulkhead:
    """Lets at most half of a worker's threads wait for the store, each as long as it takes.

    While the store hangs, the other threads answer visitors.

    Args:
        threads: of the worker.
    """

    def __init__(self, threads: int) -> None:
        self._places = BoundedSemaphore(max(1, threads // 2))

    def guard(self, app: Flask, blueprint: Blueprint) -> None:
        """Give every request of an application to this blueprint a place, or refuse it with 503."""
        app.before_request_funcs.setdefault(blueprint.name, []).append(self._enter)
        app.teardown_request_funcs.setdefault(blueprint.name, []).append(self._leave)

    def _enter(self) -> None:
        if not self._places.acquire(timeout=_TURN_S):
            raise StoreUnavailable("many requests wait for the store already")
        g.has_place = True

    def _leave(self, _: BaseException | None) -> None:
        if g.pop("has_place", False):
            self._places.release()
