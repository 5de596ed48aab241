"""Files and standard input, packed or not, read as lines or whole."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from webrec.errors import NotJson, UsageError, WebrecError
from webrec.formats.json import BYTE_ORDER_MARK, iter_ndjson, read_json

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STDIN = "-"
"""The name that stands for standard input."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
"""The first bytes of a file packed by gzip, and of one packed by zstd."""

_BUFFER = 1 << 20
"""Bytes that are unpacked, or skipped, at a time."""


class BrokenFile(WebrecError):
    """A file that breaks off, or is damaged."""


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file, or standard input for ``-``; ``.gz`` and ``.zst`` are unpacked as they are read.

    Raises:
        UsageError: the file does not exist, or may not be read.
        BrokenFile: it breaks off, or is packed wrongly.
    """
    try:
        raw = sys.stdin.buffer if name == STDIN else Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error
    try:
        yield _unpacked(raw, name)
    except (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError) as error:
        raise BrokenFile(f"{name}: the packed file is broken or breaks off: {error}") from error
    except OSError as error:
        raise BrokenFile(f"{name}: {error.strerror or error}") from error
    finally:
        if name != STDIN:
            raw.close()


def check_files(names: tuple[str, ...]) -> None:
    """Returns if every file can be opened, so that no work is begun that cannot be finished.

    Raises:
        UsageError: a file does not exist, or may not be read.
    """
    for name in names:
        if name != STDIN:
            with opened(name):
                pass


def lines_of(file: BinaryIO, longest: int, too_long: Callable[[int], None]) -> Iterator[bytes]:
    """The lines of a file in bounded memory.

    Args:
        file: see `opened`.
        longest: bytes of the longest line that is read.
        too_long: called with the number (from 1) of each longer one; a blank line takes its place.
    """
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = file.readline(_BUFFER)
            too_long(number)
            line = b"\n"
        yield line


def read_documents(name: str) -> list[object]:
    """The documents of a file: one JSON value, a list of them, or NDJSON.

    A line that is no JSON stands in the list as its `NotJson` error.

    Raises:
        NotJson: the file as a whole is none of these.
    """
    with opened(name) as file:
        body = file.read()
    try:
        found = read_json(body)
    except NotJson as error:
        documents = [document for _, document in iter_ndjson(body)]
        # where no line is a document by itself it is one document, broken somewhere
        is_list = body.removeprefix(BYTE_ORDER_MARK).lstrip().startswith(b"[")
        if is_list or not any(isinstance(document, dict) for document in documents):
            raise NotJson(f"{name}: {error}") from error
        return documents
    return found if isinstance(found, list) else [found]


class _Pieces(io.RawIOBase):
    """A packed file, unpacked a piece at a time: what comes before a damage is read first."""

    def __init__(self, packed: gzip.GzipFile | zstd.ZstdFile) -> None:
        self._packed = packed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._packed.read1(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _unpacked(raw: BinaryIO, name: str) -> BinaryIO:
    """The file unpacked, by its first bytes; where they do not tell, by its name."""
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]
    start = buffered.peek(len(_ZSTD))
    if start.startswith(_GZIP) or (start and name.endswith(".gz")):
        return io.BufferedReader(_Pieces(gzip.GzipFile(fileobj=buffered)), _BUFFER)
    if start.startswith(_ZSTD) or (start and name.endswith((".zst", ".zstd"))):
        return io.BufferedReader(_Pieces(zstd.ZstdFile(buffered)), _BUFFER)
    return buffered
