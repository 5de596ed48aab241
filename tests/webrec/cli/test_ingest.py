"""`webrec ingest`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import PAGES, VISITS
from tests.webrec.cli.conftest import Run, json_of
from webrec.formats.files import zstd  # type: ignore[attr-defined]
from webrec.rawlog import Record
from webrec.rawlog.local import LocalLog

EVENTS = [*PAGES, *VISITS]
NDJSON = b"".join(json.dumps(event).encode() + b"\n" for event in EVENTS)


def logged(tmp_path: Path) -> list[Record]:
    """What is in the log."""
    log = LocalLog(tmp_path / "home" / "log")
    return [record for name in log.closed_segments() for record in log.read(name)]


@pytest.mark.parametrize("suffix", ["ndjson", "ndjson.gz", "ndjson.zst"])
def test_files_are_read_as_they_are(run: Run, tmp_path: Path, suffix: str) -> None:
    """Plain, gzip and zstd files bring the same events."""
    packed: dict[str, Any] = {
        "ndjson": bytes,
        "ndjson.gz": gzip.compress,
        "ndjson.zst": zstd.compress,
    }
    file = tmp_path / f"events.{suffix}"
    file.write_bytes(packed[suffix](NDJSON))
    (report,) = json_of(run("ingest", file, "--json"))["files"]
    assert report["accepted"] == report["lines"] == len(EVENTS)
    assert len(logged(tmp_path)) == len(EVENTS)


def test_standard_input(run: Run, tmp_path: Path) -> None:
    """A dash reads standard input."""
    run("ingest", "-", stdin=NDJSON)
    assert len(logged(tmp_path)) == len(EVENTS)


def test_broken_lines_stop_nothing(run: Run, tmp_path: Path) -> None:
    """Each broken line is counted; the first 20 are reported with number and reason."""
    lines = [b"{", b'{"type": "visit"}', b"", *[b"x"] * 30, b"\xff", b'"' + b"a" * 300_000 + b'"']
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join([*lines, NDJSON]))
    result = run("ingest", file)
    assert f"{file}:2: url: is required" in result.stderr
    assert result.stderr.count(f"{file}:") == 21
    assert "and 14 more" in result.stderr
    assert len(logged(tmp_path)) == len(EVENTS)


def test_strict_fails_on_broken_lines(run: Run, tmp_path: Path) -> None:
    """With --strict a broken line makes the exit status 1; the good ones are kept."""
    run("ingest", "-", "--strict", stdin=NDJSON)
    run("ingest", "-", "--strict", stdin=b"x\n" + NDJSON, fails=1)
    assert len(logged(tmp_path)) == 2 * len(EVENTS)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_an_archive_that_breaks_off(run: Run, tmp_path: Path, pack: object) -> None:
    """What stood before the break is kept, the message names the file, the exit status is 1."""
    lines = [json.dumps(EVENTS[n % len(EVENTS)] | {"title": f"{n * 7919}"}) for n in range(30_000)]
    file = tmp_path / "events.packed"
    file.write_bytes(pack("\n".join(lines).encode())[:-20_000])  # type: ignore[operator]
    result = run("ingest", file, fails=1)
    assert "breaks off" in result.stderr
    assert 0 < len(logged(tmp_path)) < 30_000


def test_a_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    """A missing file is wrong usage, and is named."""
    result = run("ingest", tmp_path / "nowhere", fails=2)
    assert "nowhere: No such file" in result.stderr


LINE = '{ip} - - [17/May/2015:10:05:03 +0000] "{request}" 200 12 "-" "{agent}"\n'


def test_access_logs(run: Run, tmp_path: Path) -> None:
    """Page views of people are loaded; bots, assets and broken lines are counted."""
    people, bot = "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0", "Googlebot/2.1"
    text = "".join(
        LINE.format(ip=ip, request=request, agent=agent)
        for ip, request, agent in [
            ("192.0.2.1", "GET /a HTTP/1.1", people),
            ("192.0.2.1", "GET /a.png HTTP/1.1", people),
            ("192.0.2.2", "GET /a HTTP/1.1", bot),
        ]
    )
    arguments = ("ingest", "--format", "combined", "--site", "https://e.example", "-", "--json")
    (report,) = json_of(run(*arguments, stdin=(text + "nonsense\n").encode()))["files"]
    assert (report["accepted"], report["bots"], report["rejected"]) == (1, 1, 1)
    assert report["skipped"] == {"asset": 1, "bot": 1}
    (record,) = logged(tmp_path)
    assert (record.event.url, record.event.visitor) == ("https://e.example/a", "i:192.0.2.1")


def test_an_access_log_needs_its_site(run: Run) -> None:
    """Without --site the usage is wrong, and the message says what to add."""
    assert "--site https://" in run("ingest", "--format", "combined", "-", fails=2).stderr


def test_the_real_access_log(run: Run, real_data: Path) -> None:
    """Of 10,000 real lines one is broken, and bots are left out."""
    arguments = ("ingest", "--format", "combined", "--site", "https://www.semicomplete.com")
    file = real_data / "accesslog" / "apache_logs"
    (report,) = json_of(run(*arguments, file, "--json"))["files"]
    assert (report["lines"], report["rejected"]) == (10_000, 1)
    assert report["bots"] > 1_000
    assert report["accepted"] > 2_000


def test_bots_are_logged_as_bots(run: Run, tmp_path: Path) -> None:
    """An event of a bot is accepted and counted as one."""
    event = VISITS[0] | {"environment": {"user_agent": "Googlebot/2.1"}}
    (report,) = json_of(run("ingest", "-", "--json", stdin=json.dumps(event).encode()))["files"]
    assert (report["accepted"], report["bots"]) == (0, 1)
    assert [record.event.bot for record in logged(tmp_path)] == [True]
