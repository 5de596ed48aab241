"""Calls of an HBase Thrift server: each in time, repeated where that may help, its errors ours.

A function of a connection goes in, what it returns comes out. All calls of the store may be
repeated when they came to no end, and are, with a back-off, for a bounded time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_before_delay, wait_random_exponential

from webrec.errors import NotFound, StoreUnavailable, WebrecError
from webrec.storage.hbase_driver import ANSWERED, Connection, IllegalArgument
from webrec.storage.hbase_pool import Broken, Pool
from webrec.storage.hbase_uri import Server

CALL_S = 5.0
"""Seconds one call may take where its caller does not say less."""

_FIRST_RETRY_TIMEOUT_S = 2.0
"""Seconds of retries with a server that never answered: its address may be wrong, and the caller
waits for the error.
"""

_RETRY_FIRST_S, _RETRY_MOST_S = 0.05, 2.0
"""Seconds of the back-off: at random up to the first, then up to twice that, up to the most.

At random, so that the processes that one outage hit do not all come back in one moment.
"""

NOT_ENABLED = "TableNotEnabledException"
"""The exception that HBase names for a table that is disabled, as before it is dropped."""

_GONE = ("TableNotFoundException", NOT_ENABLED)
"""Exceptions that mean that there is no such table any more."""

_REFUSED = ("NoSuchColumnFamilyException", "DoNotRetryIOException")
"""Exceptions that the same call meets again, however often it is made."""

T = TypeVar("T")


class Calls:
    """Calls of one server; safe to use from several threads.

    Args:
        server: where, and how.
        retry_timeout_s: seconds for which a call that failed is repeated, once the server has
            answered any.
    """

    def __init__(self, server: Server, retry_timeout_s: float) -> None:
        self._server = server
        self._retry_timeout_s = retry_timeout_s
        self._pool = Pool(server)
        # what calls for many rows say of a table that is not there: its name, and no server
        ours = re.escape(server.table(""))
        self._gone_for_many = re.compile(
            rf"actions?: {ours}[\w.-]+: \d+ times?, servers with issues: null"
        )
        self._has_answered = False

    def repeated(
        self,
        work: Callable[[Connection], T],
        within_s: float | None = None,
        call_s: float | None = None,
    ) -> T:
        """Do one call, and again while that may help.

        Args:
            within_s: the time there is for all of it; None is as long as it takes.
            call_s: the time there is for one call; None is `CALL_S`.

        Raises:
            StoreUnavailable: the last attempt came to no end, or failed in a way that may pass.
            NotFound: there is no such table.
            WebrecError: the server will always refuse this call.
        """
        started = time.monotonic()
        call_s = CALL_S if call_s is None else call_s
        try:
            return self.once(work, call_s if within_s is None else within_s)
        except StoreUnavailable as error:
            if within_s is not None:
                left_s = within_s - (time.monotonic() - started)
                if isinstance(error, Broken) and error.was_idle and left_s > 0:
                    return self.once(work, left_s)  # the connection had died of age
                raise
        retry_timeout_s = self._retry_timeout_s if self._has_answered else _FIRST_RETRY_TIMEOUT_S
        for attempt in Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            stop=stop_before_delay(retry_timeout_s),
            wait=wait_random_exponential(_RETRY_FIRST_S, _RETRY_MOST_S),
            reraise=True,
        ):
            with attempt:
                return self.once(work, call_s)
        raise AssertionError("the last attempt returns or raises")

    def once(self, work: Callable[[Connection], T], within_s: float | None = None) -> T:
        """Do one call once: the one place where the driver's errors become ours.

        Args:
            within_s: the time there is for it; None is `CALL_S`.

        Raises:
            StoreUnavailable, NotFound, WebrecError: as for `repeated`.
        """
        try:
            with self._pool.lend(CALL_S if within_s is None else within_s) as connection:
                done = work(connection)
            self._has_answered = True
            return done
        except ANSWERED as error:
            message = first_line_of(error)
            if any(name in message for name in _GONE) or self._gone_for_many.search(message):
                raise NotFound(f"the store has no such table: {message}") from error
            if isinstance(error, IllegalArgument) or any(name in message for name in _REFUSED):
                raise WebrecError(f"{self._server} refuses: {message}") from error
            raise StoreUnavailable(f"{self._server}: {message}") from error

    def close(self) -> None:
        """Close the connections that are idle."""
        self._pool.close()


def first_line_of(error: Any) -> str:
    """The first line of the server's message: the rest is its stack."""
    message = error.message
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    return text.partition("\n")[0].strip()
