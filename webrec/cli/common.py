"""What all commands share: settings as flags, errors as one line, progress, tables and JSON."""

from __future__ import annotations

import functools
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeVar

import click
import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as ProgressBar
from rich.table import Table
from rich.text import Text

from webrec.config import PREFIX, Settings, load
from webrec.domain.extras import require
from webrec.domain.progress import Progress
from webrec.errors import UsageError, WebrecError

if TYPE_CHECKING:
    from webrec.serving.engine import Engine

_Found = TypeVar("_Found")

_WIDE = 10_000

# where nobody looks at it a table need not fit a window, and a URL is not cut in two
out = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE)
err = Console(stderr=True, highlight=False, emoji=False)

_FAILED = 1
_WRONG_USAGE = 2
_INTERRUPTED = 130
_TERMINATED = 143


class Terminated(BaseException):
    """The process was told to stop (SIGTERM): what was begun is brought to an end."""


class _Failure(click.ClickException):
    """What ends a command."""

    exit_code = _FAILED

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 - click's signature
        """Say it in one line."""
        fail(self.message)


class _WrongUsage(_Failure):
    """What ends a command that cannot be meant."""

    exit_code = _WRONG_USAGE


class Group(click.Group):
    """A group whose commands' errors become one line that says what to do."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order a newcomer meets them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and say what went wrong."""
        try:
            with _terminable():
                return super().invoke(ctx)
        except UsageError as error:
            raise _WrongUsage(str(error)) from error
        except WebrecError as error:
            raise _Failure(str(error)) from error
        except (KeyboardInterrupt, Terminated) as stop:
            tell("stopped")
            ctx.exit(_INTERRUPTED if isinstance(stop, KeyboardInterrupt) else _TERMINATED)
        except BrokenPipeError:
            # who read our output has gone: there is nobody to tell
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(_FAILED)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise _Failure(f"{where}{error.strerror or error}") from error


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind a command as Ctrl-C does, so that it leaves nothing behind."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(*_: object) -> NoReturn:
    raise Terminated


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the end of a step that must be done whole."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda n, _frame: came.append(n)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


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


def command(
    group: click.Group | None = None, name: str | None = None, *, extra: str | None = None
) -> Callable[..., Any]:
    """Make a function a command that takes the settings first.

    Args:
        group: the group it belongs to, if any.
        name: the function's own, when left out.
        extra: what has to be installed for it beside the core.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def call(**given: Any) -> Any:
            chosen = {field: given.pop(field) for field in Settings.model_fields}
            logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
            if extra is not None:
                require(extra, f"`webrec {made.name}`")
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
    err.print(_plain(message), markup=False, soft_wrap=True)


def fail(message: str) -> None:
    """Say what went wrong, where the command goes on."""
    err.print(f"Error: {_plain(message)}", style="red", markup=False, soft_wrap=True)


def print_json(document: object) -> None:
    """Print one JSON document on a line."""
    sys.stdout.write(orjson.dumps(document).decode() + "\n")
    sys.stdout.flush()  # a script at the other end of a pipe reads each document at once


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """Print a table; numbers stand right."""
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    out.print(table)


def _cell(value: object) -> Text:
    """A value as it is: what users named may look like markup."""
    return Text(f"{value:,}" if isinstance(value, int) else _plain(str(value)))


def _plain(text: str) -> str:
    """The text without what would steer a terminal, and on one line."""
    return "".join(c if c.isprintable() else " " if c.isspace() else repr(c)[1:-1] for c in text)


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on a terminal, nothing elsewhere.

    Yields:
        What to call as the work goes on.
    """
    bar = ProgressBar(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=not sys.stderr.isatty(),
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
def engine_of(settings: Settings, retry_timeout_s: float | None = None) -> Iterator[Engine]:
    """The engine for one command; what it recorded is durable when the command ends.

    Args:
        retry_timeout_s: seconds for which a call to the store that failed is repeated; some
            seconds when left out.
    """
    from webrec.serving.engine import RETRY_TIMEOUT_S, Engine

    engine = Engine(settings, RETRY_TIMEOUT_S if retry_timeout_s is None else retry_timeout_s)
    try:
        engine.tables.create()
        engine.recorder.start()
        yield engine
    finally:
        engine.close()


def draw_chart(
    load: Callable[[], Callable[[_Found, Path], None]], found: _Found, file: Path, needs: str
) -> None:
    """Draw what was found, and say where.

    Args:
        load: imports what draws, and with it matplotlib.
        needs: what to install where that is missing.

    Raises:
        WebrecError: the file cannot be written.
    """
    try:
        draw = load()
    except ImportError:
        tell(f"no chart without matplotlib: pip install {needs}")
        return
    try:
        draw(found, file)
    except OSError as error:
        raise WebrecError(f"{file} cannot be written: {error.strerror}") from error
    tell(f"chart: {file}")
