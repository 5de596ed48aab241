"""Models, listed and activated."""

from __future__ import annotations

from random import Random

import pytest

from tests.support.worlds import publish
from tests.webrec.admin.site import WORLD
from webrec.admin.models import activate_model, all_models
from webrec.errors import Conflict, NotFound
from webrec.serving.engine import Engine


def test_models_are_listed_newest_first(engine: Engine) -> None:
    """Models are listed newest first, with the active one marked."""
    publish(engine.tables, WORLD, Random(2), "000002")
    first, second = all_models(engine.tables)
    assert (first["id"], first["active"]) == ("000002", True)
    assert (second["id"], second["active"]) == ("000001", False)
    assert first["created"] == "1970-01-01T00:00:00.001Z"
    assert first["counts"] == {"pages": 5}


def test_a_model_is_activated_at_once(engine: Engine) -> None:
    """A model answers once it is activated; an unknown one is refused and changes nothing."""
    publish(engine.tables, WORLD, Random(2), "000002")
    for model_id in ("000001", "000002", "000002"):
        assert activate_model(engine, model_id)["active"]
        assert engine.snapshot.model.generation.id == model_id
    with pytest.raises(NotFound):
        activate_model(engine, "000009")
    with pytest.raises(Conflict):
        engine.tables.generations.activate("000001", "000001")
    assert engine.snapshot.model.generation.id == "000002"
