"""[1] What a log asks of the file system: its errors as ours, and changes that outlive a crash."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webrec.errors import LogUnavailable


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """The one place where the file system's errors become ours.

    Raises:
        LogUnavailable: in place of an `OSError`; it names the path.
    """
    try:
        yield
    except OSError as error:
        raise LogUnavailable(f"{path}: {error.strerror or error}") from error


def replace_file(path: Path, content: bytes) -> None:
    """Write a small file so that a reader sees the old or the new content, never a part."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make durable which names the folder holds."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
