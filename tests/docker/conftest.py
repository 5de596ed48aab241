"""What the tests of the images share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from docker import DockerClient

from tests.support.cluster import NO_ENGINE, build_image, engine_answers

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerClient]:
    """The Docker engine; the test is skipped where there is none."""
    if not engine_answers():
        pytest.skip(NO_ENGINE)
    with closing(docker.from_env()) as client:
        yield client


@pytest.fixture(scope="session")
def service_image(engine: DockerClient) -> str:
    """The service's image, of the code as it is now."""
    build_image(ROOT, "webrec-test", "docker/service/Dockerfile")
    return "webrec-test"


@pytest.fixture
def volume(engine: DockerClient) -> Iterator[str]:
    """A new volume."""
    made = engine.volumes.create(f"webrec-test-{secrets.token_hex(4)}")
    yield made.name
    made.remove()
