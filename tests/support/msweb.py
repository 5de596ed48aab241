"""The Anonymous Microsoft Web Data (Breese, Heckerman and Kadie) as events of a log.

``python -m tests.support.msweb FOLDER`` writes them as NDJSON, for `webrec ingest`.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from webrec.domain.types import Event
from webrec.domain.urls import canonical

SITE = "http://www.microsoft.com"
_STEP_MS, _CASE_MS = 1_000, 60_000
NOW_MS = 887_000_000_000  # a week of February 1998; the data give no times


def read(folder: Path) -> tuple[dict[int, tuple[str, str]], list[list[int]]]:
    """The areas of the site, and which of them each case visited.

    Args:
        folder: of all test data.

    Returns:
        Title and path by area, and the areas of each case, in its order.
    """
    areas: dict[int, tuple[str, str]] = {}
    cases: list[list[int]] = []
    file = folder / "msweb" / "anonymous-msweb.data"
    with file.open(encoding="latin-1", newline="") as lines:
        for kind, *fields in csv.reader(lines):
            if kind == "A":
                areas[int(fields[0])] = (fields[2], fields[3])
            elif kind == "C":
                cases.append([])
            elif kind == "V":
                cases[-1].append(int(fields[0]))
    return areas, cases


def events(folder: Path) -> Iterator[Event]:
    """Every area as a page with its title, then every vote as a visit.

    The data have no times: each case's visits follow each other, and the cases one another, in
    the order of the file.
    """
    areas, cases = read(folder)
    url = {area: canonical(SITE + path) for area, (_, path) in areas.items()}
    for area, (title, _) in areas.items():
        yield Event("page", url[area], None, NOW_MS, title=title)
    for number, case in enumerate(cases):
        for place, area in enumerate(case):
            at_ms = NOW_MS + number * _CASE_MS + place * _STEP_MS
            yield Event("visit", url[area], f"u:{number}", at_ms)


def main() -> None:
    """Write them to standard output."""
    for event in events(Path(sys.argv[1])):
        document = {"type": event.kind, "url": event.url, "timestamp": event.at_ms}
        document |= {"title": event.title} if event.title else {}
        document |= {"user": event.visitor[2:]} if event.visitor else {}
        sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
