"""One server of a scaling measurement: it answers its requests in blocks, and is summed up."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from webrec.bench.figures import Figures, figures
from webrec.bench.ledger import is_degraded
from webrec.bench.load import Sent, send, wall_s
from webrec.bench.processes import Memory
from webrec.bench.server_process import ServerProcess
from webrec.errors import WebrecError


class Lap(NamedTuple):
    """What a server did in one repeat.

    Attributes:
        cpu_ms: for one request.
        degraded: answers that left out a read.
    """

    latency: Figures
    cpu_ms: float
    degraded: int


class SizeRunner:
    """A server of one size and the requests it has still to answer.

    Args:
        left: encoded requests, as many as will be sent.
        memory, written_s, ready_s: see `Point`.

    Attributes:
        laps: the repeats that are done.
    """

    def __init__(
        self,
        server: ServerProcess,
        left: Iterable[bytes],
        memory: list[Memory],
        written_s: float = 0,
        ready_s: float = 0,
    ) -> None:
        self.server = server
        self.memory = memory
        self.written_s, self.ready_s = written_s, ready_s
        self.laps: list[Lap] = []
        self._left = iter(left)
        self._sent: list[Sent] = []
        self._wall_s = self._cpu_s = 0.0

    def send(self, n: int) -> None:
        """Send the next requests, one at a time.

        Raises:
            WebrecError: one was not answered.
        """
        block = list(islice(self._left, n))
        cpu_s = self.server.cpu_s()
        sent = send(self.server.address, block, 1)
        self._wall_s += wall_s(sent)
        self._cpu_s += self.server.cpu_s() - cpu_s
        for each in sent:
            if each.status != 200:
                raise WebrecError(f"a request was answered with {each.status}: {each.body[:500]!r}")
        self._sent += sent

    def end_lap(self) -> None:
        """Sum up what was sent since the last lap."""
        n = len(self._sent)
        latency = figures([each.done - each.sent for each in self._sent], self._wall_s)
        degraded = sum(is_degraded(each.body) for each in self._sent)
        self.laps.append(Lap(latency, 1000 * self._cpu_s / n, degraded))
        self.forget()

    def forget(self) -> None:
        """Leave out what was sent since the last lap."""
        self._sent.clear()
        self._wall_s = self._cpu_s = 0.0
