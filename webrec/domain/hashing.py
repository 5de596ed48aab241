"""A hash that is the same in every process and on every machine, for what is stored."""

from __future__ import annotations

from hashlib import blake2b

_DIGEST_BYTES = 8  # what a uint64 of an array holds


def hash64(content: bytes) -> int:
    """The 64-bit BLAKE2b digest of some bytes, read as a little-endian number.

    Generations and cached files hold such numbers: another function would find nothing in them.
    """
    return int.from_bytes(blake2b(content, digest_size=_DIGEST_BYTES).digest(), "little")
