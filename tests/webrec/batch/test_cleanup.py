"""What a batch takes away: forgotten visitors and old generations."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.support.worlds import batch, ingest_known, opened, seen
from tests.webrec.batch.known_site import EDITH, PAGE, sent_by_all, visit
from webrec.admin.models import activate_model, all_models
from webrec.admin.users import get_user
from webrec.batch import job
from webrec.serving.engine import Engine


def test_the_last_generations_stay(engine: Engine) -> None:
    """Three are kept to go back to, with what they need; older ones are dropped."""
    ids = [batch(engine).id for _ in range(5)]
    assert [g.id for g in engine.tables.generations.all()] == ids[2:]
    assert engine.tables.generations.with_tables() == set(ids[2:])
    assert [m["id"] for m in all_models(engine.tables)] == ids[:1:-1]
    assert len(list((engine.settings.home / "cache").glob("0*"))) <= 3


def test_going_back_while_a_batch_cleans_up(tmp_path: Path) -> None:
    """The model an operator has just gone back to stays and is served; the next batch succeeds."""
    with opened(tmp_path, keep_generations=1) as engine:
        ingest_known(engine)
        first, second = batch(engine, features="tfidf"), batch(engine, features="tfidf")
        went_back: list[str] = []

        def go_back(doing: str, _done: int, _total: int) -> None:
            if doing == "cleaning up":
                third = engine.tables.meta.versions().active
                assert third is not None
                engine.tables.generations.activate(first.id, third.decode())
                went_back.append(first.id)

        third = batch(engine, go_back, features="tfidf")
        assert went_back == [first.id]
        assert engine.model == first
        assert seen(engine, EDITH)
        fourth = batch(engine, features="tfidf")
        assert engine.model == fourth
        assert {first.id, second.id} & {g.id for g in engine.tables.generations.all()} == {first.id}
        assert third.id not in {g.id for g in engine.tables.generations.all()}


def test_a_forgotten_visitor_leaves_the_log(engine: Engine) -> None:
    """After the next batch neither log nor generation name them, and others lose nothing."""
    batch(engine)
    engine.recorder.forget(EDITH)
    assert seen(engine, EDITH) == {}
    generation = batch(engine)
    assert generation.counts["forgotten"] == len(sent_by_all()[EDITH])
    assert engine.tables.profiles.get(generation.id, EDITH) is None
    segments = engine.log.closed_segments()
    visitors = {r.event.visitor for s in segments for r in engine.log.read(s)}
    assert EDITH not in visitors
    assert engine.tables.visitors.forgotten() == {}
    sent = sent_by_all()
    del sent[EDITH]
    for visitor, urls in sent.items():
        assert seen(engine, visitor) == urls
    assert batch(engine).counts["forgotten"] == 0


def test_a_forgotten_visitor_stays_forgotten_in_old_generations(engine: Engine) -> None:
    """Going back does not bring them back; what they did since counts in each."""
    first = batch(engine)
    engine.recorder.forget(EDITH)
    engine.recorder.record([visit()])
    second = batch(engine)
    for generation in (first, second, first):
        activate_model(engine, generation.id)
        assert seen(engine, EDITH) == {PAGE: (1, 0)}
        assert get_user(engine, EDITH)["community"] is None
    third, fourth = batch(engine), batch(engine)
    for generation in (second, third, fourth):
        activate_model(engine, generation.id)
        assert seen(engine, EDITH) == {PAGE: (1, 0)}


def test_what_came_while_the_log_was_cut_is_forgotten_too(engine: Engine) -> None:
    """A visit in a new segment, taken back while the cut still waits for another writer."""
    batch(engine)
    stalled = engine.log.begin()
    stalled.append([visit(visitor="u:other")], 5)
    epoch = engine.log.epoch()

    def meanwhile() -> None:
        while engine.log.epoch() == epoch:
            time.sleep(0.01)
        with opened(engine.settings.home) as other:
            other.recorder.record([visit(visitor="u:brief")])
            other.recorder.forget("u:brief")
        stalled.close()

    thread = threading.Thread(target=meanwhile)
    thread.start()
    generations = [batch(engine), batch(engine)]
    thread.join()
    for generation in generations:
        assert engine.tables.profiles.get(generation.id, "u:brief") is None
    assert seen(engine, "u:brief") == {}


def test_a_stalled_writer_holds_up_neither_batch_nor_forgetting(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its events wait for the next batch; a visitor it still has is forgotten then."""
    monkeypatch.setattr(job, "CUT_WAIT_S", 0.0)
    with opened(engine.settings.home) as stalled:
        stalled.recorder.record([visit(visitor="u:brief"), visit(visitor="u:slow")])
        stalled.recorder.flush()
        engine.recorder.forget("u:brief")
        generation = batch(engine)
        assert not generation.watermark.is_complete
        assert engine.tables.visitors.forgotten().keys() == {"u:brief"}
        assert seen(engine, "u:slow") == {PAGE: (1, 0)}
    generation = batch(engine)
    assert engine.tables.visitors.forgotten() == {}
    assert engine.tables.profiles.get(generation.id, "u:brief") is None
    assert seen(engine, "u:slow") == {PAGE: (1, 0)}
    visitors = {r.event.visitor for s in engine.log.closed_segments() for r in engine.log.read(s)}
    assert "u:brief" not in visitors
