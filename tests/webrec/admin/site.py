"""A small site with categories, communities and users, and how to walk a listing of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from webrec.admin.listing import Listing
from webrec.bench.oracle import World

A, B, C, D, E = (f"https://site.example/{name}" for name in "abcde")
ANN = "u:ann"
WORLD = World(
    category={A: "c1", B: "c1", C: "c2", D: None, E: "c3"},
    totals={A: (4, 0), B: (2, 1), C: (1, 0)},
    community={ANN: "g1", "u:bob": "g1", "u:eve": "g2"},
    profiles={
        ANN: {A: (3, 0), C: (0, 1)},
        "u:bob": {A: (1, 0), B: (2, 1), D: (1, 0)},
        "u:eve": {C: (1, 0)},
    },
)


def walked(part: Callable[[int, str], Listing], limit: int) -> list[dict[str, Any]]:
    """A whole listing, walked in parts of at most ``limit`` items."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        items, after = part(limit, after)
        assert len(items) <= limit
        found += items
    return found
