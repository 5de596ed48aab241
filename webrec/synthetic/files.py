"""A synthetic world as four files: a `WorldSpec` in; pages, visits, campaigns and requests out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import orjson

from webrec.domain.progress import Progress, no_progress
from webrec.synthetic.campaigns import campaigns
from webrec.synthetic.events import pages, visits
from webrec.synthetic.requests import requests
from webrec.synthetic.spec import WorldSpec
from webrec.synthetic.words import Document

CHUNK = 2_000
"""Documents written at a time: some hundred kilobytes in memory."""


@dataclass(frozen=True, slots=True)
class WorldFiles:
    """The files of a world, and how many documents each holds, by its name."""

    pages: Path
    visits: Path
    campaigns: Path
    requests: Path
    documents: Mapping[str, int]


def generate(spec: WorldSpec, out: Path, progress: Progress = no_progress) -> WorldFiles:
    """Write a world into a folder, which is made where there is none; its files are replaced.

    Args:
        spec: what to make.
        out: the folder.
        progress: is called with a file's name, how many of its documents are written, and of how
            many.

    Returns:
        Where the files are, and how many documents each holds.
    """
    out.mkdir(parents=True, exist_ok=True)
    counts = {
        "pages": spec.urls,
        "visits": spec.events,
        "campaigns": spec.campaigns,
        "requests": spec.requests,
    }
    files = WorldFiles(
        pages=out / "pages.ndjson",
        visits=out / "visits.ndjson",
        campaigns=out / "campaigns.json",
        requests=out / "requests.ndjson",
        documents=counts,
    )

    def write(path: Path, documents: Iterator[Document]) -> None:
        _write(path, documents, counts[path.stem], progress)

    write(files.pages, pages(spec))
    write(files.visits, visits(spec))
    write(files.campaigns, campaigns(spec))
    write(files.requests, requests(spec, spec.requests))
    return files


def _write(path: Path, documents: Iterator[Document], total: int, progress: Progress) -> None:
    """One document a line; a ``.json`` file is a list of them."""
    start, between, end = (
        (b"[\n", b",\n", b"\n]\n") if path.suffix == ".json" else (b"", b"\n", b"\n")
    )
    done = 0
    with path.open("wb") as file:
        file.write(start)
        while chunk := list(islice(documents, CHUNK)):
            file.write((between if done else b"") + between.join(map(orjson.dumps, chunk)))
            done += len(chunk)
            progress(path.name, done, total)
        file.write(end)
