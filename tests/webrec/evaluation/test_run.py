"""Whole evaluations of small logs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import msweb
from tests.webrec.evaluation.histories import logged, url, visit
from webrec.batch.options import BatchOptions
from webrec.config import load
from webrec.domain.types import AdPage, Campaign, Event, Page
from webrec.errors import UsageError
from webrec.evaluation import run as evaluation
from webrec.evaluation.interactions import SiteLog
from webrec.evaluation.result import Evaluation, Row, Section, Table
from webrec.evaluation.run import EvaluationOptions

THEMES = ("moon", "soup")
WORDS = {"moon": "moon crater orbit telescope", "soup": "soup lentil onion garlic"}
N_PAGES = 8
CONTENT, COLLABORATIVE = "content first, w_sim 16", "collaborative first, w_sim 16"


def silent(*_: object) -> None:
    """Is called, and does nothing."""


def evaluated(source: SiteLog, protocol: str | None = "time", **order: Any) -> Evaluation:
    """What comes of a log, with two categories and two communities."""
    options = BatchOptions(categories=2, communities=2, features="tfidf")
    wanted = {"users": None, "visits": None, "seed": 0, "limit": 10, "batch": options} | order
    protocols = None if protocol is None else [protocol]
    return evaluation.run(
        source, load(w_sim=16), EvaluationOptions(protocols=protocols, **wanted), silent
    )


def two_themes() -> Iterator[Event]:
    """Twenty readers of each theme, who read six of its eight pages; the words of all pages."""
    for theme in THEMES:
        for page in range(N_PAGES):
            title = f"{WORDS[theme]} {theme} {page}"
            yield visit(None, f"{theme}-{page}", 0, kind="page", title=title)
    for n in range(20):
        for place in range(6):
            for theme in THEMES:
                at_ms = 1 + 1000 * place + n
                yield visit(f"{theme}-{n}", f"{theme}-{(n + place) % N_PAGES}", at_ms)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> SiteLog:
    """The log of two themes."""
    return logged(tmp_path_factory.mktemp("log"), two_themes())


def related(found: Evaluation) -> Table:
    """The table of the one section."""
    (section,) = found.sections
    return section.tables[0]


def row(table: Table, name: str) -> Row:
    """One way to recommend."""
    return next(row for row in table.rows if row.name == name)


def measure(table: Table, name: str, of: str) -> float:
    """One figure."""
    found = row(table, name).measures[of]
    assert found is not None
    return found.value


def test_by_time_a_reader_gets_the_pages_of_the_theme(log: SiteLog) -> None:
    """The last visit of forty readers is asked: their theme has three pages they have not read.

    The other theme's eight pages are as popular, so popularity finds the right page later.
    """
    found = evaluated(log)
    table = related(found)
    assert (table.questions, table.visitors, table.candidates) == (48, 40, 16)
    assert table.unknown == 0
    for name in (CONTENT, COLLABORATIVE, "item-item cosine", "EASE"):
        assert measure(table, name, "recall") == 1
        assert measure(table, name, "rank_score") > measure(table, "popularity", "rank_score") + 10
    assert row(table, CONTENT).steps == {"WebR.Rel.Cont": 1.0}
    assert row(table, COLLABORATIVE).steps == {"WebR.Rel.Col": 1.0}
    assert measure(table, CONTENT, "known_visits") == 1
    assert row(table, CONTENT).measures["known_accepts"] is None


def test_a_section_says_what_was_learnt_from(log: SiteLog) -> None:
    """Visitors, pages, visits and clusters; how the baselines were set."""
    (section,) = evaluated(log).sections
    assert section.learnt == {
        "visitors": 40, "pages": 16, "visits": 192, "categories": 2, "communities": 2,
    }  # fmt: skip
    assert set(section.baselines) == {"ALS", "EASE"}
    assert section.left_out == {}


def test_held_out_visitors_are_strangers(log: SiteLog) -> None:
    """All but one page given, the page viewed unknown: content has nothing, the mix an answer."""
    found = evaluated(log, "allbut1", users=10)
    table = related(found)
    assert (table.questions, table.visitors) == (10, 10)
    assert found.sections[0].learnt["visitors"] == 30
    assert row(table, "WebR.Rel.Cont").answered == 0
    assert measure(table, "WebR.Rel.Cont", "rank_score") == 0
    assert row(table, CONTENT).answered == 1
    assert measure(table, CONTENT, "recall") == 1


def test_held_out_visitors_may_be_on_the_last_page_given(log: SiteLog) -> None:
    """Then content has a category to recommend from."""
    table = related(evaluated(log, "allbut1", users=10, from_last=True))
    assert row(table, "WebR.Rel.Cont").answered == 1
    assert measure(table, "WebR.Rel.Cont", "recall") == 1


def test_what_is_given_is_in_no_list(tmp_path: Path) -> None:
    """Everybody read all twelve pages: the one that is not given is all there is to recommend."""
    events = [visit(f"v{v}", f"p{n}", 100 * n + v) for v in range(8) for n in range(12)]
    table = related(evaluated(logged(tmp_path, events), "allbut1", users=3))
    baselines = [each for each in table.rows if not each.is_product]
    assert all(measure(table, each.name, "mrr") == 1 for each in baselines)
    # of seven wanted pages all are found, and nothing else is in the list
    table = related(evaluated(logged(tmp_path / "again", events), "given5", users=3))
    for each in baselines:
        assert measure(table, each.name, "recall") == 1
        assert measure(table, each.name, "precision") == pytest.approx(0.7)
        assert measure(table, each.name, "rank_score") == pytest.approx(100)


def test_an_unknown_page_among_those_given_is_left_out(tmp_path: Path) -> None:
    """It takes no other page's place: the last one of all is still found."""
    events = [visit(f"v{v}", f"p{n}", 10 * n + v) for v in range(4) for n in range(4)]
    events += [visit("w", "p0", 50), visit("w", "new", 51), visit("w", "p3", 52)]
    table = related(evaluated(logged(tmp_path, events)))
    assert table.questions == 4  # the last visit of v3, too
    assert measure(table, "popularity", "recall") == 3 / 4


def test_the_curve_has_a_section_for_each_number_of_visits(tmp_path: Path) -> None:
    """Over the same visitors and wanted pages; what was learnt is learnt once."""
    events = [visit(f"v{v}", f"p{(v + n) % 14}", 100 * n + v) for v in range(8) for n in range(13)]
    found = evaluated(logged(tmp_path, events), "curve", users=3)
    assert [section.given for section in found.sections] == [1, 2, 3, 5, 10]
    assert {section.tables[0].questions for section in found.sections} == {3}
    assert len({str(section.learnt) for section in found.sections}) == 1


def test_a_page_that_nobody_knew_is_missed_by_all(tmp_path: Path) -> None:
    """It counts as wanted all the same, and the table says how many there are."""
    events = [visit(f"v{v}", f"p{n}", 10 * n + v) for v in range(4) for n in range(4)]
    events += [visit(f"v{v}", "new", 100 + v) for v in range(4)]
    table = related(evaluated(logged(tmp_path, events)))
    assert table.questions == 4
    assert table.unknown == 1
    assert all(measure(table, each.name, "recall") == 0 for each in table.rows)


def test_accepts_are_known_or_not(tmp_path: Path) -> None:
    """Of two accepts, one is of a page of the reader's theme, one of nothing known."""
    events = [
        *two_themes(),
        visit("moon-0", "moon-7", 9_000, kind="accept"),
        visit("soup-0", "nowhere", 9_000, kind="accept"),
    ]
    table = related(evaluated(logged(tmp_path, events)))
    assert table.accepts == 2
    assert measure(table, CONTENT, "known_accepts") == 0.5
    # the other measures are of visits
    assert measure(table, CONTENT, "recall") == 1


# --- sponsored --------------------------------------------------------------------------------


def campaign(*pages: str) -> Campaign:
    """A campaign for some pages."""
    return Campaign("c", tuple(AdPage(url(p), Page(url(p))) for p in pages), 0.5)


def test_without_campaigns_there_is_nothing_to_sponsor(log: SiteLog) -> None:
    """The table says so instead of figures."""
    table = evaluated(log).sections[0].tables[1]
    assert (table.mode, table.rows, table.reason) == ("sponsored", [], "no campaigns")


def test_ads_are_ranked_among_ads(tmp_path: Path) -> None:
    """Only who came to an ad next is asked; ads are all there is to choose from."""
    ads = ("moon-5", "soup-5", "moon-6")
    source = logged(tmp_path, two_themes(), campaigns=(campaign(*ads),))
    table = evaluated(source).sections[0].tables[1]
    # by hand: the last 48 of 240 visits are place 5 of all readers, and place 4 of 16 to 19
    asked = [
        page
        for theme in THEMES
        for n in range(20)
        for place in ((4, 5) if n >= 16 else (5,))
        if (page := f"{theme}-{(n + place) % N_PAGES}") in ads
    ]
    assert (table.questions, table.candidates) == (len(asked), 3)
    assert [each.name for each in table.rows if each.is_product] == [
        "WebR.Sp.Cont", "WebR.Sp.Col", "WebR.Sp.Default", CONTENT, COLLABORATIVE,
    ]  # fmt: skip
    assert measure(table, CONTENT, "recall") == 1
    assert measure(table, "popularity", "recall") == 1
    assert row(table, "popularity").coverage == 1


def test_ads_that_nobody_came_to(tmp_path: Path) -> None:
    """Campaigns there are, but they say nothing of what was right."""
    source = logged(tmp_path, two_themes(), campaigns=(campaign("unheard-of"),))
    table = evaluated(source).sections[0].tables[1]
    assert table.rows == []
    assert table.reason == evaluation.NO_AD_WANTED


# --- all of it --------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_document(log: SiteLog) -> None:
    """To the last digit; another seed holds out others."""

    def document(seed: int) -> str:
        return json.dumps(evaluated(log, "allbut1", users=10, seed=seed).document())

    assert document(1) == document(1)
    assert document(1) != document(2)


def test_all_protocols_are_those_the_log_is_enough_for(log: SiteLog) -> None:
    """Nobody read eleven pages: two protocols are skipped, with the reason."""
    found = evaluated(log, None)
    assert [section.protocol for section in found.sections] == [
        "time", "allbut1", "given2", "given5",
    ]  # fmt: skip
    assert set(found.skipped) == {"given10", "curve"}
    assert "webrec ingest" in found.skipped["curve"]


@pytest.mark.parametrize("protocol", ["time", "curve", None])
def test_an_empty_log_is_told(tmp_path: Path, protocol: str | None) -> None:
    """With what to do."""
    with pytest.raises(UsageError, match="webrec ingest"):
        evaluated(logged(tmp_path, []), protocol)


def test_without_the_extra_the_others_are_measured(
    log: SiteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the section says what is missing."""
    monkeypatch.setitem(sys.modules, "implicit", None)
    (section,) = evaluated(log).sections
    assert "ALS" in section.left_out
    assert "ALS" not in [each.name for each in section.tables[0].rows]


# --- real data --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def microsoft(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Section:
    """AllBut1 over a week of a real site."""
    source = logged(tmp_path_factory.mktemp("msweb"), msweb.events(real_data))
    batch = BatchOptions(features="tfidf")
    (section,) = evaluated(source, "allbut1", limit=100, batch=batch).sections
    return section


@pytest.mark.slow
def test_popularity_on_a_real_site_is_what_a_few_lines_find(
    microsoft: Section, real_data: Path
) -> None:
    """The rank score of popularity by all but one, about 50 there, worked out independently."""
    _, cases = msweb.read(real_data)
    scores = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        able = [n for n, case in enumerate(cases) if len(case) > 1]
        asked = set(rng.choice(able, 5_000, replace=False).tolist())
        counts: dict[int, int] = {}
        for n, case in enumerate(cases):
            for area in case if n not in asked else ():
                counts[area] = counts.get(area, 0) + 1
        ranking = sorted(counts, key=lambda area: -counts[area])
        total = 0.0
        for n in asked:
            hidden = cases[n][rng.integers(len(cases[n]))]
            others = [a for a in ranking if a == hidden or a not in cases[n]]
            total += 2 ** (-others.index(hidden) / 5) if hidden in others else 0
        scores.append(100 * total / len(asked))
    found = row(microsoft.tables[0], "popularity").measures["rank_score"]
    assert found is not None
    assert found.value == pytest.approx(np.mean(scores), abs=1.5)
    assert found.value == pytest.approx(50, abs=2)
    assert 0.5 < found.high - found.low < 3


@pytest.mark.slow
def test_what_must_hold_on_a_real_site(microsoft: Section) -> None:
    """All of its pages, a quarter of its visitors with two pages or 5,000, nothing unknown."""
    table = microsoft.tables[0]
    assert (table.questions, table.visitors) == (5_000, 5_000)
    assert microsoft.learnt["visitors"] == 32_711 - 5_000
    assert table.candidates <= 294
    assert table.unknown < 0.01
    popularity = measure(table, "popularity", "rank_score")
    for name in ("item-item cosine", "item-item conditional", "ALS", "EASE"):
        assert measure(table, name, "rank_score") > popularity
        assert measure(table, COLLABORATIVE, "rank_score") > measure(table, name, "rank_score")
    assert measure(table, COLLABORATIVE, "rank_score") > 65
    for each in table.rows:
        recall, precision = (
            measure(table, each.name, "recall"),
            measure(table, each.name, "precision"),
        )
        assert recall == pytest.approx(10 * precision)  # one page is wanted
        assert measure(table, each.name, "known_visits") == pytest.approx(recall)
