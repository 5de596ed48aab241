"""HBase and HDFS in a container, for tests that want the real ones and for trials.

``python -m tests.support.cluster`` starts one, prints where it is, and removes it at Ctrl-C.
"""

from __future__ import annotations

import atexit
import os
import random
import signal
import socket
import stat
import sys
import time
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from testcontainers.core.container import DockerContainer

SERVERS = ("namenode", "datanode", "hbase", "thrift")
NO_ENGINE = "needs Docker: no engine answers"

_FOLDER = Path(__file__).parents[2] / "docker" / "cluster"
_THRIFT = 9090
_NAMENODE = 9870
_STOP_S = 60
# how long the engine may say nothing, in a step of a build or while servers start
_PATIENT = {"timeout": 1_800}


def engine_answers() -> bool:
    """Whether there is a Docker engine where ``DOCKER_HOST`` says."""
    # asked without its client, which leaves a socket open when there is none
    address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    kind, _, place = address.partition("://")
    try:
        if kind == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(place)
        elif kind == "tcp":
            host, _, port = place.rstrip("/").rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def labels() -> dict[str, str]:
    """The label of what this run starts, so that its caller can take away what it left behind."""
    return {"webrec.test": os.environ.get("WEBREC_TEST_RUN", str(os.getpid()))}


def build_image(folder: Path, tag: str, dockerfile: str = "Dockerfile") -> None:
    """Build an image; what did not change since the last time is taken from there.

    Args:
        folder: the build context.
        tag: the image's name, with or without a tag.
        dockerfile: relative to the folder.

    Raises:
        RuntimeError: the build failed, with the end of its log.
    """
    log: list[str] = []
    with closing(_client()) as client:
        build = client.api.build
        path = str(folder)
        for step in build(path=path, dockerfile=dockerfile, tag=tag, forcerm=True, decode=True):
            log.append(step.get("stream") or step.get("error") or "")
            if "error" in step:
                raise RuntimeError(f"{tag} cannot be built:\n{''.join(log)[-8_000:]}")


def cluster_image() -> str:
    """The image of ``docker/cluster``, built unless there is one of the very same content."""
    tag = f"webrec-cluster:{_hash(_FOLDER)}"
    with closing(_client()) as client:
        if client.images.list(name=tag):
            return tag
    build_image(_FOLDER, tag)
    return tag


class Cluster:
    """One cluster in a container of its own, ready when it is entered, removed when it is left.

    The ports on this machine stay the same whatever is stopped and started.

    Args:
        profile: ``test``, small and quickly up, or ``perf``, to measure with.
        framed: whether the Thrift server speaks the framed transport.

    Attributes:
        thrift_port: HBase's Thrift server, on 127.0.0.1.
        namenode_port: WebHDFS, on 127.0.0.1.
    """

    def __init__(self, *, profile: str = "test", framed: bool = False) -> None:
        self.thrift_port, self.namenode_port, self._datanode_port = free_ports(3)
        self._environment = {
            "CLUSTER_PROFILE": profile,
            "THRIFT_FRAMED": str(int(framed)),
            # the NameNode sends clients on to this address: it must hold on this machine too
            "DATANODE_HOST": "127.0.0.1",
            "DATANODE_HTTP_PORT": str(self._datanode_port),
        }
        self._container: DockerContainer | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> None:
        """Make the container, and return when all servers answer."""
        from testcontainers.core.container import DockerContainer

        container = DockerContainer(cluster_image(), _PATIENT, env=self._environment)
        # its annotation knows the port alone, Docker takes an address with it
        container.ports = {
            f"{_THRIFT}/tcp": ("127.0.0.1", self.thrift_port),  # type: ignore[dict-item]
            f"{_NAMENODE}/tcp": ("127.0.0.1", self.namenode_port),  # type: ignore[dict-item]
            f"{self._datanode_port}/tcp": ("127.0.0.1", self._datanode_port),  # type: ignore[dict-item]
        }
        # asked by `wait` alone: what is measured here shall not be the engine's own asking
        container.with_kwargs(labels=labels(), healthcheck={"test": ["NONE"]})
        self._container = container
        atexit.register(self.close)
        try:
            container.start()
            self.wait()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the container and its data."""
        atexit.unregister(self.close)
        if self._container is not None:
            self._container.stop()
            self._container = None

    def store_uri(self, prefix: str) -> str:
        """The setting WEBREC_STORE for tables of this prefix."""
        return f"hbase://127.0.0.1:{self.thrift_port}/{prefix}"

    def log_uri(self, path: str) -> str:
        """The setting WEBREC_LOG for a folder of HDFS, such as ``webrec/log``."""
        return f"hdfs://127.0.0.1:{self.namenode_port}/{path}"

    def wait(self, seconds: int = 180) -> None:
        """Return when all servers answer.

        Raises:
            RuntimeError: they do not by then.
        """
        try:
            self.exec("cluster", "wait", str(seconds))
        except RuntimeError as error:
            error.add_note(self.logs())
            raise

    def healthy(self) -> bool:
        """Whether all servers answer now."""
        code: int = self._docker().exec_run(["cluster", "health"]).exit_code
        return code == 0

    def kill(self, *names: str, signal: str = "KILL") -> None:
        """Send servers a signal; what dies of it is started again at once."""
        self.exec("cluster", "kill", *names, signal)

    def stop(self, *names: str) -> None:
        """Stop servers in order, and hold them down."""
        self.exec("cluster", "stop", *names)

    def start(self, *names: str) -> None:
        """Let servers that were held down start again; returns before they are up."""
        self.exec("cluster", "start", *names)

    def pause(self, *names: str) -> None:
        """Freeze servers: connections stay open, nothing is answered."""
        self.exec("cluster", "pause", *names)

    def resume(self, *names: str) -> None:
        """Let frozen servers go on."""
        self.exec("cluster", "resume", *names)

    def stop_all(self) -> None:
        """Stop everything in order."""
        self._docker().stop(timeout=_STOP_S)

    def kill_all(self) -> None:
        """End everything at once, as a power failure does."""
        self._docker().kill()

    def start_all(self) -> None:
        """Start everything on the same data; returns before it is up."""
        self._docker().start()

    def restart(self) -> None:
        """Stop everything in order, start it on the same data, and wait until it answers."""
        self.stop_all()
        self.start_all()
        self.wait()

    def shell(self, script: str) -> str:
        """Run a script in the HBase shell; what it printed.

        Raises:
            RuntimeError: a statement failed; those after it were not run.
        """
        command = ["bash", "-c", 'hbase shell -n <<<"$SCRIPT"']
        return self.exec(*command, environment={"SCRIPT": script})

    def exec(self, *command: str, environment: dict[str, str] | None = None) -> str:
        """Run a command in the container; what it printed.

        Raises:
            RuntimeError: it failed.
        """
        result = self._docker().exec_run(list(command), environment=environment or {})
        output: str = result.output.decode(errors="replace")
        if result.exit_code != 0:
            raise RuntimeError(f"{' '.join(command)}: status {result.exit_code}\n{output}")
        return output

    def logs(self, lines: int = 30) -> str:
        """The last lines of every log."""
        supervisor = self._docker().logs(tail=lines).decode(errors="replace")
        servers = self._docker().exec_run(["bash", "-c", f"tail -n {lines} /data/log/*.log"])
        return f"{supervisor}\n{servers.output.decode(errors='replace')}"

    def _docker(self) -> Container:
        assert self._container is not None, "the cluster is not open"
        return self._container.get_wrapped_container()


def _client() -> DockerClient:
    import docker

    return docker.from_env(**_PATIENT)


def _hash(folder: Path) -> str:
    """Twelve hex digits that change whenever a file of the folder does."""
    built = {"target"}  # what a build outside of Docker leaves, see .dockerignore
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and not built & set(path.parts)
    )
    digest = sha256()
    for path in files:
        runs = bool(path.stat().st_mode & stat.S_IXUSR)
        digest.update(f"{path.relative_to(folder)}\0{runs}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def free_ports(count: int) -> list[int]:
    """Ports free now, from below the range of those that outgoing connections take."""
    held: list[socket.socket] = []
    try:
        while len(held) < count:
            probe = socket.socket()
            try:
                probe.bind(("127.0.0.1", random.randint(20_000, 32_000)))
            except OSError:
                probe.close()
            else:
                held.append(probe)
        return [probe.getsockname()[1] for probe in held]
    finally:
        for probe in held:
            probe.close()


def _main() -> None:
    began = time.monotonic()
    with Cluster(profile=os.environ.get("CLUSTER_PROFILE", "test")) as cluster:
        sys.stdout.write(
            f"export WEBREC_STORE={cluster.store_uri('webrec')}\n"
            f"export WEBREC_LOG={cluster.log_uri('webrec/log')}\n"
            f"# ready after {time.monotonic() - began:.0f} s; Ctrl-C removes it\n"
        )
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _main()
