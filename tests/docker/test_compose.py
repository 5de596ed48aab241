"""The compose file: store, service and batch together, as an operator tries them."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

import pytest
import yaml
from docker import DockerClient

from tests.docker.conftest import ROOT
from tests.support import world
from tests.support.cluster import free_ports
from tests.support.running import Client, HttpAnswer, wait_until

_FILE = ROOT / "docker" / "compose.yaml"
_SERVICES: dict[str, Any] = yaml.safe_load(_FILE.read_text())["services"]


@pytest.mark.parametrize("name", _SERVICES)
def test_nothing_is_open_to_other_machines(name: str) -> None:
    """Every published port is published on loopback."""
    assert all(port.startswith("127.0.0.1:") for port in _SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", sorted(set(_SERVICES) - {"cluster"}))
def test_ours_run_with_no_more_than_they_need(name: str) -> None:
    """Every container of webrec has a read-only file system and no capability."""
    assert _SERVICES[name]["read_only"]
    assert _SERVICES[name]["cap_drop"] == ["ALL"]


def test_service_and_batch_share_no_files() -> None:
    """The service and the batch could run on two machines: only the keys are in common."""
    of_service, of_batch = (
        {volume.split(":")[0] for volume in _SERVICES[name]["volumes"]}
        for name in ("service", "batch")
    )
    assert not of_service & of_batch


@pytest.fixture
def compose(engine: DockerClient) -> Iterator[Compose]:
    """The compose file under a project name of its own; all of it is taken down at the end."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("needs docker-compose")
    compose = Compose([program, "--file", str(_FILE), "--project-name", _name()])
    yield compose
    compose.run("down", "--volumes", "--timeout", "60")


@pytest.mark.slow
def test_brought_up_it_learns_and_answers(compose: Compose) -> None:
    """Events sent to the service reach the batch by HDFS, and its model the service by HBase."""
    compose.run("config", "--quiet")
    compose.run("up", "--build", "--detach")
    key = next(word for word in compose.run("logs", "keys").split() if word.startswith("wr_"))
    wait_until(lambda: compose.is_well("/health/live"), 60)
    events = [*world.PAGES, *world.VISITS]
    assert compose.ask("POST", "/v1/events", events, key).json["rejected"] == []
    wait_until(lambda: compose.is_well("/health/ready"), 120)
    request = {"url": world.VISITS[0]["url"], "user": "a stranger"}
    # the other worker may see the model a little later
    wait_until(lambda: bool(compose.ask("POST", "/v1/recommendations", request, key).json["items"]))


class Compose:
    """A project of the compose file.

    Args:
        command: how compose is called.
    """

    def __init__(self, command: list[str]) -> None:
        self._command = command
        (self._port,) = free_ports(1)

    def run(self, *arguments: str) -> str:
        """Run a command of compose; what it printed."""
        environment = {
            **os.environ,
            "WEBREC_PORT": str(self._port),
            "WEBREC_BATCH_EVERY": "2s",
        }
        done = subprocess.run(
            [*self._command, *arguments], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def is_well(self, path: str) -> bool:
        """Whether the service answers this with 200."""
        try:
            return self.ask("GET", path).status == 200
        except (OSError, HTTPException):
            return False

    def ask(self, method: str, path: str, document: object = None, key: str = "") -> HttpAnswer:
        """One request to the service."""
        with Client(self._port) as client:
            return client.request(method, path, document, {"X-API-Key": key})


def _name() -> str:
    return f"webrec-test-{secrets.token_hex(4)}"
