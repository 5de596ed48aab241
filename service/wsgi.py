"""[6] The service under gunicorn: worker processes, each with an engine of its own."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import shutil
import socket
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from service.api_keys import KeyFile
from service.metrics_folder import (
    METRICS_FOLDER,
    forget_worker,
    make_metrics_folder,
    shared_memory,
)
from webrec.config import Settings
from webrec.config import load as load_settings
from webrec.errors import StoreUnavailable, UsageError, WebrecError
from webrec.features import text
from webrec.serving.engine import Engine

if TYPE_CHECKING:
    from flask import Flask

_TOKENIZER_THREADS = "TOKENIZERS_PARALLELISM"
"""The environment variable that lets the tokenizer start threads."""

_KEEPALIVE_S = 75
"""How long an idle connection stays open.

Longer than the 60 s for which balancers usually keep one, so that none of them sends a request into
a connection that is just being closed.
"""

_GRACEFUL_S = 30
"""How long a worker that is told to stop may take for the requests it has begun."""

_REQUEST_LINE_BYTES = 8_190
"""The longest request line: the most that gunicorn takes as a limit."""

_GC_THRESHOLDS = (10_000, 20, 50)
"""New objects, then younger collections, after which Python looks for cycles.

Its own looks after 700 new objects, of which a request makes about as many; a tenth of the time of
a request went there.
"""

_log = logging.getLogger(__name__)


def serve(settings: Settings) -> int:
    """Run the service until it is told to stop.

    Returns:
        The exit status.

    Raises:
        UsageError: the address is no address, is taken, or is open to other machines without a key.
        WebrecError: the log or the store cannot be used.
    """
    host, port = _address(settings.bind)
    if not _is_loopback(host) and not KeyFile(settings.keys_path).any_keys():
        raise UsageError(
            f"{settings.bind} can be reached from other machines and there is no API key: make "
            "one (webrec keys add NAME --scope serve) or bind to 127.0.0.1"
        )
    _check_free(host, port)
    _prepare(settings)
    folder = make_metrics_folder()
    os.environ[METRICS_FOLDER] = folder
    # after the folder is named, and before the fork, so that the workers share its memory
    import service.app  # noqa: F401

    worker = _Worker(settings)
    address = f"{host}:{port}" if ":" not in host else f"[{host}]:{port}"
    try:
        return run(settings, address, worker.load, worker_exit=worker.end, child_exit=_ended)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def application() -> Flask:
    """The service for another WSGI server, which calls this in each of its workers.

    Settings come from the environment; so does `METRICS_FOLDER`, a new folder at every start.

    Raises:
        WebrecError: the log or the store cannot be used.
    """
    settings = load_settings()
    _prepare(settings)
    gc.set_threshold(*_GC_THRESHOLDS)
    worker = _Worker(settings)
    atexit.register(worker.end, None, None)
    return worker.load()


def run(
    settings: Settings, address: str, load: Callable[[], Flask], **hooks: Callable[..., None]
) -> int:
    """Run an application under gunicorn until it is told to stop.

    Args:
        settings: how many workers and threads.
        address: host and port; an IPv6 host in brackets.
        load: makes the application, in each worker, after the fork.
        hooks: gunicorn's, by name.

    Returns:
        The exit status.
    """
    try:
        _Gunicorn(settings, address, load, hooks).run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _check_free(host: str, port: int) -> None:
    """Raise `UsageError` at once where the address is taken; gunicorn would retry for seconds."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"{host}:{port} cannot be bound ({error.strerror}): is another service there? "
                "--bind HOST:PORT takes another address"
            ) from error


def _prepare(settings: Settings) -> None:
    """Make the tables, and replay what an earlier run left behind when it was killed.

    Load the language model, too: before the fork, where there is one, so that the workers share it.
    """
    if settings.online == "on":
        os.environ[_TOKENIZER_THREADS] = "false"  # threads that would not live through a fork
        text.load()
    engine = Engine(settings)
    try:
        engine.refresh()
        engine.recorder.recover()
    except StoreUnavailable as error:
        _log.error("started without the store, and goes on trying: %s", error)
    finally:
        engine.close()


class _Worker:
    """What a worker answers with: an engine of its own, and the application over it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: Engine | None = None

    def load(self) -> Flask:
        """Open the engine and make the application: in a worker, after the fork."""
        from service.app import create_app

        engine = self._engine = Engine(self._settings)
        try:
            engine.refresh()
        except WebrecError as error:
            _log.error("started without a model, and goes on trying: %s", error)
        engine.start()
        return create_app(engine)

    def end(self, _server: object, _worker: object) -> None:
        """Close the engine: in a worker, at its end."""
        if self._engine is not None:
            self._engine.close()


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, set up from our settings instead of a file of its own; see `run`."""

    def __init__(
        self,
        settings: Settings,
        address: str,
        load: Callable[[], Flask],
        hooks: Mapping[str, Callable[..., None]],
    ) -> None:
        self._settings = settings
        self._address = address
        self._load = load
        self._hooks = hooks
        super().__init__()

    def load_config(self) -> None:
        """Translate the settings."""
        settings: dict[str, Any] = {
            "bind": self._address,
            "workers": self._settings.workers,
            "threads": self._settings.threads,
            "worker_class": "gthread",
            "keepalive": _KEEPALIVE_S,
            "graceful_timeout": _GRACEFUL_S,
            "proc_name": "webrec",
            "limit_request_line": _REQUEST_LINE_BYTES,
            "control_socket_disable": True,
            "worker_tmp_dir": shared_memory(),
            **self._hooks,
        }
        for name, value in settings.items():
            if name in self.cfg.settings and value is not None:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application: in a worker, after the fork."""
        gc.set_threshold(*_GC_THRESHOLDS)
        return self._load()


def _ended(_server: object, worker: Any) -> None:
    """In the master, after a worker has ended."""
    forget_worker(worker.pid)


def _address(bind: str) -> tuple[str, int]:
    host, colon, port = bind.rpartition(":")
    if not colon or not port.isdigit() or not 0 <= int(port) <= 65_535 or not host:
        raise UsageError(f"--bind {bind}: give HOST:PORT, such as 127.0.0.1:8080")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
