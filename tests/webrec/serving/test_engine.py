"""What answers a request, and what a request records."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.worlds import NOW_MS, opened, seen
from tests.webrec.serving.asking import ANN, A, B, C, D, ask, campaign, urls
from webrec.domain.answers import Category, Explanation, PassedOver
from webrec.domain.types import Event
from webrec.formats.answers import answer_document
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine
from webrec.storage.base import RowCells
from webrec.storage.sqlite import SqliteStore

# --- answers --------------------------------------------------------------------------------------


def test_an_answer_says_what_it_is(engine: Engine) -> None:
    """Mode, filter, path, model and items, in the documented form."""
    document = answer_document(ask(engine))
    assert len(document.pop("id")) == 32
    assert document == {
        "mode": "related",
        "filter": "content",
        "algorithm": "WebR.Rel.Cont",
        "path": ["WebR.Rel.Cont"],
        "items": [
            {"url": B, "priority": 0.0, "category": {"id": "c1", "label": "Label of c1"}},
        ],
        "empty_reason": None,
        "model": "000001",
        "degraded": False,
    }


def test_every_answer_has_an_id_of_its_own(engine: Engine) -> None:
    """So that an accept can name it."""
    assert len({ask(engine).id for _ in range(5)}) == 5


def test_a_page_without_category_is_null(engine: Engine) -> None:
    """In a community's list."""
    answer = ask(engine, user="ann", filter="collaborative")
    categories = {item.url: item.category for item in answer.items}
    assert categories[D] is None
    assert categories[B] == Category("c1", "Label of c1")


def test_explain_says_how_it_came_about(engine: Engine) -> None:
    """The request's category and community, the set, its size, and why others were passed over."""
    answer = ask(engine, D, user="ann", explain=True, limit=1)
    assert answer.path == ["WebR.Rel.Cont", "WebR.Rel.Col"]
    assert answer.explanation == Explanation(
        category=None,
        category_source=None,
        community="g1",
        community_source="batch",
        expression="colL[g1]",
        size=1,
        passed_over=[PassedOver("WebR.Rel.Cont", "the page has no category")],
    )
    (item,) = answer.items
    assert (item.explanation.affinity, item.explanation.rank_score) == (1.0, 2.0)
    assert item.explanation.ad_priority is None
    assert ask(engine).explanation is None
    assert ask(engine).items[0].explanation is None


def test_a_sponsored_answer_names_campaign_and_spelling(engine: Engine) -> None:
    """And with explain what the campaign's priority was."""
    engine.tables.campaigns.put([campaign("k", 0.4, f"{B}?utm_source=k")])
    engine.refresh()
    answer = ask(engine, mode="sponsored", user="ann", explain=True)
    (item,) = answer.items
    assert item.url == f"{B}?utm_source=k"
    assert item.campaign == "k"
    assert (item.explanation.ad_priority, item.explanation.affinity) == (0.4, 1.0)
    assert item.priority == 0.7
    assert answer.explanation.expression == "ads ∩ recL[c1]"


@pytest.mark.parametrize(
    ("mode", "filter_", "path"),
    [
        ("related", "content", ["WebR.Rel.Cont", "WebR.Rel.Default"]),
        ("related", "collaborative", ["WebR.Rel.Col", "WebR.Rel.Cont", "WebR.Rel.Default"]),
        ("sponsored", "content", ["WebR.Sp.Cont", "WebR.Sp.Default"]),
        ("sponsored", "collaborative", ["WebR.Sp.Col", "WebR.Sp.Cont", "WebR.Sp.Default"]),
    ],
)
def test_before_the_first_batch(tmp_path: Path, mode: str, filter_: str, path: list[str]) -> None:
    """There is an answer: nothing is categorised, and it says that there is no model."""
    with opened(tmp_path) as engine:
        engine.tables.campaigns.put([campaign()])
        engine.recorder.record([Event("visit", A, ANN, 0)])
        engine.refresh()
        answer = ask(engine, mode=mode, filter=filter_, user="ann", explain=True)
        assert engine.model is None
        assert (answer.path, answer.items) == (path, [])
        assert (answer.empty_reason, answer.model) == ("no_model", None)
        assert answer.explanation.size == 0
        assert seen(engine, ANN) == {A: (1, 0)}


def test_an_empty_answer_says_why(engine: Engine) -> None:
    """No campaign, or nothing left."""
    assert ask(engine, mode="sponsored").empty_reason == "no_suitable_campaign"
    assert ask(engine, exclude=[A, B, C]).empty_reason == "nothing_to_recommend"


@pytest.mark.parametrize("named", [None, []])
def test_naming_no_campaign_means_all(engine: Engine, named: list[str] | None) -> None:
    """Left out or empty, a list of campaigns takes nothing away."""
    engine.tables.campaigns.put([campaign()])
    engine.refresh()
    assert urls(ask(engine, mode="sponsored", campaigns=named)) == [B]
    assert urls(ask(engine, mode="sponsored", campaigns=["other"])) == []


def test_the_filter_of_a_request_that_names_none_is_a_setting(tmp_path: Path) -> None:
    """And so is what a request may override."""
    with opened(tmp_path, default_filter="collaborative") as engine:
        assert ask(engine).filter == "collaborative"
        assert ask(engine, filter="content").filter == "content"


def test_campaign_dates_hold_to_the_millisecond(engine: Engine) -> None:
    """From the start on, and until just before the end."""
    engine.tables.campaigns.put([replace(campaign(), starts_ms=NOW_MS, ends_ms=NOW_MS + 1_000)])
    engine.refresh()
    for offset, shown in ((-1, []), (0, [B]), (999, [B]), (1_000, [])):
        assert urls(ask(engine, now_ms=NOW_MS + offset, mode="sponsored")) == shown


# --- what a request records -----------------------------------------------------------------------


def test_a_visit_counts_from_the_next_answer_on(engine: Engine) -> None:
    """Not in its own; and not at all where it is not tracked."""
    first = ask(engine, C, user="new", track=True, explain=True)
    assert [item.explanation.affinity for item in first.items] == [0.0] * len(first.items)
    second = ask(engine, A, user="new", explain=True, track=False)
    assert seen(engine, "u:new") == {C: (1, 0)}
    assert C not in urls(ask(engine, D, user="new"))
    assert second.items[0].url == B


def test_a_robot_is_answered_but_not_recorded(engine: Engine) -> None:
    """Nothing of it is in the log."""
    robot = {"user_agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
    assert urls(ask(engine, user="robot", environment=robot, track=True)) == [B]
    assert seen(engine, "u:robot") == {}
    assert engine.recorder.backlog == 0
    assert engine.log.open_segments() == []


def test_a_log_that_is_away_costs_the_visit_not_the_answer(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller is told that the visit is lost."""
    (engine.settings.home / "log" / "open").rmdir()
    request = parse_request({"url": A, "user": "new"}, NOW_MS)
    found = engine.recommend(request, NOW_MS)
    assert found.is_visit_lost
    assert urls(found) == [B]
    assert "not recorded" in caplog.text
    assert seen(engine, "u:new") == {}
    (engine.settings.home / "log" / "open").mkdir()
    assert not engine.recommend(request, NOW_MS).is_visit_lost


# --- in time --------------------------------------------------------------------------------------


class _Timed(SqliteStore):
    """A store that remembers how long its reads might take, in seconds."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.seconds: list[float | None] = []

    def get(
        self,
        table: str,
        row: bytes,
        columns: Sequence[bytes] | None = None,
        within_s: float | None = None,
    ) -> RowCells:
        """Read."""
        self.seconds.append(within_s)
        return super().get(table, row, columns, within_s)


@pytest.fixture
def timed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Timed]:
    """The engine's store, watched."""
    watched = _Timed(engine.settings.home / "webrec.db")
    monkeypatch.setattr(engine.tables.store, "get", watched.get)
    yield watched
    watched.close()


@pytest.mark.parametrize(("tmax", "most_s"), [(60_000, 48.0), (30_000, 24.0), (None, 48.0)])
def test_reads_have_four_fifths_of_the_time(
    engine: Engine, timed: _Timed, tmax: int | None, most_s: float
) -> None:
    """Of what the request says, or the setting where it says nothing; both of them together."""
    assert not ask(engine, user="ann", tmax=tmax).degraded
    first, second = timed.seconds
    assert first is not None
    assert second is not None
    assert most_s / 2 < second <= first <= most_s


def test_the_time_counts_from_where_the_request_started(engine: Engine, timed: _Timed) -> None:
    """What of it is over when the reads come is no more theirs."""
    request = parse_request({"url": A, "user": "ann", "track": False, "tmax": 50_000}, NOW_MS)
    assert not engine.recommend(request, NOW_MS, time.perf_counter() - 20.0).degraded
    assert all(seconds is not None and seconds <= 20.0 for seconds in timed.seconds)
    timed.seconds.clear()
    late = engine.recommend(request, NOW_MS, time.perf_counter() - 41.0)
    assert late.degraded
    assert urls(late) == [B]
    assert timed.seconds == []
    assert not ask(engine, user="ann").degraded
