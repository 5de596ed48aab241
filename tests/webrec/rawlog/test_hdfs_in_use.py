"""Service, batch and commands on a log on HDFS: what they ship, and what they say of it."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from service.app import create_app
from tests.support.webhdfs import WebHdfs
from tests.support.worlds import batch, ingest_known, opened, seen
from tests.webrec.rawlog.hdfs_logs import (
    visits,
)
from webrec.admin.operation import log_backlog, readiness
from webrec.batch import job
from webrec.domain.types import Event
from webrec.rawlog import open_log
from webrec.recording import recorder
from webrec.recording.recorder import Recorder
from webrec.storage import open_store
from webrec.tables.tables import Tables


@pytest.mark.slow
def test_a_batch_elsewhere_reads_what_a_service_has_shipped(
    hdfs: WebHdfs, short_timeouts: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine, with a home of its own; nothing counts twice, forgetting included."""
    monkeypatch.setattr(job, "CUT_WAIT_S", 60.0)
    monkeypatch.setattr(recorder, "_SHIP_EVERY_S", 0.05)
    shared = {"store": f"sqlite:///{tmp_path}/webrec.db", "log": hdfs.uri()}
    with opened(tmp_path / "service", **shared) as engine:
        ingest_known(engine)
        before = {visitor: seen(engine, visitor) for visitor in ("u:ann", "u:bert", "u:clara")}
        engine.recorder.start()
        with opened(tmp_path / "batch", **shared) as elsewhere:
            while not hdfs.folders("/log/spools"):
                time.sleep(0.01)
            generation = batch(elsewhere)
            assert generation.watermark.is_complete
            assert generation.counts["visits"] > 0
            engine.refresh()
            assert {visitor: seen(engine, visitor) for visitor in before} == before
            assert log_backlog(elsewhere) == log_backlog(engine) == 0

            engine.recorder.record([Event("visit", "https://site.example/new", "u:ann", 0)])
            assert seen(engine, "u:ann") == before["u:ann"] | {"https://site.example/new": (1, 0)}
            assert log_backlog(engine) == 1
            engine.recorder.forget("u:bert")
            generation = batch(elsewhere)
            assert generation.watermark.is_complete
            assert elsewhere.tables.visitors.forgotten() == {}
            engine.refresh()
            assert seen(engine, "u:ann") == before["u:ann"] | {"https://site.example/new": (1, 0)}
            assert seen(engine, "u:bert") == {}
            assert b"u:bert" not in b"".join(hdfs.files("/log/closed").values())
            assert batch(elsewhere).counts["forgotten"] == 0


def test_the_recorder_ships_what_it_closes(
    hdfs: WebHdfs, short_timeouts: None, tmp_path: Path
) -> None:
    """In the background once it is started, and at its end."""
    with closing(open_store(f"sqlite:///{tmp_path}/webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        started = Recorder(tables, open_log(hdfs.uri(), tmp_path / "log"), 100)
        started.start()
        started.record(visits(5))
        while not hdfs.files("/log/closed"):
            time.sleep(0.01)
        started.record(visits(5, "u:last"))
        started.close()
    content = b"".join(hdfs.files("/log/closed").values())
    assert content.count(b"\n") == 10
    assert any(mark.endswith(".rest") for mark in hdfs.folders("/log/spools"))


def test_what_waits_is_written_down_once(
    hdfs: WebHdfs,
    short_timeouts: None,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line when shipping begins to fail with something to ship, one when it works again."""
    monkeypatch.setattr(recorder, "_SHIP_EVERY_S", 0.01)
    with opened(tmp_path, log=hdfs.uri(), segment_bytes=1024) as engine:
        hdfs.stop()
        engine.recorder.start()
        while not engine.log.unshipped().why:
            time.sleep(0.01)
        assert caplog.messages == []
        engine.recorder.record(visits(20))
        while not caplog.messages:
            time.sleep(0.01)
        engine.recorder.record(visits(20))
        while engine.log.unshipped().segments < 2:
            time.sleep(0.01)
        hdfs.start()
        while engine.log.unshipped().segments:
            time.sleep(0.01)
        while len(caplog.messages) < 2:
            time.sleep(0.01)
    first, last = caplog.messages
    assert first.startswith(f"1 segment waits in {tmp_path / 'log'} to be shipped")
    assert last == "segments are shipped again"


def test_the_service_says_what_waits(hdfs: WebHdfs, short_timeouts: None, tmp_path: Path) -> None:
    """HDFS away: ready, with a word on it; figures of what waits, none of what cannot be known."""
    with opened(tmp_path, log=hdfs.uri(), segment_bytes=1024) as engine:
        client = create_app(engine).test_client()
        assert readiness(engine)["log"] == {"ok": True}
        assert "webrec_log_unshipped_segments 0.0" in client.get("/metrics").text
        assert "webrec_log_backlog_segments 0.0" in client.get("/metrics").text
        hdfs.stop()
        engine.recorder.record(visits(20))
        engine.recorder.roll()
        engine.recorder.flush()
        engine.log.ship()
        scrape = client.get("/metrics").text
        assert "webrec_log_unshipped_segments 1.0" in scrape
        assert f"webrec_log_unshipped_bytes {engine.log.unshipped().bytes:.1f}" in scrape
        assert "webrec_log_backlog_segments" not in scrape
        log = readiness(engine)["log"]
        assert log["ok"]
        assert "1 segment waits" in log["detail"]
        assert hdfs.uri() in log["detail"]
        hdfs.start()
        engine.log.ship()
        assert readiness(engine)["log"] == {"ok": True}
        assert "webrec_log_backlog_segments 1.0" in client.get("/metrics").text


@pytest.mark.slow
def test_commands_say_what_waits(hdfs: WebHdfs, tmp_path: Path) -> None:
    """Loading goes on without HDFS, a check tells, and the next command with HDFS ships it."""
    event = '{"type": "visit", "user": "ann", "url": "https://site.example/"}\n'

    def run(*arguments: str) -> tuple[int, str, list[str]]:
        command = [sys.executable, "-m", "webrec", *arguments]
        command += ["--home", str(tmp_path), "--log", hdfs.uri()]
        done = subprocess.run(command, input=event, text=True, capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr.splitlines()

    hdfs.stop()
    status, _, said = run("ingest", "-")
    assert status == 0
    assert said[0].startswith(f"1 segment waits in {tmp_path / 'log'} to be shipped")
    assert said[0].endswith("The service, or the next command on this home, ships them")
    assert len(said) == 2
    status, found, _ = run("check", "--json")
    assert status == 1
    assert "does not answer" in orjson.loads(found)["checks"]["log"]["detail"]
    status, _, said = run("batch")
    assert (status, said) == (1, [f"Error: {hdfs.uri()} does not answer (Connection refused)"])
    hdfs.start()
    status, _, said = run("ingest", "-")
    assert (status, len(said)) == (0, 1)
    assert len(hdfs.files("/log/closed")) == 2
    _, found, _ = run("check", "--json")
    log = orjson.loads(found)["checks"]["log"]
    assert log["ok"]
    assert "2 segments closed, 0 open, 2 not in the model yet" in log["detail"]
