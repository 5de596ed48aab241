"""The command line in this process, on a home of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from webrec.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line; WEBREC_HOME is a new folder."""
    monkeypatch.setenv("WEBREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WEBREC_W_SIM", "0")  # the published priority

    def run_(*arguments: str | Path, stdin: bytes | None = None, fails: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)
        assert result.exit_code == fails, (result.output, result.exception)
        return result

    return run_


def json_of(result: Result) -> Any:
    """The one JSON document on standard output, where nothing else may be."""
    return json.loads(result.stdout)
