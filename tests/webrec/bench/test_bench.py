"""`webrec bench`, the whole of it, on a world of a few pages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.docs_from_code import ROOT
from tests.support.running import wait_until
from tests.support.thrift_gateway import ThriftGateway
from webrec.bench.oracle import algorithms
from webrec.cli import main
from webrec.cli.bench import QUICK_WORLD

TINY = {"urls": 60, "users": 20, "categories": 3, "communities": 2, "campaigns": 10}
QUICK = ("bench", "--quick", "--requests", "60", "--repeats", "2", "--checked", "20", "--json")


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick world is one of a few pages."""
    for name, number in TINY.items():
        monkeypatch.setitem(QUICK_WORLD, name, number)


def bench(folder: Path, *more: str | Path) -> Any:
    """Run it; the document that it prints."""
    arguments = [*QUICK, "--folder", str(folder), *map(str, more)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    document = json.loads(result.stdout)
    assert document["checked"]["wrong"] == 0, document["checked"]
    # how fast anything is depends on the machine
    assert result.exit_code == (1 if document["worse"] else 0), result.stderr
    return document


@pytest.mark.slow
def test_the_experiment(tmp_path: Path) -> None:
    """Service, baseline app, another checkout; answers checked; a chart; a second run.

    Nothing that was started is left.
    """
    before = children()
    chart = tmp_path / "chart.svg"
    found = bench(tmp_path / "bench", "--against", ROOT, "--chart", chart)
    assert [level["at_once"] for level in found["levels"]] == [1, 30]
    for level in found["levels"]:
        assert set(level["sides"]) == {"service", "floor", "against"}
        assert set(level["ratios"]) == {"floor", "against"}
        for side in level["sides"].values():
            assert side["figures"]["n"] == 120
            assert len(side["laps"]) == 2
            assert 0 < side["figures"]["median"] <= side["figures"]["p99"]
        assert level["generator"]["bare_per_s"] > 0
    assert found["checked"]["n"] == 20
    assert found["body_bytes"] > 100
    assert len(found["memory"]) == 3
    assert found["world"] == {**TINY, "visits_per_user": 40, "seed": 1}
    assert found["bare"] is None
    assert b"<svg" in chart.read_bytes()
    pages = (tmp_path / "bench" / "world" / "pages.ndjson").stat().st_mtime_ns
    bench(tmp_path / "bench")
    assert (tmp_path / "bench" / "latency.svg").exists()
    assert (tmp_path / "bench" / "world" / "pages.ndjson").stat().st_mtime_ns == pages
    assert children() == before


@pytest.mark.slow
def test_the_experiment_on_hbase(tmp_path: Path) -> None:
    """The store is where --store says; what the driver alone takes to read from it is there, too.

    The server is in this process, so that how long it takes says nothing.
    """
    with ThriftGateway() as gateway:
        found = bench(tmp_path, "--store", gateway.store_uri("bench"), "--tmax", "60000")
    assert found["machine"]["store"] == "hbase"
    assert found["bare"]["n"] == found["pace"]["requests"] * found["pace"]["repeats"]
    assert found["bare"]["ratio"]["median"] < found["bare"]["ratio_recent"]["median"]
    assert 0 < found["bare"]["recent"] < found["bare"]["both"]
    assert not (tmp_path / "home" / "webrec.db").exists()


@pytest.mark.slow
def test_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """People see the figures of each level, and the published ones; without matplotlib, too."""
    monkeypatch.setitem(sys.modules, "webrec.bench.reference.chart", None)
    arguments = [*QUICK[:-1], "--folder", str(tmp_path)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    shown = result.stdout
    assert result.exit_code == 0
    assert "pip install webrec[bench]" in result.stderr
    for words in (
        "1 at once",
        "30 at once",
        "447.77",
        "service / baseline app",
        "20 of ",
        "0 wrong",
    ):
        assert words in shown


@pytest.mark.slow
def test_answers_that_are_not_what_the_definitions_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With other definitions than the service's, the run fails and names the first differences."""
    monkeypatch.setattr(algorithms, "affinities", lambda _world, _visitor: {})
    result = CliRunner().invoke(main, [*QUICK, "--folder", str(tmp_path)], catch_exceptions=False)
    checked = json.loads(result.stdout)["checked"]
    assert checked["wrong"] > 0
    assert result.exit_code == 1
    assert f"{checked['wrong']} of 20 answers are wrong" in result.stderr
    assert checked["differences"][0] in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_benchmark_that_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    """Whatever it started ends with it."""
    tiny = f"from webrec.cli.bench import QUICK_WORLD as w; w.update({TINY}); "
    code = tiny + "from webrec.cli import main; main()"
    # so many requests that it cannot be done
    arguments = ("bench", "--quick", "--requests", "20000", "--folder", str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    log = tmp_path / "home" / "baseline_app.log"
    wait_until(lambda: log.exists() and "Booting worker" in log.read_text(), 60)
    time.sleep(1)
    started = descendants(process.pid)
    assert len(started) >= 4
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)


@pytest.mark.parametrize("command", [("bench", "scaling"), ("growth",)], ids=" ".join)
def test_scaling_under_both_its_names(tmp_path: Path, command: tuple[str, ...]) -> None:
    """`webrec growth` is its former name, and says so; with nothing to measure both are quick."""
    chart = tmp_path / "chart.svg"
    arguments = [*command, "--axis", "urls", "--largest", "1", "--chart", str(chart), "--json"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"axes": [], "batch": [], "aim": 1.3}
    assert ("is called `webrec bench scaling` now" in result.stderr) == (command == ("growth",))
    assert chart.exists()


def test_options_before_another_command_are_refused(tmp_path: Path) -> None:
    """They would have no effect there."""
    result = CliRunner().invoke(main, ["bench", "--folder", str(tmp_path), "scaling"])
    assert result.exit_code == 2
    assert "--folder stands before scaling: put it behind" in result.stderr


def test_what_it_cannot_use(tmp_path: Path) -> None:
    """Another store than one on HBase, and a folder that is not there to compare with."""
    for wrong in (("--store", "sqlite:///x.db"), ("--against", tmp_path / "nowhere")):
        arguments = [*QUICK, "--folder", str(tmp_path / "bench"), *map(str, wrong)]
        assert CliRunner().invoke(main, arguments).exit_code == 2


def children() -> list[int]:
    """This process's."""
    return _children(os.getpid())


def descendants(pid: int) -> list[int]:
    """Children of a process, and theirs."""
    found = _children(pid)
    return found + [other for child in found for other in descendants(child)]


def _children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
