"""What the tests of the batch share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.worlds import ingest_known, opened
from webrec.serving.engine import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The known-answer world, before its first batch."""
    with opened(tmp_path) as engine:
        ingest_known(engine)
        yield engine
