"""Engines on a small world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.support.thrift_gateway import ThriftGateway
from tests.support.worlds import opened, publish, serving
from tests.webrec.serving.asking import WORLD, campaign
from webrec.serving.engine import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The world, published."""
    with serving(tmp_path, WORLD) as engine:
        yield engine


@pytest.fixture
def other(engine: Engine) -> Iterator[Engine]:
    """Another process on the same store and log."""
    with opened(engine.settings.home) as other:
        yield other


@pytest.fixture
def gateway() -> Iterator[ThriftGateway]:
    """A Thrift server to break."""
    with ThriftGateway() as gateway:
        yield gateway


@pytest.fixture
def remote(gateway: ThriftGateway, tmp_path: Path) -> Iterator[Engine]:
    """The world, published on it, with a campaign; its requests have little time."""
    with opened(tmp_path, store=gateway.store_uri("world"), tmax=150) as engine:
        engine.recorder.cut(0)
        publish(engine.tables, WORLD, Random(1))
        engine.tables.campaigns.put([campaign()])
        engine.refresh()
        yield engine
        gateway.accept()
        gateway.resume()
