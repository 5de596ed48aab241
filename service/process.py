"""[6] The service in processes of its own, for who shows or measures it; and beside it the floor.

In: settings. Out: a `Server` that answers in every worker, on a free port of this machine, and that
has ended, by process id, when its context has. What it writes goes into a file of its home.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from webrec.config import PREFIX, Settings
from webrec.errors import WebrecError

RECOMMENDATIONS = "/v1/recommendations"
"""The path that both answer."""

_HERE = "127.0.0.1"
_READY = "/health/ready"
_START_S = 300.0
_STOP_S = 40.0
_ASK_S = 5.0
"""How long the other workers stand still at most: gunicorn ends one that does for half a minute."""

_STOPS_S = 1.0
_SHOWN = 2_000
_OURS = Path(__file__).resolve().parents[1]


class NotStarted(WebrecError):
    """A process ended, or did not answer in time."""


class Memory(NamedTuple):
    """What one process holds, in bytes.

    Attributes:
        rss: all of it.
        pss: the same, but each shared page divided by how many processes share it.
        shared, private: the two parts of ``rss``.
    """

    pid: int
    rss: int
    pss: int
    shared: int
    private: int


class Server:
    """A gunicorn master and its workers.

    Args:
        address: host and port.
        pid: the master's.
    """

    def __init__(self, address: tuple[str, int], pid: int) -> None:
        self.address = address
        self.pid = pid

    @property
    def url(self) -> str:
        """The address as URLs begin."""
        return "http://{}:{}".format(*self.address)

    def workers(self) -> list[int]:
        """The workers' process ids; none where the system has no /proc."""
        text = _read(f"/proc/{self.pid}/task/{self.pid}/children")
        return [pid for pid in map(int, text.split()) if _state(pid) not in "ZX"]

    def memory(self) -> list[Memory]:
        """What the master holds, then each worker; nothing where the system does not say."""
        held = (_memory(pid) for pid in (self.pid, *self.workers()))
        return [each for each in held if each is not None]

    def cpu_s(self) -> float:
        """Seconds of processor time, user and system, of the master and all workers so far."""
        # a worker that has ended is in the master's sums of children
        ticks = sum(_ticks(self.pid, 4)) + sum(sum(_ticks(pid, 2)) for pid in self.workers())
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def service(settings: Settings, checkout: Path | None = None) -> Iterator[Server]:
    """`webrec serve` with these settings and no others, but on a free port.

    Args:
        checkout: run the code of this checkout of webrec instead of our own.

    Raises:
        NotStarted: with the end of what it wrote, which is in ``service.log`` of its home.
    """
    address = (_HERE, free_port())
    bound = settings.model_copy(update={"bind": "{}:{}".format(*address)})
    settings.home.mkdir(parents=True, exist_ok=True)
    with _started(
        python("-m", "webrec", "serve"),
        environment(bound, checkout),
        address,
        settings.home / "service.log",
        settings.workers,
        lambda: _answers(address, "GET", _READY),
    ) as server:
        yield server


@contextmanager
def floor(settings: Settings, body_bytes: int = 1_500) -> Iterator[Server]:
    """The least this stack needs for an answer of that size: see `service.baseline_app`.

    Args:
        settings: of the service that it stands beside: workers and threads; and the home, where
            it writes ``floor.log``.
        body_bytes: the size of every answer's body.

    Raises:
        NotStarted: with the end of what it wrote.
    """
    address = (_HERE, free_port())
    settings.home.mkdir(parents=True, exist_ok=True)
    with _started(
        python("-m", "service.baseline_app", str(address[1]), str(body_bytes)),
        environment(settings),
        address,
        settings.home / "floor.log",
        settings.workers,
        lambda: _answers(address, "POST", RECOMMENDATIONS),
    ) as server:
        yield server


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((_HERE, 0))
        port: int = probe.getsockname()[1]
        return port


def python(*arguments: str) -> list[str]:
    """The command that runs Python as `environment` has it: not on what the present folder has."""
    return [sys.executable, "-P", *arguments]


def environment(settings: Settings, checkout: Path | None = None) -> dict[str, str]:
    """The environment in which a `webrec` command has these settings and no others.

    Args:
        checkout: whose code runs; our own when left out.
    """
    others = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    given = {name: value for name, value in settings if value not in (None, "")}
    code = [str(checkout.resolve() if checkout else _OURS), others.get("PYTHONPATH", "")]
    return {
        **others,
        **{PREFIX + name.upper(): str(value) for name, value in given.items()},
        "PYTHONPATH": os.pathsep.join(filter(None, code)),
    }


@contextmanager
def _started(
    command: Sequence[str],
    environment_: Mapping[str, str],
    address: tuple[str, int],
    log: Path,
    workers: int,
    answers: Callable[[], bool],
) -> Iterator[Server]:
    """A process that answers in every worker; it ends with the context."""
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=sink, stderr=sink, env=environment_
        )
    server = Server(address, process.pid)
    deadline = time.monotonic() + _START_S

    def wait_until(is_so: Callable[[], bool]) -> None:
        while not is_so():
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace")[-_SHOWN:]
                raise NotStarted(f"the service did not start: {said}")
            time.sleep(0.05)

    try:
        wait_until(answers)
        if server.workers():
            wait_until(lambda: len(server.workers()) == workers)
        for pid in server.workers():
            wait_until(lambda pid=pid: _answers_alone(server, pid, answers))  # type: ignore[misc]
        yield server
    finally:
        _end(process, server)


def _end(process: subprocess.Popen[bytes], server: Server) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_S)
    except BaseException as error:  # a second Ctrl-C, too, leaves nothing behind
        for pid in (process.pid, *server.workers()):
            _signal(pid, signal.SIGKILL)
        process.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise


def _answers(address: tuple[str, int], method: str, path: str) -> bool:
    """Whether a new connection gets a 200."""
    connection = http.client.HTTPConnection(*address, timeout=_ASK_S)
    try:
        connection.request(method, path, b"{}" if method == "POST" else None)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _answers_alone(server: Server, pid: int, answers: Callable[[], bool]) -> bool:
    """Whether this worker answers while the others stand still: one of them would do it for it."""
    others = [other for other in server.workers() if other != pid]
    try:
        for other in others:
            _signal(other, signal.SIGSTOP)
        deadline = time.monotonic() + _STOPS_S
        while any(_state(other) not in "TZX" for other in others):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return answers()
    finally:
        for other in others:
            _signal(other, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _state(pid: int) -> str:
    """The state of a process as one letter; X where there is none."""
    fields = _stat(pid)
    return fields[0] if fields else "X"


def _ticks(pid: int, n: int) -> list[int]:
    """Processor time in ticks: user, system, and with ``n`` = 4 the same of children that ended."""
    return [int(field) for field in _stat(pid)[11 : 11 + n]]


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may hold anything; none where there is no process."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _memory(pid: int) -> Memory | None:
    lines = (line.split() for line in _read(f"/proc/{pid}/smaps_rollup").splitlines()[1:])
    held = {line[0]: int(line[1]) * 1024 for line in lines}
    if not held:
        return None
    return Memory(
        pid,
        held["Rss:"],
        held["Pss:"],
        held["Shared_Clean:"] + held["Shared_Dirty:"],
        held["Private_Clean:"] + held["Private_Dirty:"],
    )


def _read(path: str) -> str:
    """A file of /proc; empty where it is not there, or not any more."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
