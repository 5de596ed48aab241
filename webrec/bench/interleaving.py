"""Servers under the same load, in turns: what the machine does meanwhile, it does to all of them.

In: servers and requests. Out: the laps of each: what it took in every repeat, at every level. Only
one server is asked at any moment, a block of requests long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from webrec.bench.load import LoadFailed, Sent, send, wall_s
from webrec.bench.server_process import ServerProcess
from webrec.domain.progress import Progress

OnBlock = Callable[[int, Sequence[Sent]], None]
"""Is called after a block with the number of its first request and what was sent."""

_OK = 200
_A_CONNECTION = 250
"""Requests before the connections are made anew: which worker gets which is a lottery, and should
be one of many."""
_SETTLE_S = 0.3
"""What a block leaves to be done afterwards, no other server shall suffer from: the flush of the
visits of its last fifth of a second. That of all others is in the block's own time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is sent, and how.

    Attributes:
        requests: at each level, in each repeat; others each time.
        repeats: of everything.
        levels: how many requests are under way at once.
        block: requests in a row, before another server has its turn.
    """

    requests: int = 5_000
    repeats: int = 5
    levels: tuple[int, ...] = (1, 10, 30)
    block: int = 1_000

    @property
    def in_all(self) -> int:
        """Requests of a whole measurement."""
        return self.repeats * len(self.levels) * self.requests

    def laps(self) -> Iterator[tuple[int, list[range]]]:
        """Every level of every repeat, and the numbers of the requests of its blocks."""
        start = 0
        for _ in range(self.repeats):
            for at_once in self.levels:
                end = start + self.requests
                blocks = range(start, end, self.block)
                yield at_once, [range(at, min(at + self.block, end)) for at in blocks]
                start = end


QUICK = Pace(requests=1_000, repeats=3, levels=(1, 30), block=250)
"""For a look in passing."""


class Lap(NamedTuple):
    """One level in one repeat.

    Attributes:
        seconds: of each request.
        wall_s: that all of them took.
        server_cpu_s, own_cpu_s: processor time of the server and of the load generator.
    """

    seconds: list[float]
    wall_s: float
    server_cpu_s: float
    own_cpu_s: float


@dataclass(slots=True)
class Runner:
    """A server and what it did so far.

    Attributes:
        on_block: is called after every block.
        first: what each new connection is sent before it counts.
        laps: by level, in the order of the repeats.
    """

    server: ServerProcess
    on_block: OnBlock = lambda _first, _sent: None
    first: bytes = b""
    laps: dict[int, list[Lap]] = field(default_factory=dict)

    def warm_up(self, requests: Sequence[bytes], at_once: int) -> list[Sent]:
        """Send requests that are not measured.

        Raises:
            LoadFailed: one was not answered with 200.
        """
        return _all_ok(send(self.server.address, requests, at_once))

    def begin_lap(self, at_once: int) -> None:
        """What is sent from here on is of another lap."""
        self.laps.setdefault(at_once, []).append(Lap([], 0.0, 0.0, 0.0))

    def send(self, first: int, requests: Sequence[bytes], at_once: int) -> None:
        """Send a block.

        Args:
            first: number of its first request.

        Raises:
            LoadFailed: one was not answered with 200.
        """
        lap = self.laps[at_once][-1]
        own_s = in_all_s = 0.0
        server_s = self.server.cpu_s()
        for start in range(0, len(requests), _A_CONNECTION):
            some = requests[start : start + _A_CONNECTION]
            started_s = time.thread_time()
            sent = _all_ok(send(self.server.address, some, at_once, self.first))
            own_s += time.thread_time() - started_s
            lap.seconds.extend(each.done - each.sent for each in sent)
            in_all_s += wall_s(sent)
            self.on_block(first + start, sent)
        self.laps[at_once][-1] = Lap(
            lap.seconds,
            lap.wall_s + in_all_s,
            lap.server_cpu_s + self.server.cpu_s() - server_s,
            lap.own_cpu_s + own_s,
        )


def interleave(
    runners: Sequence[Runner],
    requests: Sequence[bytes],
    pace: Pace,
    progress: Progress,
    beside: Callable[[int, range], None] = lambda _at_once, _block: None,
) -> None:
    """Send the requests to every server, at every level, so many times.

    Args:
        requests: as many as `Pace.in_all`.
        progress: is called with how many requests were sent to each, and of how many.
        beside: called after each block, with the level and the numbers of its requests.
    """
    rng = np.random.default_rng(0)
    for at_once, blocks in pace.laps():
        for runner in runners:
            runner.begin_lap(at_once)
        for block in blocks:
            progress("requests", block.start, pace.in_all)
            # none always comes after the same other
            for index in rng.permutation(len(runners)).tolist():
                runners[index].send(block.start, requests[block.start : block.stop], at_once)
                time.sleep(_SETTLE_S)
            beside(at_once, block)
    progress("requests", pace.in_all, pace.in_all)


def _all_ok(sent: list[Sent]) -> list[Sent]:
    for each in sent:
        if each.status != _OK:
            raise LoadFailed(
                f"request {each.index} was answered with {each.status}: {each.body[:500]!r}"
            )
    return sent
