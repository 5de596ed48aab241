"""`webrec ingest`: files that are large, long, in the wrong place or not what their names say."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.webrec.cli.conftest import Run, json_of
from webrec.formats.files import zstd  # type: ignore[attr-defined]
from webrec.formats.times import DAY_MS
from webrec.rawlog.local import LocalLog

LINE = '192.0.2.1 - - [{day}:10:05:03 +0000] "GET /{path} HTTP/1.1" 200 12 "-" "Mozilla/5.0"\n'
COMBINED = ("ingest", "--format", "combined", "--site", "https://e.example", "--json")


def visits(count: int) -> bytes:
    """So many events, each of another visitor."""
    events = ({"type": "visit", "url": "https://e.example/", "user": f"u{n}"} for n in range(count))
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_a_large_load_is_cut_into_segments(run: Run, tmp_path: Path) -> None:
    """A segment, and what is held in memory of it, ends at its size and not with the file."""
    run("ingest", "-", "--segment-bytes", 200_000, stdin=visits(20_000))
    log = LocalLog(tmp_path / "home" / "log")
    sizes = [log.size(name) for name in log.closed_segments()]
    assert len(sizes) == 4
    assert log.open_segments() == []


@pytest.mark.parametrize("arguments", [("ingest", "--json"), COMBINED])
def test_a_line_that_is_too_long(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A line over 256 KiB is refused by its number in either format; the next one is read."""
    good = visits(1) if arguments != COMBINED else LINE.format(day="17/May/2015", path="a").encode()
    file = tmp_path / "long"
    file.write_bytes(b"x" * 3_000_000 + b"\n" + good)
    (report,) = json_of(run(*arguments, file))["files"]
    assert (report["lines"], report["accepted"], report["rejected"]) == (2, 1, 1)
    assert report["problems"] == [{"line": 1, "reason": "the line is longer than 256 KiB"}]


def test_a_line_of_just_the_longest_length(run: Run) -> None:
    """256 KiB are read, and one byte more is refused."""
    event = visits(1).rstrip(b"\n")
    longest = event + b" " * (256 * 1024 - len(event))
    (report,) = json_of(run("ingest", "-", "--json", stdin=longest + b"\n" + longest))["files"]
    assert (report["accepted"], report["rejected"]) == (2, 0)
    (report,) = json_of(run("ingest", "-", "--json", stdin=longest + b" \n"))["files"]
    assert (report["accepted"], report["rejected"]) == (0, 1)


def test_an_access_log_from_the_future(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies more than a day ahead is refused, as over HTTP."""
    lines = LINE.format(day="17/May/2015", path="a") + LINE.format(day="17/May/2999", path="b")
    (report,) = json_of(run(*COMBINED, "-", stdin=lines.encode()))["files"]
    assert (report["accepted"], report["rejected"]) == (1, 1)
    assert report["problems"][0]["line"] == 2
    assert DAY_MS == 86_400_000


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_name_that_says_packed(run: Run, tmp_path: Path, suffix: str) -> None:
    """A file that is not what its name says is broken: its bytes are not taken for lines."""
    file = tmp_path / f"events.ndjson.{suffix}"
    file.write_bytes(b"XX" + gzip.compress(visits(3)))
    result = run("ingest", file, fails=1)
    assert f"{file}: the packed file is broken" in result.stderr
    assert "not UTF-8" not in result.stderr


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_packed_standard_input(run: Run, pack: object) -> None:
    """Standard input is unpacked by what it begins with."""
    (report,) = json_of(run("ingest", "-", "--json", stdin=pack(visits(3))))["files"]  # type: ignore[operator]
    assert report["accepted"] == 3


def test_archives_of_several_parts(run: Run) -> None:
    """Archives written one after the other are one file."""
    packed = gzip.compress(visits(3)) + gzip.compress(visits(2))
    (report,) = json_of(run("ingest", "-", "--json", stdin=packed))["files"]
    assert report["accepted"] == 5


def test_nothing_is_loaded_if_a_file_is_missing(run: Run, tmp_path: Path) -> None:
    """Every file is looked for before the first is read: the command can be run again as it is."""
    good = tmp_path / "good.ndjson"
    good.write_bytes(visits(3))
    assert "nowhere" in run("ingest", good, tmp_path / "nowhere", fails=2).stderr
    assert not (tmp_path / "home").exists()


def test_a_broken_archive_does_not_stop_the_next_file(run: Run, tmp_path: Path) -> None:
    """The file after a broken one is loaded, and the exit status is still 1."""
    broken, good = tmp_path / "broken.gz", tmp_path / "good.ndjson"
    broken.write_bytes(gzip.compress(visits(3))[:-4])
    good.write_bytes(visits(2))
    first, second = json_of(run("ingest", broken, good, "--json", fails=1))["files"]
    assert first["failure"]
    assert (second["accepted"], second["failure"]) == (2, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--site", "https://e.example", "-"), "--format combined"),
        (("--format", "combined", "--site", "nonsense", "-"), "--site nonsense"),
        (("--format", "combined", "-"), "--site https://"),
    ],
)
def test_a_site_and_a_format_that_do_not_go_together(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    """An access log needs its site, and nothing else has one."""
    assert said in run("ingest", *arguments, stdin=visits(1), fails=2).stderr
