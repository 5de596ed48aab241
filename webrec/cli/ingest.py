"""`webrec ingest`: files into the raw log."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import click

from webrec.cli.command import command
from webrec.cli.engine import engine_of
from webrec.cli.output import as_json, print_error, print_json, print_note, print_table
from webrec.cli.progress import progress_bar
from webrec.cli.settings import PLACES
from webrec.cli.stopping import undisturbed
from webrec.config import Settings
from webrec.domain.progress import Progress
from webrec.domain.types import Event
from webrec.errors import InputError, UsageError, WebrecError
from webrec.formats.files import STDIN, check_files, lines_of, opened

if TYPE_CHECKING:
    from webrec.recording.recorder import Recorder

_SHOWN = 20
_BATCH = 5_000
_LONGEST_LINE = 256 * 1024


@dataclass(slots=True)
class _Report:
    """What became of the lines of one file."""

    file: str
    lines: int = 0
    accepted: int = 0
    bots: int = 0
    rejected: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, object]] = field(default_factory=list)
    failure: str | None = None

    def reject(self, line: int, reason: str) -> None:
        """Count a broken line, and keep the first ones in full."""
        self.rejected += 1
        if len(self.problems) < _SHOWN:
            self.problems.append({"line": line, "reason": reason})


@command(
    short="Load visits and pages from files into the raw log.",
    reads=(*PLACES, "segment_bytes"),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["ndjson", "combined"]),
    default="ndjson",
    show_default=True,
    help="Read event documents (ndjson), or an access log of Apache or nginx (combined).",
)
@click.option(
    "--site", metavar="URL", help="Take this site for that of an access log: https://example.org"
)
@click.option("--strict", is_flag=True, help="Exit with 1 if any line is broken.")
@as_json
def ingest(
    settings: Settings,
    files: tuple[str, ...],
    format_: str,
    site: str | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Load visits, accepts and descriptions of pages into the raw log.

    FILE may be compressed (.gz, .zst), or - for standard input. A broken line is counted and
    reported, and stops nothing.
    """
    if format_ == "combined" and site is None:
        raise UsageError("an access log does not name its site: add --site https://example.org")
    if format_ == "ndjson" and site is not None:
        raise UsageError(
            "event documents name their URLs in full: --site goes with --format combined"
        )
    if site is not None:
        _check_site(site)
    check_files(files)
    started = time.monotonic()
    reports: list[_Report] = []
    try:
        with engine_of(settings) as engine, progress_bar() as progress:
            for name in files:
                reports.append(_Report(name))
                _load(engine.recorder, site, reports[-1], progress)
    finally:  # stopped in the middle, too, what is on disk by then is reported
        if reports:
            _show(reports, time.monotonic() - started, as_json=as_json)
    if any(r.failure for r in reports) or (strict and any(r.rejected for r in reports)):
        raise click.exceptions.Exit(1)


def _check_site(site: str) -> None:
    from webrec.domain.urls import canonical
    from webrec.errors import UrlError

    try:
        canonical(site)
    except UrlError as error:
        raise UsageError(f"--site {site}: {error}") from error


def _load(recorder: Recorder, site: str | None, report: _Report, progress: Progress) -> None:
    """Load one file; what was good before a failure is kept."""
    try:
        with opened(report.file) as file:
            lines = _counted(file, report)
            events = _ndjson(lines, report) if site is None else _combined(lines, site, report)
            _record(recorder, events, report, progress)
    except WebrecError as error:
        report.failure = str(error)


def _record(
    recorder: Recorder, events: Iterator[Event], report: _Report, progress: Progress
) -> None:
    """Write events in large batches; what was read before a failure is kept."""
    batch: list[Event] = []

    def write() -> None:
        with undisturbed():
            taken = batch.copy()
            batch.clear()  # what fails half-way is not tried again: it could be in the log twice
            if taken:
                recorder.record(taken)
                report.accepted += sum(not event.bot for event in taken)
                report.bots += sum(event.bot for event in taken)
                recorder.roll()
                recorder.flush()
        progress(f"loading {report.file}", report.lines, 0)

    try:
        for event in events:
            batch.append(event)
            if len(batch) >= _BATCH:
                write()
    finally:
        write()


def _counted(file: BinaryIO, report: _Report) -> Iterator[bytes]:
    """The lines, counted as they are read."""
    too_long = "the line is longer than 256 KiB"
    lines = lines_of(file, _LONGEST_LINE, lambda number: report.reject(number, too_long))
    for number, line in enumerate(lines, 1):
        report.lines = number
        yield line


def _ndjson(lines: Iterator[bytes], report: _Report) -> Iterator[Event]:
    from webrec.formats.events import parse_event
    from webrec.formats.json import read_json

    for line in lines:
        if line.isspace():
            continue
        try:
            yield parse_event(read_json(line), time.time_ns() // 1_000_000)
        except InputError as error:
            report.reject(report.lines, str(error))


def _combined(lines: Iterator[bytes], site: str, report: _Report) -> Iterator[Event]:
    from webrec.formats.access_log import BrokenLine, Skipped, read_combined
    from webrec.formats.times import DAY_MS

    for found in read_combined(lines, site):
        if isinstance(found, Skipped):
            report.skipped[found.reason] += 1
        elif isinstance(found, BrokenLine):
            report.reject(found.line, found.reason)
        elif found.at_ms > time.time_ns() // 1_000_000 + DAY_MS:
            report.reject(report.lines, "the time is more than a day ahead of now")
        else:
            yield found


def _show(reports: list[_Report], seconds: float, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "files": [
                    {
                        "file": r.file,
                        "lines": r.lines,
                        "accepted": r.accepted,
                        "bots": r.bots + r.skipped["bot"],
                        "rejected": r.rejected,
                        "skipped": dict(r.skipped),
                        "problems": r.problems,
                        "failure": r.failure,
                    }
                    for r in reports
                ],
                "seconds": round(seconds, 3),
            }
        )
        return
    for report in reports:
        for problem in report.problems:
            print_note(f"{report.file}:{problem['line']}: {problem['reason']}")
        if report.rejected > len(report.problems):
            print_note(f"{report.file}: … and {report.rejected - len(report.problems):,} more")
        if report.failure:
            print_error(report.failure)
    rows = [
        (
            "standard input" if r.file == STDIN else r.file,
            r.lines,
            r.accepted,
            r.bots + r.skipped["bot"],
            r.rejected,
            ", ".join(f"{n:,} {why}" for why, n in r.skipped.most_common() if why != "bot") or "–",
        )
        for r in reports
    ]
    print_table(("file", "lines", "accepted", "of bots", "broken", "no page view"), rows)
    print_note(f"{seconds:.1f} s; everything accepted is on disk. Next: webrec batch")
