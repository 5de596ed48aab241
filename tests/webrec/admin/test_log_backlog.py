"""How much of the log the active model has not read."""

from __future__ import annotations

from pathlib import Path

from tests.support.worlds import serving
from webrec.admin.operation import log_backlog
from webrec.bench.oracle import World
from webrec.domain.types import Event

PAGE = "https://site.example/c"


def test_the_backlog_is_what_the_model_has_not_read(tmp_path: Path) -> None:
    """In segments; before the first model it is the whole log."""
    with serving(tmp_path, World(category={PAGE: "c1"})) as engine:
        assert log_backlog(engine) == 0
        engine.recorder.record([Event("visit", PAGE, "u:ann", 0)])
        assert log_backlog(engine) == 1
        engine.recorder.cut(0)
        assert log_backlog(engine) == 1
        engine.recorder.record([Event("visit", PAGE, "u:ann", 0)])
        assert log_backlog(engine) == 2
