"""Files and standard input, packed or not, read as lines or whole."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from webrec.documents import iter_ndjson, read_json
from webrec.errors import NotJson, UsageError, WebrecError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STDIN = "-"
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BUFFER = 1 << 20


class BrokenFile(WebrecError):
    """A file that cannot be read to its end."""


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file, or standard input for ``-``; ``.gz`` and ``.zst`` are unpacked as they are read.

    Raises:
        UsageError: there is no such file, or it may not be read.
        BrokenFile: it breaks off, or is not what it begins like.
    """
    try:
        raw = sys.stdin.buffer if name == STDIN else Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error
    try:
        yield _unpacked(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError) as error:
        raise BrokenFile(f"{name}: the packed file is broken or breaks off: {error}") from error
    except OSError as error:
        raise BrokenFile(f"{name}: {error.strerror or error}") from error
    finally:
        if name != STDIN:
            raw.close()


def read_documents(name: str) -> list[object]:
    """The documents of a file: one JSON value, a list of them, or NDJSON.

    A line that is no JSON stands in the list as its `NotJson` error.
    """
    with opened(name) as file:
        body = file.read()
    try:
        found = read_json(body)
    except NotJson:
        if b"\n" not in body.strip():
            raise
        return [document for _, document in iter_ndjson(body)]
    return found if isinstance(found, list) else [found]


def _unpacked(raw: BinaryIO) -> BinaryIO:
    start = raw.peek(4)[:4] if isinstance(raw, io.BufferedReader) else b""
    if start.startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), _BUFFER)
    if start.startswith(_ZSTD):
        return io.BufferedReader(zstd.ZstdFile(raw), _BUFFER)
    return raw
