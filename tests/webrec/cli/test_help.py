"""What commands say of themselves: short lists, whole sentences, and the settings they read."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tests.webrec.cli.conftest import Run
from webrec import config
from webrec.cli import main

COLUMNS = 80
"""The width of a terminal, unless its user makes it wider."""

FIELDS = frozenset(config.Settings.model_fields)
OF_AN_ENGINE = {"segment_bytes", "w_ads", "w_aff", "w_sim", "tmax", "online"}
"""What every engine is built from, whatever a command wants of it."""


def every(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The names of a command and of all commands below it."""
    yield path
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from every(each, (*path, name))


COMMANDS = list(every(main))


def command_of(path: tuple[str, ...]) -> click.Command:
    """The command of this name."""
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


def help_of(path: tuple[str, ...]) -> str:
    """What a command's --help prints on such a terminal."""
    result = CliRunner().invoke(main, [*path, "--help"], terminal_width=COLUMNS)
    assert result.exit_code == 0
    return result.stdout


def flag(setting: str) -> str:
    """The flag that stands for a setting."""
    return "--" + setting.replace("_", "-")


def shown(path: tuple[str, ...]) -> set[str]:
    """The settings that a command's help shows."""
    lines = help_of(path).splitlines()
    return {
        setting for setting in FIELDS for line in lines if line.startswith(f"  {flag(setting)} ")
    }


def test_help_is_quick_and_complete() -> None:
    """Every command has a line in the help, which loads nothing heavy."""
    code = (
        "import sys; from webrec.cli import main; main(['--help'], standalone_mode=False);"
        "heavy = {'sklearn', 'scipy', 'flask', 'wordllama', 'requests', 'gunicorn'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("demo", "world", "ingest", "batch", "models", "labels", "campaigns", "check"):
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize("path", [p for p in COMMANDS if isinstance(command_of(p), click.Group)])
def test_each_command_has_one_line_in_its_list(path: tuple[str, ...]) -> None:
    """A whole sentence that is not cut off and fits the terminal."""
    group = command_of(path)
    assert isinstance(group, click.Group)
    lines = help_of(path).partition("\nCommands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(group.commands)
    for line in lines:
        assert line.endswith(".")
        assert "..." not in line
        assert len(line) <= COLUMNS


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_options_are_described_by_whole_sentences(path: tuple[str, ...]) -> None:
    """They begin with a capital and end with a full stop, unless with an example."""
    for option in command_of(path).params:
        if isinstance(option, click.Option) and option.name not in FIELDS:
            assert option.help is not None
            assert re.fullmatch(r"[A-Z].*(\.|https://example\.org)", option.help), option.help
    assert max(map(len, help_of(path).splitlines())) <= COLUMNS


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_takes_every_setting_and_points_to_the_rest(path: tuple[str, ...]) -> None:
    """Those that it does not show are taken, too; where they are described it says."""
    command = command_of(path)
    if isinstance(command, click.Group) and not command.invoke_without_command:
        return
    taken = {option for each in command.params for option in each.opts}
    assert {flag(setting) for setting in FIELDS} <= taken
    text = help_of(path)
    assert "docs/settings.md" in text
    assert "WEBREC_<NAME>" in text
    assert shown(path) < FIELDS


def test_a_setting_that_is_not_shown_counts_all_the_same(run: Run, tmp_path: Path) -> None:
    """A command may be given all settings, as a whole deployment has them."""
    assert "workers" not in shown(("check",))
    assert "WEBREC_WORKERS='x'" in run("check", "--workers", "x", fails=2).stderr
    run("keys", "list", "--workers", "3", "--keys", tmp_path / "keys.json")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The settings that the command reads, as it does."""
    names: set[str] = set()

    class Recording(config.Settings):
        def __getattribute__(self, name: str) -> Any:
            if name in FIELDS:
                names.add(name)
            return super().__getattribute__(name)

    def load(**given: Any) -> config.Settings:
        made = Recording(**{name: value for name, value in given.items() if value is not None})
        names.clear()  # what was read to validate them
        return made

    monkeypatch.setattr("webrec.cli.command.load", load)
    return names


def test_a_command_shows_the_settings_it_reads(run: Run, read: set[str], tmp_path: Path) -> None:
    """What it reads of them, but for what every engine is built from, is in its help."""
    events = b'{"type": "page", "url": "https://e.example/", "title": "A page of words"}'
    request = b'{"url": "https://e.example/", "user": "u"}'
    world = ("--urls", "20", "--users", "9", "--out", str(tmp_path / "world"))
    calls: list[tuple[tuple[str, ...], tuple[str, ...], bytes]] = [
        (("world",), world, b""),
        (("ingest",), ("-",), events),
        (("batch",), ("--features", "tfidf", "--force"), b""),
        (("recommend",), ("-",), request),
        (("campaigns", "apply"), ("-",), b"[]"),
        (("campaigns", "list"), (), b""),
        (("labels", "list"), (), b""),
        (("labels", "set"), ("c1", "Travel"), b""),
        (("models", "list"), (), b""),
        (("models", "activate"), ("000001",), b""),
        (("keys", "add"), ("one", "--scope", "serve"), b""),
        (("keys", "list"), (), b""),
        (("keys", "revoke"), ("one",), b""),
        (("tables",), ("--store", "hbase://host:9090/web"), b""),
        (("check",), (), b""),
    ]
    for path, arguments, stdin in calls:
        run(*path, *arguments, stdin=stdin)
        assert read - OF_AN_ENGINE <= shown(path), path
    assert "keys" in read
    assert "fill" in shown(("recommend",))
