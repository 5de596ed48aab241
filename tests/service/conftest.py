"""The known-answer world behind Flask's test client, a copy of its own for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api_keys import KeyFile
from service.app import create_app
from webrec import config
from webrec.serving.engine import Engine

OpenEngine = Callable[..., Engine]


@pytest.fixture
def open_engine() -> Iterator[OpenEngine]:
    """Open an engine with any settings; it is closed after the test."""
    opened: list[Engine] = []

    def open_(**settings: Any) -> Engine:
        # a read that a busy machine makes slowly is left out of no test's answer; the published
        # priority orders the lists, unless a test gives similarity a weight
        engine = Engine(config.load(**{"tmax": 60_000, "w_sim": 0, **settings}))
        opened.append(engine)
        engine.tables.create()
        engine.refresh()
        return engine

    yield open_
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(home: Path, open_engine: OpenEngine) -> Engine:
    """An engine on the world."""
    return open_engine(home=home)


@pytest.fixture
def app(engine: Engine) -> Flask:
    """The service without keys."""
    return create_app(engine)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client on this machine."""
    return app.test_client()


@pytest.fixture
def key_of(home: Path) -> dict[str, str]:
    """A key for each scope alone, by scope; made before the service starts."""
    key_file = KeyFile(home / "keys.json")
    return {scope: key_file.add(f"only-{scope}", [scope]) for scope in ("serve", "ingest", "admin")}


@pytest.fixture
def empty_client(tmp_path: Path, open_engine: OpenEngine) -> FlaskClient:
    """A service before its first batch."""
    return create_app(open_engine(home=tmp_path / "empty")).test_client()
