"""Labelled pages, to measure categories by: a TSV, CSV or NDJSON file in, labels by URL out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import NamedTuple

from webrec.domain.urls import canonical
from webrec.errors import NotJson, UrlError, UsageError
from webrec.formats.files import lines_of, opened
from webrec.formats.json import read_json

_SHOWN = 5
"""Wrong lines that an error names; more would hide what to do."""

_LONGEST_LINE = 256 << 10
"""Bytes of the longest line: more than a URL and a label need, so that memory stays bounded."""

_HEAD = {"url", "label"}
_WRONG = "give a URL and its label"


class _Line(NamedTuple):
    """A line of the file: its URL and label, or the problem with it."""

    number: int
    url: str = ""
    label: str = ""
    problem: str = ""


def read_labels(name: str) -> dict[str, str]:
    """Reads the labels of a file, by canonical URL.

    A line is a URL and its label with a tab or a comma between, or a JSON object with ``url`` and
    ``label``. A first line that names the columns may have them in any order, and others too.

    Raises:
        UsageError: the file cannot be read, is empty, or has a wrong line; names the first five
            of them by their numbers.
    """
    labels: dict[str, str] = {}
    problems: list[str] = []
    for line in _lines(name):
        problem = line.problem or _add(labels, line)
        if problem:
            problems.append(f"line {line.number}: {problem}")
    if problems:
        more = f"; and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
        raise UsageError(f"{name}: {'; '.join(problems[:_SHOWN])}{more}")
    if not labels:
        raise UsageError(f"{name} is empty: {_WRONG} in each line")
    return labels


def _add(labels: dict[str, str], line: _Line) -> str:
    """Adds a line to the labels; returns what is wrong with it, or an empty string."""
    try:
        url = canonical(line.url.strip())
    except UrlError as error:
        return str(error)
    label = line.label.strip()
    if not label:
        return f"no label: {_WRONG}"
    if labels.setdefault(url, label) != label:
        return f"{url} has the label {labels[url]!r} already"
    return ""


def _lines(name: str) -> Iterator[_Line]:
    """The lines that are not blank."""
    too_long: list[int] = []
    parse: Callable[[int, str], _Line | None] | None = None
    with opened(name) as file:
        for number, raw in enumerate(lines_of(file, _LONGEST_LINE, too_long.append), 1):
            if too_long:
                yield _Line(too_long.pop(), problem="longer than 256 KiB")
                continue
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip("\r\n")
            except UnicodeDecodeError:
                yield _Line(number, problem="not UTF-8")
                continue
            if text.strip():
                try:
                    parse = parse or _parser(text)
                    line = parse(number, text)
                except csv.Error as error:
                    line = _Line(number, problem=str(error))
                if line is not None:
                    yield line


def _parser(first: str) -> Callable[[int, str], _Line | None]:
    """The parser of a file's lines, by its first line.

    Returns:
        A function from a line's number and text to the line; to None for the one that names the
        columns.
    """
    if first.lstrip().startswith("{"):
        return _json_line
    separator = "\t" if "\t" in first else ","
    names = [name.strip().casefold() for name in _split(first, separator)]
    has_head = set(names) >= _HEAD
    url_column, label_column = (names.index("url"), names.index("label")) if has_head else (0, 1)
    width = len(names) if has_head else 2

    def line(number: int, text: str) -> _Line | None:
        if has_head and text == first:
            return None
        values = _split(text, separator)
        if len(values) != width:
            return _Line(number, problem=f"{len(values)} columns instead of {width}: {_WRONG}")
        return _Line(number, values[url_column], values[label_column])

    return line


def _split(text: str, separator: str) -> list[str]:
    if separator == "\t":
        return text.split("\t")
    return next(csv.reader([text]), [])


def _json_line(number: int, text: str) -> _Line:
    try:
        document = read_json(text.encode())
    except NotJson as error:
        return _Line(number, problem=str(error))
    url, label = (
        (document.get("url"), document.get("label")) if isinstance(document, dict) else (None, None)
    )
    if not isinstance(url, str) or not isinstance(label, str):
        return _Line(number, problem='give an object {"url": "…", "label": "…"}')
    return _Line(number, url, label)
