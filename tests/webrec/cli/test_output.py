"""What commands print, whatever users call their things and wherever the output goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.webrec.cli.conftest import Run

NAMED = {
    "[/x] sale": "[/x] sale",
    "[red]sale[/red]": "[red]sale[/red]",
    ":100: off": ":100: off",
    "a\x1b[31mb\nc": "a\\x1b[31mb c",
}


@pytest.mark.parametrize("name", NAMED)
def test_names_are_printed_as_they_are(run: Run, name: str) -> None:
    """A name is no markup, no emoji and no command to the terminal."""
    campaign = {"id": "a", "name": name, "urls": ["https://a.example/"], "priority": 0.5}
    run("campaigns", "apply", "-", stdin=json.dumps(campaign).encode())
    assert NAMED[name] in run("campaigns", "list").stdout


def test_messages_are_printed_as_they_are(run: Run, tmp_path: Path) -> None:
    """Line 100 of a file is not an emoji."""
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n" * 99 + b"x\n")
    assert f"{file}:100: " in run("ingest", file).stderr


def test_tables_are_not_cut_for_a_pipe(run: Run) -> None:
    """A long value stands on one line where no window limits it."""
    name = "long " * 100
    campaign = {"id": "a", "name": name, "urls": ["https://a.example/"], "priority": 0.5}
    run("campaigns", "apply", "-", stdin=json.dumps(campaign).encode())
    assert name in run("campaigns", "list").stdout


@pytest.mark.parametrize(
    "body",
    ['[\n{"id": "a",,},\n{"id": "b"}\n]', '{\n "id": "a",,\n "b": 1\n}', '{"id": "a"', ""],
)
def test_one_broken_document_is_one_error(run: Run, body: str) -> None:
    """A JSON document with a slip in it is told once, with the file and the place."""
    result = run("campaigns", "apply", "-", stdin=body.encode(), fails=1)
    assert result.stderr.startswith("Error: -: line ")
    assert result.stderr.count("\n") == 1


def test_errors_are_one_line(run: Run) -> None:
    """What went wrong and what to do stand on one line of standard error, and nothing else."""
    result = run("models", "activate", "7", fails=1)
    assert result.stderr == "Error: there is no model 7: `webrec models list` shows them\n"
    assert result.stdout == ""


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    """No error is printed when the output is not read any more."""
    command = [sys.executable, "-m", "webrec", "models", "list", "--json", "--home", str(tmp_path)]
    buffering = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffering
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


def test_a_folder_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    """What the system refuses is said with the name of the file, without a traceback."""
    (tmp_path / "file").write_text("")
    result = run("ingest", "-", "--home", tmp_path / "file" / "home", stdin=b"", fails=1)
    assert str(tmp_path / "file") in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [("--seed", "-1"), ("--categories", "²"), ("--every", "0s")])
def test_numbers_of_a_batch_that_are_none(run: Run, arguments: tuple[str, ...]) -> None:
    """A number that no batch can use is wrong usage."""
    assert "Invalid value" in run("batch", *arguments, fails=2).stderr


def test_a_wrong_setting_ends_a_repeated_batch(run: Run) -> None:
    """What every later batch would meet, too, is not tried again."""
    result = run("batch", "--every", "1d", "--taxonomy", "/nowhere.tsv", fails=2)
    assert "/nowhere.tsv" in result.stderr


def test_progress_is_for_terminals(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where standard error is no terminal there is no bar, even if colours are forced."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "loading" not in run("ingest", "-", "--json", stdin=b"").stderr
    assert os.environ["FORCE_COLOR"]
