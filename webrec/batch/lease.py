"""[2] The batch's lease: only one batch runs at a time, on whatever machine."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType

import orjson

from webrec.errors import LeaseLost, WebrecError
from webrec.tables.tables import Tables

TERM_S = 60.0
"""Seconds: how long the next batch waits for one that died; renewed four times within them."""

_log = logging.getLogger(__name__)


class Lease:
    """Held while a batch runs, and renewed in the background.

    A batch that dies, or stops for longer than the term, loses it to the next that asks.

    Args:
        tables: where the lease is written.
        owner: names the batch; no other has the same.
        term_s: seconds after which an unrenewed lease is free.
    """

    def __init__(self, tables: Tables, owner: str, term_s: float = TERM_S) -> None:
        self._tables = tables
        self._owner = owner
        self._term_s = term_s
        self._lock = threading.Lock()
        self._written = b""
        self._lost: WebrecError | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        """Take the lease.

        Raises:
            LeaseLost: another batch holds it.
        """
        old = self._tables.meta.lease()
        if old is not None:
            held = orjson.loads(old)
            left_s = held["until"] - time.time()
            if held["owner"] and left_s > 0:
                raise LeaseLost(
                    f"another batch is running ({held['owner']}); if it died, "
                    f"its lease ends in {left_s:.0f} s"
                )
        self._swap(old, self._term_s)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back."""
        self._done.set()
        self._thread.join()
        if self._lost is None:
            self._owner = ""
            try:
                self._swap(self._written, 0.0)
            except WebrecError as failure:
                _log.warning("the lease was not given back and ends by itself: %s", failure)

    def renew(self) -> None:
        """Return if this batch still holds the lease, for another term.

        Raises:
            LeaseLost: another batch took it.
        """
        with self._lock:
            if self._lost is not None:
                raise LeaseLost("the lease was lost while the batch ran") from self._lost
            self._swap(self._written, self._term_s)

    def _swap(self, old: bytes | None, term_s: float) -> None:
        new = orjson.dumps({"owner": self._owner, "until": time.time() + term_s})
        self._tables.meta.swap_lease(old, new)
        self._written = new

    def _keep(self) -> None:
        while not self._done.wait(self._term_s / 4):
            try:
                self.renew()
            except LeaseLost as error:
                self._lost = error
                return
            except WebrecError:
                continue  # the store is away: the term says how long that may last
