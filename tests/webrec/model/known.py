"""The world that these tests load: its URLs, and what the batch made of them."""

from __future__ import annotations

from webrec.bench.oracle import World

A, B, C, D, E = (f"https://site.example/{name}" for name in "abcde")
ODD = "https://site.example/%C3%BC?q=1&r"
WORLD = World(
    category={A: "c1", B: "c1", C: "c2", D: None, E: "c2", ODD: "c1"},
    totals={A: (4, 0), B: (1, 1), C: (4, 0), D: (2, 0)},
    community={"u:ann": "g", "u:bob": "g", "u:eve": "h"},
    profiles={
        "u:ann": {A: (3, 0), D: (1, 0), E: (0, 1)},
        "u:bob": {A: (1, 0), C: (2, 1), D: (1, 0)},
        "u:eve": {A: (0, 1)},
    },
)
"""Two categories and a page without; a community g, and one, h, that has only accepted."""
