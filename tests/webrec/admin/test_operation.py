"""Whether the parts that answer are there."""

from __future__ import annotations

from pathlib import Path

from webrec.admin.operation import readiness
from webrec.serving.engine import Engine


def test_readiness_names_what_is_missing(engine: Engine, tmp_path: Path) -> None:
    """Readiness tells of store, log and model, with a reason where one is not there."""
    assert readiness(engine) == {
        "store": {"ok": True},
        "log": {"ok": True},
        "model": {"ok": True},
    }
    (tmp_path / "log").rename(tmp_path / "elsewhere")
    found = readiness(engine)
    assert not found["log"]["ok"]
    assert "log" in found["log"]["detail"]
    assert found["store"]["ok"]
    (tmp_path / "elsewhere").rename(tmp_path / "log")
