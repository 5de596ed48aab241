"""[6] The service under gunicorn: worker processes, each with an engine of its own."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from service.api_keys import KeyFile
from webrec.config import Settings
from webrec.config import load as load_settings
from webrec.errors import StoreUnavailable, UsageError, WebrecError
from webrec.features import text
from webrec.serving.engine import Engine

if TYPE_CHECKING:
    from flask import Flask

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client looks at it once, when it is first imported: hence the late imports below."""

_METRICS_PREFIX = "webrec-metrics-"
_TOKENIZER_THREADS = "TOKENIZERS_PARALLELISM"
_NEW_S = 60
_KEEPALIVE_S = 75
_GRACEFUL_S = 30
# Python's own looks for cycles after 700 new objects, of which a request makes about as many; a
# tenth of the time of a request went there
_COLLECTED_AFTER = (10_000, 20, 50)
_log = logging.getLogger(__name__)


def serve(settings: Settings) -> int:
    """Run the service until it is told to stop.

    Returns:
        The exit status.

    Raises:
        UsageError: it may not, or cannot, listen there.
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
    folder = _metrics_folder()
    os.environ[METRICS_FOLDER] = folder
    import service.app  # noqa: F401 - before the fork, so that the workers share its memory

    worker = _Worker(settings)
    address = f"{host}:{port}" if ":" not in host else f"[{host}]:{port}"
    try:
        return run(settings, address, worker.load, worker_exit=worker.end, child_exit=_forget)
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
    gc.set_threshold(*_COLLECTED_AFTER)
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
    """Say at once that the address cannot be had; gunicorn would try for some seconds."""
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

    And load what reads texts: before the fork, where there is one, so that the workers share it.
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
        """In a worker, after the fork."""
        from service.app import create_app

        engine = self._engine = Engine(self._settings)
        try:
            engine.refresh()
        except WebrecError as error:
            _log.error("started without a model, and goes on trying: %s", error)
        engine.start()
        return create_app(engine)

    def end(self, _server: object, _worker: object) -> None:
        """In a worker, at its end."""
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
            "limit_request_line": 8_190,
            "control_socket_disable": True,
            "worker_tmp_dir": _in_memory(),
            **self._hooks,
        }
        for name, value in settings.items():
            if name in self.cfg.settings and value is not None:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """In a worker, after the fork."""
        gc.set_threshold(*_COLLECTED_AFTER)
        return self._load()


def _metrics_folder() -> str:
    """A new folder, locked as long as a process of this run lives; those of dead runs go."""
    parent = _in_memory() or tempfile.gettempdir()
    for old in Path(parent).glob(f"{_METRICS_PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, or just being made or taken away
            if time.time() - old.stat().st_mtime > _NEW_S and _lock(old):
                shutil.rmtree(old)
    folder = tempfile.mkdtemp(prefix=_METRICS_PREFIX, dir=parent)
    _lock(Path(folder))
    return folder


def _lock(folder: Path) -> bool:
    """Lock a folder for this process and its children, until the last of them has ended."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return False
    return True


def _in_memory() -> str | None:
    """A folder that no full disk affects, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - names are random


def _forget(_server: object, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library's omission


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
