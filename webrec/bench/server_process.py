"""[6] Servers in processes of their own: the service, and beside it the baseline app.

In: settings. Out: a `ServerProcess` that has answered in every worker, on a free port of this
machine, and that has ended, by process id, when its context has. What it writes goes into a file.
The demo, the benchmarks and the tests start their servers here.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from webrec.bench import processes
from webrec.bench.commands import environment, python
from webrec.bench.health import BASELINE_READY, LOOPBACK, READY, HealthCheck, free_port, is_healthy
from webrec.bench.processes import Memory
from webrec.config import Settings
from webrec.errors import WebrecError

SERVE = ("-m", "webrec", "serve")
"""What Python is given to run the service."""

_START_S = 300.0
"""Seconds until a server must have answered: it may load a model of a million pages first."""

_STOP_S = 40.0
"""Seconds until a server must have ended: gunicorn gives the requests under way 30."""

_STOPPED_S = 10.0
"""Seconds until a signal must have stopped a worker; in general that is a matter of microseconds.
With a health check on top it stays below the half minute after which gunicorn ends a worker that
does not move."""

_SHOWN = 2_000
"""Characters of a server's output that an error quotes."""


class NotStarted(WebrecError):
    """A server ended, or did not answer in time."""


class ServerProcess:
    """A gunicorn master and its workers.

    Args:
        command: starts the master.
        environment_: of the master.
        address: host and port that it is asked at.
        log: the file that its output is appended to.
        n_workers: how many workers it has when it is up.
        check: what each of them answers when it is up.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment_: Mapping[str, str],
        address: tuple[str, int],
        log: Path,
        n_workers: int,
        check: HealthCheck,
    ) -> None:
        self.address = address
        self._command = command
        self._environment = environment_
        self._log = log
        self._n_workers = n_workers
        self._check = check
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address as URLs begin."""
        return "http://{}:{}".format(*self.address)

    @property
    def pid(self) -> int:
        """The master's process id, also when it has ended."""
        return self._started.pid

    @property
    def is_running(self) -> bool:
        """Whether the master was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, timeout_s: float = _START_S) -> None:
        """Start it, and return when every worker has answered.

        Raises:
            NotStarted: with the end of what it wrote; it has ended.
        """
        with self._log.open("ab") as sink:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command, stdout=sink, stderr=sink, env=self._environment
            )
        deadline = time.monotonic() + timeout_s
        try:
            self._wait_for(self._is_up, deadline)
            for pid in self.workers():
                self._wait_for(lambda pid=pid: self._is_healthy_alone(pid), deadline)  # type: ignore[misc]
        except BaseException:
            with suppress(subprocess.TimeoutExpired):
                self.stop()
            raise

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout_s: float = _STOP_S) -> int:
        """Ask it to stop, and wait until it has.

        Returns:
            Its exit status.

        Raises:
            subprocess.TimeoutExpired: it did not in time, and was killed.
        """
        self._started.send_signal(how)
        try:
            return self._started.wait(timeout_s)
        except BaseException:  # a second Ctrl-C, too, leaves nothing behind
            self.kill()
            raise

    def kill(self) -> None:
        """End the master and all workers at once, without warning."""
        pids = [self.pid, *self.workers()]
        for pid in pids:
            processes.send(pid, signal.SIGKILL)
        self._started.wait()
        while any(processes.state(pid) not in processes.ENDED for pid in pids):
            time.sleep(0.001)

    def workers(self) -> list[int]:
        """The workers' process ids; none where the system has no /proc."""
        return processes.children(self.pid)

    @contextmanager
    def only(self, pid: int) -> Iterator[None]:
        """Let one worker alone answer: the others are stopped meanwhile.

        Raises:
            TimeoutError: another one could not be stopped.
        """
        others = [other for other in self.workers() if other != pid]
        try:
            for other in others:
                processes.send(other, signal.SIGSTOP)
            deadline = time.monotonic() + _STOPPED_S
            while any(
                processes.state(other) not in processes.STOPPED + processes.ENDED
                for other in others
            ):
                if time.monotonic() > deadline:
                    raise TimeoutError("a worker could not be stopped")
                time.sleep(0.001)
            yield
        finally:
            for other in others:
                processes.send(other, signal.SIGCONT)

    def memory(self) -> list[Memory]:
        """What the master holds, then each worker; nothing where the system does not say."""
        held = (processes.memory(pid) for pid in (self.pid, *self.workers()))
        return [each for each in held if each is not None]

    def cpu_s(self) -> float:
        """Seconds of processor time, user and system, of the master and all workers so far."""
        # a worker that has ended is in the master's sums of children
        master = processes.cpu_s(self.pid, with_ended_children=True)
        return master + sum(map(processes.cpu_s, self.workers()))

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was never started"  # noqa: S101 - a slip of ours
        return self._process

    def _wait_for(self, condition: Callable[[], bool], deadline: float) -> None:
        while not condition():
            if not self.is_running or time.monotonic() > deadline:
                output = self._log.read_text(errors="replace")[-_SHOWN:]
                raise NotStarted(f"the service did not start: {output}")
            time.sleep(0.05)

    def _is_up(self) -> bool:
        """Whether all workers are there and one answers: another server may have the port."""
        are_there = len(self.workers()) == self._n_workers or not processes.ARE_SHOWN
        return are_there and is_healthy(self.address, self._check)

    def _is_healthy_alone(self, pid: int) -> bool:
        """Whether this worker answers while the others are stopped: else one of them would."""
        try:
            with self.only(pid):
                return is_healthy(self.address, self._check)
        except TimeoutError:
            return False


@contextmanager
def service(settings: Settings, checkout: Path | None = None) -> Iterator[ServerProcess]:
    """`webrec serve` with these settings and no others, but on a free port.

    Args:
        checkout: run the code of this checkout of webrec instead of our own.

    Raises:
        NotStarted: with the end of what it wrote, which is in ``service.log`` of its home.
    """
    address = (LOOPBACK, free_port())
    bound = settings.model_copy(update={"bind": "{}:{}".format(*address)})
    command, environment_ = python(*SERVE), environment(bound, checkout)
    with _running(settings, command, environment_, address, "service.log", READY) as server:
        yield server


@contextmanager
def baseline_app(settings: Settings, body_bytes: int = 1_500) -> Iterator[ServerProcess]:
    """The least this stack needs for an answer of that size: see `service.baseline_app`.

    Args:
        settings: of the service that it stands beside: workers and threads; and the home, where
            it writes ``baseline_app.log``.
        body_bytes: the size of every answer's body.

    Raises:
        NotStarted: with the end of what it wrote.
    """
    address = (LOOPBACK, free_port())
    command = python("-m", "service.baseline_app", str(address[1]), str(body_bytes))
    with _running(
        settings, command, environment(settings), address, "baseline_app.log", BASELINE_READY
    ) as server:
        yield server


@contextmanager
def _running(
    settings: Settings,
    command: Sequence[str],
    environment_: Mapping[str, str],
    address: tuple[str, int],
    log_name: str,
    check: HealthCheck,
) -> Iterator[ServerProcess]:
    """A server that is up, and ends with the context; its log begins anew."""
    settings.home.mkdir(parents=True, exist_ok=True)
    log = settings.home / log_name
    log.write_bytes(b"")
    server = ServerProcess(command, environment_, address, log, settings.workers, check)
    server.start()
    try:
        yield server
    finally:
        with suppress(subprocess.TimeoutExpired):
            server.stop()
