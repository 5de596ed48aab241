"""Pages that the model has no category for, by the text that is sent of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hbase_schema import names as t
from tests.support.recorders import kill
from tests.support.worlds import NOW_MS, opened, publish, put_campaigns, serving, telling
from tests.webrec.serving.asking import urls
from webrec.admin.pages import get_pages
from webrec.batch.history import replay
from webrec.batch.log_cut import LogCut
from webrec.bench.oracle import Campaign, World
from webrec.domain.answers import Answer
from webrec.domain.progress import no_progress
from webrec.errors import StoreUnavailable
from webrec.formats.events import parse_event
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine
from webrec.storage.sqlite import SqliteStore
from webrec.tables.page_texts import PageText

A, B, C, D = (f"https://site.example/{name}" for name in "abcd")
NEW, NEWER = "https://site.example/bb", "https://new.example/"
WORLD = World(
    category={A: "c1", B: "c1", C: "c2", D: None},
    totals={A: (4, 0), B: (2, 0), C: (1, 0)},
    community={"u:ann": "g1", "u:bob": "g1"},
    profiles={"u:ann": {A: (3, 0)}, "u:bob": {A: (1, 0), D: (1, 0)}},
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The world, published."""
    with serving(tmp_path, WORLD) as engine:
        yield engine


def ask(engine: Engine, url: str = NEW, **fields: Any) -> Answer:
    """An answer; nothing is recorded unless the fields say so."""
    given = {"url": url, "track": False, "explain": True, **fields}
    return engine.recommend(parse_request(given, NOW_MS), NOW_MS)


def category(engine: Engine, url: str = NEW, **fields: Any) -> tuple[str | None, str | None]:
    """The category of a request's page, and where it is from."""
    explanation = ask(engine, url, **fields).explanation
    assert explanation is not None
    return explanation.category, explanation.category_source


def sent(engine: Engine, **fields: Any) -> None:
    """An event that was recorded and reached the store."""
    engine.recorder.record([parse_event({"type": "page", "url": NEW, **fields}, NOW_MS)])
    engine.recorder.flush()


def forget_answers(engine: Engine) -> None:
    """Let the second pass for which a text that was read is good."""
    engine._reads.page_texts._pages.clear()


@pytest.mark.parametrize(
    "text",
    [
        {"title": telling("c2")},
        {"description": f"All about {telling('c2')}"},
        {"keywords": [telling("c2"), "news"]},
    ],
)
def test_a_new_page_with_text_is_categorised_at_once(engine: Engine, text: dict[str, Any]) -> None:
    """By title, description or keywords of the request itself: the content algorithm works."""
    answer = ask(engine, **text)
    assert answer.path == ["WebR.Rel.Cont"]
    assert urls(answer) == [C]
    assert answer.explanation is not None
    assert (answer.explanation.category, answer.explanation.category_source) == ("c2", "online")
    assert not answer.degraded


def test_so_is_a_page_that_the_model_knows_without_text(engine: Engine) -> None:
    """And one whose category the batch found keeps it, whatever a request says."""
    assert category(engine, D) == (None, None)
    assert category(engine, D, title=telling("c2")) == ("c2", "online")
    assert category(engine, A, title=telling("c2")) == ("c1", "batch")


def test_unheard_of_words_categorise_nothing(engine: Engine) -> None:
    """Nor does no text at all."""
    assert category(engine, title="something else entirely") == (None, None)
    assert category(engine) == (None, None)


def test_off_is_the_published_definition(engine: Engine, tmp_path: Path) -> None:
    """A page that the model does not know is without category, and its text is kept nowhere."""
    with opened(tmp_path, online="off") as off:
        sent(off, title=telling("c2"))
        assert category(off, title=telling("c2")) == (None, None)
        assert category(off) == (None, None)
    assert list(engine.tables.store.scan(t.NEW_PAGES)) == []


def test_a_text_sent_before_counts_in_every_process(engine: Engine, other: Engine) -> None:
    """From a request, an event or a load, once it is flushed; the next answer's own text wins."""
    assert category(other) == (None, None)
    ask(engine, title=telling("c2"), track=True)
    engine.recorder.flush()
    assert category(other) == (None, None)  # for the second that what was read is good
    forget_answers(other)
    assert category(other) == ("c2", "online")
    assert category(other, title=telling("c1")) == ("c1", "online")
    assert category(other, user="ann", filter="collaborative") == ("c2", "online")


def test_a_text_that_was_read_is_good_for_a_second(engine: Engine) -> None:
    """Not longer: every worker sees within two seconds what is sent."""
    assert category(engine) == (None, None)
    sent(engine, title=telling("c2"))
    deadline = time.monotonic() + 2
    while category(engine) == (None, None):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_newest_text_counts(engine: Engine, other: Engine) -> None:
    """By the time it was sent, in whatever order it came in and whoever wrote it."""
    at = NOW_MS
    sent(engine, title=telling("c2"), timestamp=at)
    sent(other, title=telling("c1"), timestamp=at - 1_000)
    sent(engine, title="something else", timestamp=at - 2_000)
    sent(engine, url=NEWER, title=telling("c1"), timestamp=at - 1_000)
    sent(other, url=NEWER, title=telling("c2"), timestamp=at)
    assert category(engine) == category(other) == ("c2", "online")
    assert category(engine, NEWER) == category(other, NEWER) == ("c2", "online")


def test_each_field_counts_by_itself(engine: Engine, other: Engine) -> None:
    """A later title leaves the description; a request's fields come before what was sent."""
    sent(engine, description=telling("c2"), timestamp=NOW_MS - 1_000)
    sent(other, title="something else", timestamp=NOW_MS)
    assert category(engine) == ("c2", "online")
    assert category(engine, title="else") == ("c2", "online")
    assert category(engine, description="else") == (None, None)


@pytest.mark.parametrize("seed", range(20))
def test_the_text_online_is_the_next_batchs(engine: Engine, other: Engine, seed: int) -> None:
    """Whatever sent it, in whatever order, in one process or several, at the same moment or not."""
    rng = Random(seed)
    for number in range(8):
        fields = {
            "title": rng.choice(["", "a", "b" * 3_000]),
            "keywords": rng.choice([[], ["d"], ["e" * 1_500, "f", "g" * 700, "h"]]),
            "description": rng.choice(["", "i", "j" * 3_000]),
            "timestamp": NOW_MS + rng.randrange(3),
            "environment": rng.choice([{}, {}, {"user_agent": "Googlebot/2.1"}]),
        }
        sent(rng.choice([engine, other]), **{k: v for k, v in fields.items() if v})
        if number % 3 == 2:
            engine.recorder.cut(0)
    for recorder in (engine.recorder, other.recorder):
        recorder.roll()
        recorder.flush()
    watermark = engine.recorder.cut(0)
    found = replay(LogCut(engine.log, watermark), [], no_progress).pages
    assert [engine.tables.page_texts.get(NEW)] == found


def test_a_command_that_loads_keeps_text_of_new_pages_only(engine: Engine) -> None:
    """It loads no model: the tables tell what is new."""
    with opened(engine.settings.home) as command:
        command._snapshots._versions = None
        events = [{"type": "visit", "url": url, "title": telling("c2")} for url in (A, D, NEW)]
        command.recorder.record([parse_event(event, NOW_MS) for event in events])
        command.recorder.flush()
    found = engine.tables.page_texts.get_many([A, D, NEW])
    assert [page is not None for page in found] == [False, True, True]


@pytest.mark.parametrize("loads", [True, False], ids=["service", "command"])
def test_a_text_sent_during_the_first_batch_counts_after_it(tmp_path: Path, *, loads: bool) -> None:
    """Its log is cut by then, and there is no model yet that could categorise anything."""
    with opened(tmp_path) as engine:
        engine.refresh()
        engine.recorder.cut(0)
        if not loads:
            engine._snapshots._versions = None
        sent(engine, title=telling("c2"))
        publish(engine.tables, WORLD, Random(1))
        engine.refresh()
        assert category(engine) == ("c2", "online")


def test_the_text_of_bots_counts_nowhere(engine: Engine) -> None:
    """What they claim of a page is logged and counts nowhere."""
    sent(engine, type="visit", title=telling("c2"), environment={"user_agent": "Googlebot/2.1"})
    assert engine.tables.page_texts.get(NEW) is None


def test_a_text_survives_its_writer(engine: Engine, other: Engine) -> None:
    """Killed before its flush, the next process replays the log and keeps it."""
    engine.recorder.record(
        [parse_event({"type": "page", "url": NEW, "title": telling("c2")}, NOW_MS)]
    )
    kill(engine.recorder)
    other.recorder.recover()
    assert category(other) == ("c2", "online")


def test_a_store_that_is_away_loses_no_text(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written when the store is back, before its segment is closed."""

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(SqliteStore, "put_many", away)
        with pytest.raises(StoreUnavailable):
            sent(engine, title=telling("c2"))
    engine.recorder.flush()
    assert category(engine) == ("c2", "online")
    assert engine.recorder.backlog == 0


def test_without_the_store_the_page_is_uncategorised_and_the_answer_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read is left out as any other; where the request says all nothing is left out."""

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(SqliteStore, "get", away)
    answer = ask(engine)
    assert answer.degraded
    assert answer.explanation.category is None
    whole = ask(engine, title=telling("c2"), keywords="news", description="All the news")
    assert not whole.degraded
    part = ask(engine, title=telling("c2"))
    assert part.degraded
    assert part.explanation.category == "c2"


def test_without_time_the_page_is_uncategorised_and_the_answer_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading a text takes time; a request that has none left goes without."""
    parsed = parse_request({"url": NEW, "title": telling("c2"), "track": False}, NOW_MS)
    late = time.perf_counter() - 3600
    answer = engine.recommend(parsed, NOW_MS, late)
    assert answer.degraded
    assert answer.path == ["WebR.Rel.Cont", "WebR.Rel.Default"]


def test_what_every_kept_generation_has_read_is_cleaned(engine: Engine) -> None:
    """And nothing else: newer texts stay."""
    generation = engine.model
    assert generation is not None
    engine.tables.page_texts.put([("00000000-absorbed-spool", NEW, PageText((1, "old")))])
    sent(engine, title=telling("c2"))
    engine.tables.page_texts.clean(generation)
    (row,) = [cells for _, cells in engine.tables.store.scan(t.NEW_PAGES)]
    assert len(row) == 1
    assert category(engine) == ("c2", "online")


def test_operators_see_the_category_of_a_new_page(engine: Engine) -> None:
    """Known by its text with affinity 0; too far with none; never heard of is unknown."""
    sent(engine, title=telling("c2"))
    sent(engine, url=NEWER, title="something else")
    sent(engine, url=D, title=telling("c1"))
    found = get_pages(engine, [A, NEW, NEWER, D, "https://never.example/"])
    shown = [
        p and (p["category"] and p["category"]["id"], p["category_source"], p["affinity"])
        for p in found
    ]
    assert shown == [
        ("c1", "batch", 4.0),
        ("c2", "online", 0.0),
        (None, None, 0.0),
        ("c1", "online", 0.0),
        None,
    ]


def test_a_page_that_only_a_campaign_describes_has_its_category(engine: Engine) -> None:
    """For requests on it and for operators, until a text of it is sent."""
    world = replace(WORLD, campaigns={"k": Campaign(0.5, [(NEW, NEW)])}, online_ads={NEW: "c2"})
    put_campaigns(engine.tables, world)
    engine.refresh()
    assert category(engine) == ("c2", "online")
    (page,) = get_pages(engine, [NEW])
    assert page is not None
    assert (page["category"]["id"], page["category_source"]) == ("c2", "online")
    forget_answers(engine)
    sent(engine, title=telling("c1"))
    assert category(engine) == ("c1", "online")
    (page,) = get_pages(engine, [NEW])
    assert page is not None
    assert page["category"]["id"] == "c1"


def test_the_text_of_a_page_with_category_is_not_kept(engine: Engine) -> None:
    """The model that is loaded tells which pages are new."""
    for url in (A, D, NEW):
        sent(engine, url=url, title=telling("c2"))
    found = engine.tables.page_texts.get_many([A, D, NEW])
    assert [page is not None for page in found] == [False, True, True]
