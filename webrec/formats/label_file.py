"""A file of labelled pages, to judge categories by: TSV, CSV or NDJSON in, URL to label out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import NamedTuple

from webrec.domain.urls import canonical
from webrec.errors import NotJson, UrlError, UsageError
from webrec.formats.files import lines_of, opened
from webrec.formats.json import read_json

_SHOWN = 5
_LONGEST_LINE = 256 << 10
_HEAD = {"url", "label"}
_WRONG = "give a URL and its label"


class _Line(NamedTuple):
    """A line of the file, and what is wrong with it, if anything is."""

    number: int
    url: str = ""
    label: str = ""
    problem: str = ""


def read_labels(name: str) -> dict[str, str]:
    """The labels of a file by canonical URL.

    A line is a URL and its label, by tab or comma, or a JSON object with ``url`` and ``label``. A
    first line that names the columns may put them in any order, and have others.

    Raises:
        UsageError: the file cannot be read, or has a line that is none of these; it names the
            first five of these by their numbers.
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
    """Take in a line; what is wrong with it, if anything is."""
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
    """What reads the lines of a file that begins so; None for the line that names the columns."""
    if first.lstrip().startswith("{"):
        return _json_line
    separator = "\t" if "\t" in first else ","
    names = [name.strip().casefold() for name in _split(first, separator)]
    places = (names.index("url"), names.index("label")) if set(names) >= _HEAD else (0, 1)
    width = len(names) if set(names) >= _HEAD else 2

    def line(number: int, text: str) -> _Line | None:
        if text == first and set(names) >= _HEAD:
            return None
        values = _split(text, separator)
        if len(values) != width:
            return _Line(number, problem=f"{len(values)} columns instead of {width}: {_WRONG}")
        return _Line(number, values[places[0]], values[places[1]])

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
