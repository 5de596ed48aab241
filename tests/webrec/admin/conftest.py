"""An engine on the site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.worlds import serving
from tests.webrec.admin.site import WORLD
from webrec.serving.engine import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine on the published site."""
    with serving(tmp_path, WORLD) as engine:
        yield engine
