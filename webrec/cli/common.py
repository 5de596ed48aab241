"""What all commands share: settings as flags, errors as one line, progress, tables and JSON."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from webrec.config import PREFIX, Settings, load
from webrec.errors import UsageError, WebrecError

if TYPE_CHECKING:
    from webrec.engine import Engine

Told = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is (0: unknown)."""

_WIDE = 160

# where nobody looks at it a table need not fit a window
out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
err = Console(stderr=True, highlight=False)

_INTERRUPTED = 130


class Group(click.Group):
    """A group whose commands' errors become one line that says what to do."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order a newcomer meets them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and say what went wrong."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise click.UsageError(str(error)) from error
        except WebrecError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            tell("stopped")
            ctx.exit(_INTERRUPTED)
        except BrokenPipeError:
            # who read our output has gone: there is nobody to tell
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)


class _SettingOption(click.Option):
    """A flag that stands for a setting; shown below a command's own."""


class _Command(click.Command):
    """A command that lists the settings after its own options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own: list[tuple[str, str]] = []
        settings: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                (settings if isinstance(parameter, _SettingOption) else own).append(record)
        with formatter.section("Options"):
            formatter.write_dl(own)
        with formatter.section(f"Settings (also {PREFIX}<NAME> in the environment)"):
            formatter.write_dl(settings)


def command(group: click.Group | None = None, name: str | None = None) -> Callable[..., Any]:
    """Make a function a command that takes the settings first.

    Args:
        group: the group it belongs to, if any.
        name: the function's own, when left out.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def call(**given: Any) -> Any:
            chosen = {field: given.pop(field) for field in Settings.model_fields}
            logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
            return function(load(**chosen), **given)

        made = click.command(name or function.__name__.strip("_"), cls=_Command)(call)
        made.params += [_option(field) for field in Settings.model_fields]
        if group is not None:
            group.add_command(made)
        return made

    return decorate


def _option(field: str) -> _SettingOption:
    info = Settings.model_fields[field]
    flag = "--" + field.replace("_", "-")
    return _SettingOption([flag, field], metavar="VALUE", help=info.description)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for a script to read.")


def tell(message: str) -> None:
    """Say something to the person who waits: on standard error, on one line."""
    err.print(message, markup=False, soft_wrap=True)


def fail(message: str) -> None:
    """Say what went wrong, where the command goes on."""
    err.print(f"Error: {message}", style="red", markup=False, soft_wrap=True)


def print_json(document: object) -> None:
    """Print one JSON document on a line."""
    sys.stdout.write(orjson.dumps(document).decode() + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """Print a table; numbers stand right."""
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    out.print(table)


@contextmanager
def progress() -> Iterator[Told]:
    """A progress bar on a terminal, nothing elsewhere.

    Yields:
        The function to tell.
    """
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )
    with bar:
        tasks: dict[str, Any] = {}

        def report(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                for task in tasks.values():
                    bar.update(task, total=bar.tasks[task].completed or 1)
                    bar.update(task, completed=bar.tasks[task].total or 1)
                tasks[doing] = bar.add_task(doing, total=total or None)
            bar.update(tasks[doing], completed=done, total=total or None)

        yield report


@contextmanager
def engine_of(settings: Settings) -> Iterator[Engine]:
    """The engine for one command; what it recorded is durable when the command ends."""
    from webrec.engine import Engine

    engine = Engine(settings)
    try:
        engine.tables.create()
        yield engine
    finally:
        engine.close()
