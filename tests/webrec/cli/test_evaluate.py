"""`webrec evaluate` on the known-answer world."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.world import CAMPAIGNS, PAGES, VISITS
from tests.webrec.cli.conftest import Run, json_of

NDJSON = b"".join(json.dumps(event).encode() + b"\n" for event in [*PAGES, *VISITS])
EVALUATE = (
    "evaluate", "--protocol", "allbut1", "--users", "4", "--categories", "3", "--communities", "3",
    "--features", "tfidf", "--w-sim", "16",
)  # fmt: skip


@pytest.fixture
def loaded(run: Run) -> None:
    """The world is in the log."""
    run("ingest", "-", stdin=NDJSON)


@pytest.mark.usefixtures("loaded")
def test_the_table_for_people(run: Run) -> None:
    """Every way to recommend has a line, fallbacks are shown, and what has no figures says why."""
    shown = run(*EVALUATE).stdout
    for name in (
        "popularity",
        "ALS",
        "EASE",
        "WebR.Rel.Col",
        "content first, w_sim 16",
        "content first, w_sim 0",
    ):
        assert name in shown
    assert "allbut1: learnt from 9 visitors" in shown
    assert "related: 4 questions about 4 visitors" in shown
    assert "content first, w_sim 0: answered by WebR.Rel" in shown
    assert "sponsored: no campaigns" in shown


@pytest.mark.usefixtures("loaded")
def test_json_is_the_same_every_time(run: Run) -> None:
    """One document, with every figure and its interval; the same for the same seed."""
    first, second = run(*EVALUATE, "--json"), run(*EVALUATE, "--json")
    assert first.stdout == second.stdout
    document = json_of(first)
    assert (document["seed"], document["limit"], document["skipped"]) == (0, 100, {})
    (section,) = document["sections"]
    rows = {row["name"]: row for row in section["tables"][0]["rows"]}
    score = rows["popularity"]["measures"]["rank_score"]
    assert 0 <= score["low"] <= score["value"] <= score["high"] <= 100


@pytest.mark.usefixtures("loaded")
def test_nothing_that_serves_is_touched(run: Run) -> None:
    """No model is published, and a batch afterwards is the first."""
    run("campaigns", "apply", "-", stdin=json.dumps(CAMPAIGNS).encode())
    run(*EVALUATE)
    assert json_of(run("models", "list", "--json"))["models"] == []
    assert json_of(run("batch", "--json", "--features", "tfidf"))["id"] == "000001"


@pytest.mark.usefixtures("loaded")
def test_a_chart(run: Run, tmp_path: Path) -> None:
    """An SVG, the same bytes for the same figures, with a bar's name for each way."""
    for name in ("first.svg", "second.svg"):
        assert name in run(*EVALUATE, "--chart", tmp_path / name).stderr
    first, second = ((tmp_path / name).read_bytes() for name in ("first.svg", "second.svg"))
    assert first == second
    assert b"item-item cosine" in first


@pytest.mark.usefixtures("loaded")
def test_a_chart_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    """It says which file, after the figures were printed."""
    result = run(*EVALUATE, "--chart", tmp_path / "nowhere" / "chart.svg", fails=1)
    assert "chart.svg cannot be written" in result.stderr
    assert "popularity" in result.stdout


@pytest.mark.usefixtures("loaded")
def test_without_the_extra(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All other figures are there, and it says what is missing and how to get it."""
    for module in ("implicit", "matplotlib", "webrec.evaluation.chart"):
        monkeypatch.setitem(sys.modules, module, None)
    result = run(*EVALUATE, "--chart", tmp_path / "chart.svg")
    assert result.stderr.count('pip install "webrec[evaluate]"') == 2
    assert "ALS is left out" in result.stderr
    assert "popularity" in result.stdout


@pytest.mark.usefixtures("loaded")
def test_what_the_log_is_not_enough_for(run: Run) -> None:
    """Wrong usage, with what to do; asked for all, what can be done is done."""
    error = run("evaluate", "--protocol", "time", fails=2).stderr
    assert "bear the same time" in error
    assert "--protocol allbut1" in error
    result = run("evaluate", "--protocol", "all", "--features", "tfidf")
    assert "time is left out" in result.stderr
    assert "given5: learnt from" in result.stdout


def test_an_empty_log(run: Run) -> None:
    """Nothing to evaluate: load some."""
    assert "webrec ingest" in run("evaluate", fails=2).stderr


@pytest.mark.parametrize(
    "wrong", [("--limit", "9"), ("--limit", "101"), ("--users", "0"), ("--protocol", "twice")]
)
def test_wrong_usage(run: Run, wrong: tuple[str, str]) -> None:
    """Click names the option."""
    assert wrong[0] in run("evaluate", *wrong, fails=2).stderr
