"""Commands that are stopped in the middle of their work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.running import wait_until
from tests.webrec.cli.conftest import Run, json_of
from webrec.rawlog.local import LocalLog


def start(*arguments: str | Path, **streams: int) -> subprocess.Popen[str]:
    """A command in a process of its own, buffering as it would for a user."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "webrec", *map(str, arguments)]
    return subprocess.Popen(command, text=True, env=environment, **streams)  # type: ignore[call-overload]


def logged(home: Path) -> list[str]:
    """The visitors in the log, one an event."""
    log = LocalLog(home / "log")
    return [str(r.event.visitor) for name in log.closed_segments() for r in log.read(name)]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_load_that_is_stopped(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """What was accepted until then is on disk, each event once, and the report says how many."""
    home = tmp_path / "home"
    process = start(
        "ingest", "-", "--json", "--home", home,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    for n in range(12_000):
        event = {"type": "visit", "url": "https://e.example/", "user": f"u{n}"}
        process.stdin.write(json.dumps(event) + "\n")
    process.stdin.flush()
    wait_until(lambda: _bytes_in_log(home) > 10_000 * 50)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert err == "stopped\n"
    (report,) = json.loads(out)["files"]
    assert 10_000 <= report["accepted"] <= 12_000
    assert logged(home) == [f"u:u{n}" for n in range(report["accepted"])]


def test_a_stop_while_events_are_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is being written is written whole, once, and counted, before the load stops."""
    fsync, stops = os.fsync, iter([signal.SIGINT])

    def interrupted(descriptor: int) -> None:
        fsync(descriptor)
        if os.fstat(descriptor).st_size > 10_000 and (number := next(stops, None)):
            signal.raise_signal(number)

    monkeypatch.setattr(os, "fsync", interrupted)
    events = [{"type": "visit", "url": "https://e.example/", "user": f"u{n}"} for n in range(9_000)]
    stdin = "\n".join(map(json.dumps, events)).encode()
    (report,) = json_of(run("ingest", "-", "--json", stdin=stdin, fails=130))["files"]
    assert report["accepted"] == 5_000
    assert logged(tmp_path / "home") == [f"u:u{n}" for n in range(5_000)]


def _bytes_in_log(home: Path) -> int:
    return sum(path.stat().st_size for path in home.glob("log/*/*.ndjson"))


@pytest.mark.slow
def test_a_repeated_batch_stops_at_once(tmp_path: Path) -> None:
    """SIGTERM does not wait for the next batch, and is no failure; the lease is free again."""
    events = [{"type": "page", "url": f"https://e.example/{n}", "title": "x y"} for n in range(9)]
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(map(json.dumps, events)))
    assert start("ingest", file, "--home", tmp_path, stderr=subprocess.DEVNULL).wait(60) == 0
    batch = ("batch", "--features", "tfidf", "--json", "--home", tmp_path)
    process = start(*batch, "--every", "1d", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["id"] == "000001"
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "stopped\n")
    assert time.monotonic() - started < 10
    assert start(*batch, stdout=subprocess.DEVNULL).wait(60) == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    """The service that the demo started ends with it."""
    with (tmp_path / "out").open("wb") as sink:
        process = start(
            "demo", "--keep", tmp_path / "home", stdout=sink.fileno(), stderr=sink.fileno()
        )
    log = tmp_path / "home" / "service.log"
    wait_until(lambda: log.exists() and "Booting worker" in log.read_text(), 60)
    children = _children(process.pid)
    assert children
    process.send_signal(number)
    assert process.wait(60) == 128 + number
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
def test_a_demo_leaves_real_data_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the settings say that the store and the log are, the demo goes elsewhere."""
    real = tmp_path / "real"
    monkeypatch.setenv("WEBREC_HOME", str(real))
    monkeypatch.setenv("WEBREC_STORE", f"sqlite:///{real}/webrec.db")
    monkeypatch.setenv("WEBREC_LOG", f"file://{real}/log")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    process = start("demo", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "0 before, 1 now" in out
    assert not real.exists()


def test_a_demo_wants_a_folder_of_its_own(tmp_path: Path) -> None:
    """A folder with something in it is left as it is."""
    (tmp_path / "webrec.db").write_text("")
    process = start("demo", "--keep", tmp_path, stderr=subprocess.PIPE)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "is not empty" in err
