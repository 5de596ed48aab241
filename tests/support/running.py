"""The service as its users meet it: gunicorn with its workers in processes of their own.

`Service` is a `webrec.bench.server_process.ServerProcess` with a client. `Batch` is a batch in a
process of its own, which prints what it is doing, so that a test can end it at any step.
"""

from __future__ import annotations

import http.client
import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from clustering.learners import default_learners
from tests.support import world
from webrec import config
from webrec.batch.job import run
from webrec.batch.options import BatchOptions
from webrec.bench import processes
from webrec.bench.commands import environment, python
from webrec.bench.health import LIVE, LOOPBACK, free_port
from webrec.bench.server_process import SERVE, ServerProcess
from webrec.domain.progress import no_progress
from webrec.formats.campaigns import parse_campaign
from webrec.formats.events import parse_event
from webrec.serving.engine import Engine

DEADLINE_S = 30.0
"""When a test gives up waiting for what must happen; how soon it must is no matter of tests."""

_BATCH = """
import json, os, signal, sys
from clustering.learners import default_learners
from webrec.batch.job import run
from webrec.batch.options import BatchOptions
from webrec import config
from webrec.cli.batch import RETRY_TIMEOUT_S
from webrec.cli.engine import engine_of
from webrec.errors import WebrecError
settings, options, freezes = map(json.loads, sys.argv[1:])
options = BatchOptions(**options)
def report(doing, done, total):
    print(doing, flush=True)
    if freezes and doing == freezes[0] and done >= freezes[1]:
        freezes.clear()
        os.kill(os.getpid(), signal.SIGSTOP)
with engine_of(config.load(**settings), RETRY_TIMEOUT_S) as engine:
    print("started", flush=True)
    try:
        parts = engine.tables, engine.log, engine.recorder, engine.settings
        run(*parts, default_learners(options, engine.settings), options, report)
    except WebrecError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        sys.exit(1)
"""
_OPTIONS = {"categories": 3, "communities": 3, "features": "tfidf"}


def build_world(home: Path, **settings: Any) -> None:
    """Ingest the known-answer world, upload its campaigns and run a batch.

    Args:
        home: new.
        settings: see `webrec.config`; another store and log than the home's own are new, too.
    """
    engine = Engine(config.load(home=home, **settings))
    try:
        engine.tables.create()
        now_ms = time.time_ns() // 1_000_000
        events = [parse_event(document, now_ms) for document in world.PAGES + world.VISITS]
        engine.recorder.record(events)
        engine.tables.campaigns.put([parse_campaign(document) for document in world.CAMPAIGNS])
        batch(engine)
    finally:
        engine.close()


def batch(engine: Engine, **options: Any) -> str:
    """Run a batch in this process; the id of its generation.

    Args:
        options: see `webrec.batch.options.BatchOptions`.
    """
    given = BatchOptions(**{**_OPTIONS, **options})
    parts = (engine.tables, engine.log, engine.recorder, engine.settings)
    found = run(*parts, default_learners(given, engine.settings), given, no_progress)
    engine.refresh()
    return found.generation.id


class HttpAnswer(NamedTuple):
    """What came back over HTTP."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Client:
    """One keep-alive connection, opened when it is first needed.

    Attributes:
        is_fresh: nothing has been answered on the present connection yet.
    """

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=DEADLINE_S)
        self.is_fresh = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the next request connects again."""
        self._connection.close()
        self.is_fresh = True

    def request(
        self, method: str, path: str, document: object = None, headers: dict[str, str] | None = None
    ) -> HttpAnswer:
        """Send a request, with ``document`` as its JSON body, and read the answer to its end.

        Raises:
            OSError, http.client.HTTPException: the connection broke.
        """
        sent = dict(headers or {})
        body = None
        if isinstance(document, bytes):
            body = document
        elif document is not None:
            body = json.dumps(document).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            self._connection.request(method, path, body, sent)
            response = self._connection.getresponse()
            answer = HttpAnswer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        self.is_fresh = response.will_close
        return answer

    def get(self, path: str, **query: str) -> HttpAnswer:
        """GET with query parameters."""
        return self.request("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, document: object) -> HttpAnswer:
        """POST a JSON document."""
        return self.request("POST", path, document)


class Service:
    """The service in processes of its own, on a free loopback port, as its users start it.

    Args:
        home: its home; what it logs goes to ``<home>.log``.
        host: the address it listens on.
        settings: see `webrec.config`.
    """

    def __init__(self, home: Path, *, host: str = LOOPBACK, **settings: Any) -> None:
        self.home = home
        self._host = host
        self.port = 0
        self.settings = {"workers": 2, "w_sim": 0, **settings}  # the published priority
        self.log_path = home.with_name(home.name + ".log")
        self._server: ServerProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None and self._server.is_running:
            self.stop()

    @property
    def server(self) -> ServerProcess:
        """Its processes."""
        assert self._server is not None
        return self._server

    @property
    def pid(self) -> int:
        """The master."""
        return self.server.pid

    def workers(self) -> list[int]:
        """The workers' process ids."""
        return self.server.workers()

    def start(self) -> None:
        """Start, again on the same port, and return when every worker answers.

        Raises:
            NotStarted: with the end of what it logged.
        """
        self.port = self.port or free_port()
        bind = f"{self._host}:{self.port}"
        settings = config.load(home=self.home, bind=bind, **self.settings)
        self._server = ServerProcess(
            python(*SERVE),
            environment(settings),
            (LOOPBACK, self.port),
            self.log_path,
            settings.workers,
            LIVE,
        )
        self._server.start(DEADLINE_S)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, and wait until it has; its exit status."""
        return self.server.stop(how, 60)

    def kill(self) -> None:
        """End the master and all workers at once, without warning."""
        self.server.kill()

    def kill_worker(self, index: int) -> None:
        """End one worker without warning."""
        with suppress(IndexError):
            processes.send(self.workers()[index], signal.SIGKILL)

    @contextmanager
    def only(self, pid: int) -> Iterator[None]:
        """Let one worker alone answer: the others are stopped meanwhile."""
        with self.server.only(pid):
            yield

    def client(self) -> Client:
        """A new connection."""
        return Client(self.port)

    def ask(self, method: str, path: str, document: object = None) -> HttpAnswer:
        """One request on a connection of its own."""
        with self.client() as client:
            return client.request(method, path, document)

    def ask_each(self, method: str, path: str, document: object = None) -> list[HttpAnswer]:
        """The same request to every worker."""
        answers = []
        for pid in self.workers():
            with self.only(pid):
                answers.append(self.ask(method, path, document))
        return answers

    def metrics(self) -> dict[str, float]:
        """The samples of a scrape, by name with labels."""
        lines = self.ask("GET", "/metrics").body.decode().splitlines()
        samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def limit_file_size(self, limit: int) -> None:
        """Let no worker write past this size in a file, as if the disk were full; -1: unlimited."""
        for pid in self.workers():
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))


class Batch:
    """A batch in a process of its own.

    Args:
        home: its home.
        settings: see `webrec.config`.
        freezes: the step, and how much of it is done, at which it stands still, as on a machine
            that falls asleep.
        options: see `webrec.batch.options.BatchOptions`.

    Attributes:
        printed: what it printed so far, line by line: its steps, and why it failed.
    """

    def __init__(
        self,
        home: Path,
        settings: Mapping[str, Any] | None = None,
        freezes: tuple[str, int] | None = None,
        **options: Any,
    ) -> None:
        given = ({"home": str(home), **(settings or {})}, {**_OPTIONS, **options}, freezes)
        self.printed: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BATCH, *map(json.dumps, given)],
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def wait_for(self, step: str) -> bool:
        """Wait until it prints that it does this; False when it ends before."""
        return any(line == step for line in self._lines())

    def wait_until_frozen(self) -> None:
        """Return when it stands still.

        Raises:
            TimeoutError: it does not, or came to its end.
        """
        wait_until(lambda: processes.state(self._process.pid) == processes.STOPPED)

    def go_on(self) -> None:
        """Let it go on where it stood."""
        self._process.send_signal(signal.SIGCONT)

    def finish(self) -> int:
        """Wait for its end; its exit status."""
        for _ in self._lines():
            pass
        return self._process.wait(DEADLINE_S)

    def kill(self) -> None:
        """End it without warning."""
        self._process.kill()
        self._process.wait(DEADLINE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _lines(self) -> Iterator[str]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.printed.append(line.strip())
            yield self.printed[-1]


def run_batch(home: Path, settings: Mapping[str, Any] | None = None, **options: Any) -> None:
    """A whole batch in a process of its own; see `Batch`."""
    with Batch(home, settings, **options) as process:
        assert process.finish() == 0


def let_lease_end(home: Path, settings: Mapping[str, Any] | None = None) -> None:
    """Do as if the term of the lease of a batch that was killed, or froze, had run out."""
    engine = Engine(config.load(home=home, **(settings or {})))
    try:
        engine.tables.create()
        engine.tables.meta.swap_lease(engine.tables.meta.lease(), b'{"owner":"","until":0}')
    finally:
        engine.close()


def wait_until(condition: Callable[[], bool], seconds: float = DEADLINE_S) -> None:
    """Return when the condition holds.

    Raises:
        TimeoutError: it does not come to hold.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(0.02)
