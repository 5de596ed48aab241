"""The hash of what is stored."""

from __future__ import annotations

import pytest

from webrec.domain.hashing import hash64


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", 0xB4B2797457A0A6E4),
        (b"https://site.example/a", 0x227FEF9D55D3257A),
    ],
)
def test_the_hash_never_changes(content: bytes, expected: int) -> None:
    """Arrays of published generations are searched by it."""
    assert hash64(content) == expected
