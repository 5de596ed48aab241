"""What is known of a visitor, up to a generation and since."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.support.worlds import publish, seen
from tests.webrec.serving.asking import ANN, WORLD, A, B, C, D, ask, urls
from webrec.admin.models import activate_model
from webrec.domain.types import Event
from webrec.serving.engine import Engine


def test_a_forgotten_visitor_is_a_stranger_at_once(engine: Engine, other: Engine) -> None:
    """Profile and community are gone in every process, and a new visit counts at once."""
    assert ask(engine, D, user="ann").path == ["WebR.Rel.Cont", "WebR.Rel.Col"]
    other.recorder.forget(ANN)
    for each in (engine, other):
        assert ask(each, D, user="ann").path == ["WebR.Rel.Cont", "WebR.Rel.Default"]
        assert seen(each, ANN) == {}
    ask(engine, C, user="ann", track=True)
    assert seen(engine, ANN) == {C: (1, 0)}
    assert C not in urls(ask(engine, D, user="ann"))


def test_what_happened_counts_past_each_watermark_once(engine: Engine) -> None:
    """Whichever model is active, a profile is the model's and what came after its cut."""
    engine.recorder.record([Event("visit", C, ANN, 0)])
    watermark = engine.recorder.cut(0)
    merged = {**WORLD.profiles, ANN: {A: (3, 0), C: (1, 0)}}
    publish(engine.tables, replace(WORLD, profiles=merged), Random(2), "000002")
    generation = engine.tables.generations.get("000002")
    assert generation is not None
    engine.tables.generations.put(replace(generation, watermark=watermark))
    engine.recorder.record([Event("visit", B, ANN, 0)])
    for model_id in ("000002", "000001", "000002"):
        activate_model(engine, model_id)
        assert seen(engine, ANN) == {A: (3, 0), B: (1, 0), C: (1, 0)}
