"""What commands print: notes, errors, tables, JSON and charts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from webrec.errors import WebrecError

_Found = TypeVar("_Found")

_WIDE = 10_000
"""Columns of an output that is no terminal: a table need not fit, and a URL is not cut in two."""

out = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE)
err = Console(stderr=True, highlight=False, emoji=False)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for a script to read.")


def print_note(message: str) -> None:
    """Print one line for the person who waits, on standard error."""
    err.print(_plain(message), markup=False, soft_wrap=True)


def print_error(message: str) -> None:
    """Print what went wrong, on standard error; the command goes on."""
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


def draw_chart(
    load: Callable[[], Callable[[_Found, Path], None]], found: _Found, file: Path, needs: str
) -> None:
    """Draw what was found, and print where.

    Args:
        load: imports the function that draws, and with it matplotlib.
        needs: what to install where that is missing.

    Raises:
        WebrecError: the file cannot be written.
    """
    try:
        draw = load()
    except ImportError:
        print_note(f"no chart without matplotlib: pip install {needs}")
        return
    try:
        draw(found, file)
    except OSError as error:
        raise WebrecError(f"{file} cannot be written: {error.strerror}") from error
    print_note(f"chart: {file}")
