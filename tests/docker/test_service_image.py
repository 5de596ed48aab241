"""The service's image: nobody's root, on a file system that cannot be written, offline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from docker import DockerClient
from docker.errors import ContainerError
from docker.models.containers import Container

from tests.support.cluster import labels
from tests.support.running import Client, wait_until

pytestmark = pytest.mark.slow

_READ_ONLY = {"read_only": True, "tmpfs": {"/tmp": ""}, "cap_drop": ["ALL"]}
_REQUEST = {"url": "https://example.org/a", "user": "ann"}


def test_the_demo_needs_nothing_from_outside(engine: DockerClient, service_image: str) -> None:
    """World, batch and service run on a read-only file system and without a network."""
    output = engine.containers.run(
        service_image, ["demo"], remove=True, network_mode="none", **_READ_ONLY
    )
    assert "/v1/events" in output.decode()


def test_it_does_not_listen_without_a_key(engine: DockerClient, service_image: str) -> None:
    """Reachable from other machines and without a key, it refuses to start and says why."""
    with pytest.raises(ContainerError, match="webrec keys add") as refused:
        engine.containers.run(service_image, remove=True, **_READ_ONLY)
    assert refused.value.exit_status == 2


def test_it_serves_whoever_has_the_key(
    engine: DockerClient, service_image: str, volume: str
) -> None:
    """With a key it becomes healthy and answers those who have it; a stop is orderly."""
    home = {volume: {"bind": "/data", "mode": "rw"}}
    command = ["keys", "add", "trial", "--scope", "serve"]
    added = engine.containers.run(service_image, command, remove=True, volumes=home, **_READ_ONLY)
    key = added.decode().split()[0]
    with _running(engine, service_image, home) as container:
        wait_until(lambda: _health(container) == "healthy", 90)
        (published,) = container.ports["8080/tcp"]
        with Client(int(published["HostPort"])) as client:
            sent = {"X-API-Key": key}
            assert client.request("POST", "/v1/recommendations", _REQUEST).status == 401
            assert client.request("POST", "/v1/recommendations", _REQUEST, sent).status == 200
            assert b"webrec_request_seconds" in client.get("/metrics").body
        assert container.exec_run(["id", "-u"]).output.strip() == b"10001"
        container.stop(timeout=60)
        assert container.wait()["StatusCode"] == 0


@contextmanager
def _running(
    engine: DockerClient, image: str, home: dict[str, dict[str, str]]
) -> Iterator[Container]:
    container = engine.containers.run(
        image,
        detach=True,
        labels=labels(),
        ports={"8080/tcp": ("127.0.0.1", None)},
        volumes=home,
        **_READ_ONLY,
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def _health(container: Container) -> str:
    container.reload()
    assert container.status == "running", container.logs().decode()
    health: str = container.attrs["State"]["Health"]["Status"]
    return health
