"""The house stays as it is drawn: small files, small classes, and numbers that hold."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hbase_schema import names
from tests.support.docs_from_code import DOCS, ROOT
from webrec.batch import job, lease
from webrec.recording import recorder
from webrec.serving import follower
from webrec.serving import reads as reads_module
from webrec.serving.reads import RowReads

PACKAGES = ("webrec", "service", "clustering", "algorithms", "hbase_schema")
MODULE_LINES = 300
CLASS_LINES = 200
STEPS = re.compile(r"\[[1-6]\]")
ON_THE_WAY = (
    "webrec/rawlog",
    "webrec/recording",
    "webrec/batch",
    "webrec/features",
    "webrec/tables",
    "webrec/model",
    "webrec/serving",
    "clustering",
    "algorithms",
    "service",
)
"""Packages that the data goes through; every module there names its step."""


def modules() -> list[Path]:
    """The modules of the product, but for empty ones."""
    found = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return [path for path in found if path.stat().st_size]


def named(path: Path) -> str:
    """A module as test ids show it."""
    return path.relative_to(ROOT).as_posix()


each_module = pytest.mark.parametrize("path", modules(), ids=named)


@each_module
def test_a_module_can_be_seen_whole(path: Path) -> None:
    """No module has more than 300 lines, no class more than 200."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MODULE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            assert (node.end_lineno or 0) - node.lineno + 1 <= CLASS_LINES, node.name


@each_module
def test_a_module_says_what_it_is(path: Path) -> None:
    """Its first line is a sentence; on the way of the data it names its step."""
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert doc is not None
    first = doc.split("\n\n", 1)[0]
    assert first.endswith((".", ":")), first
    if named(path).startswith(ON_THE_WAY):
        assert STEPS.search(first), first


def numbers() -> dict[str, float]:
    """The numbers of the page, by what it says they are of."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([\d.,]+) \|$", text.partition("## Numbers")[2], re.M)
    return {of: float(number.replace(",", "")) for of, number in rows}


def test_the_numbers_are_those_of_the_code() -> None:
    """What the page says of tables, reads and times is what the code does."""
    reads = [name for name in vars(RowReads) if not name.startswith("_") and name != "has_time"]
    assert numbers() == {
        "tables of a generation": len(names.KINDS),
        "tables beside them": len(names.FIXED),
        "row reads of a request, at most": len(reads),
        "seconds that a cut waits for writers": job.CUT_WAIT_S,
        "term of the batch's lease, in seconds": lease.TERM_S,
        "seconds between two looks at the counters": follower._EVERY_S,
        "seconds between two flushes": recorder._FLUSH_EVERY_S,
        "events that may wait in a worker's memory": recorder._MAX_PENDING,
        "failures in a row after which a worker asks the store no more": reads_module._FAILURES,
    }


def test_the_rooms_are_those_of_the_page() -> None:
    """Every package is in the page's list, and every one in the list is there."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("## The rooms")[2].partition("## ")[0]
    listed = {
        name for row in re.findall(r"^\| (`.*?`) \|", table, re.M) for name in row.split(", ")
    }
    rooms = {package for package in PACKAGES if package != "webrec"}
    rooms |= {f"webrec.{p.parent.name}" for p in (ROOT / "webrec").glob("*/__init__.py")}
    assert {name.strip("`") for name in listed} == rooms | {"webrec.charts"}
