"""[6] API keys: a file of names, scopes and hashes; the keys themselves are nowhere.

A key has 256 random bits, so one round of SHA-256 is as good as a slow hash would be.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from webrec.errors import Conflict, NotFound, UsageError

SCOPES = ("serve", "ingest", "admin")

_PREFIX = "wr_"
"""How every key begins, so that one in the wrong place is recognised."""

_RECHECK_S = 0.5
"""How old a look at the file may be; every request looks, and a look costs a system call."""

_MAX_NAME_CHARS = 128
"""The longest name."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """What the file has of one key.

    Attributes:
        created_ms: when the key was made.
        sha256: of the key, in hexadecimal digits.
    """

    name: str
    scopes: tuple[str, ...]
    created_ms: int
    sha256: str


class KeyFile:
    """The keys in one file, read again when the file changes.

    Args:
        path: need not exist; then there are no keys.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._checked_at = float("-inf")
        self._stamp: tuple[int, int, int] | None = None
        self._by_hash: dict[str, frozenset[str]] = {}

    def any_keys(self) -> bool:
        """Whether there is a key, and so every request needs one.

        Raises:
            UsageError: the file cannot be read; no request may come in.
        """
        self._refresh()
        return bool(self._by_hash)

    def scopes_of(self, key: str) -> frozenset[str] | None:
        """The scopes of a key; None for one that is not in the file.

        Raises:
            UsageError: the file cannot be read; no request may come in.
        """
        self._refresh()
        # looked up by its hash: how long that takes says nothing of the keys
        return self._by_hash.get(_hash(key))

    def entries(self) -> list[KeyEntry]:
        """The keys, in the order they were made."""
        return self._read()

    def add(self, name: str, scopes: Sequence[str]) -> str:
        """Make a key and return it: the file has only its hash, so it cannot be shown again.

        Raises:
            Conflict: there is a key of this name.
            UsageError: the name is empty, too long or not printable; a scope is unknown, or none is
                given.
        """
        if not name.isprintable() or not name.strip() or len(name) > _MAX_NAME_CHARS:
            raise UsageError(f"a key's name has 1 to {_MAX_NAME_CHARS} printable characters")
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise UsageError(f"the scopes are {', '.join(SCOPES)}: name at least one of them")
        key = _PREFIX + secrets.token_urlsafe(32)
        ordered = tuple(scope for scope in SCOPES if scope in scopes)
        with self._locked():
            entries = self._read()
            if any(entry.name == name for entry in entries):
                raise Conflict(f"there is a key named {name!r}: revoke it first, or take another")
            now_ms = time.time_ns() // 1_000_000
            self._write([*entries, KeyEntry(name, ordered, now_ms, _hash(key))])
        return key

    def revoke(self, name: str) -> None:
        """Take a key away.

        Raises:
            NotFound: there is no key of this name.
        """
        with self._locked():
            entries = self._read()
            kept = [entry for entry in entries if entry.name != name]
            if len(kept) == len(entries):
                raise NotFound(f"there is no key named {name!r}: `webrec keys list` shows them")
            self._write(kept)

    def _refresh(self) -> None:
        """Look at the file twice a second at most."""
        now = time.monotonic()
        if now - self._checked_at < _RECHECK_S:
            return
        stamp = self._stamp_now()
        if stamp != self._stamp:
            entries = self._read()
            self._by_hash = {entry.sha256: frozenset(entry.scopes) for entry in entries}
            self._stamp = stamp
        self._checked_at = now

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error) from error
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _read(self) -> list[KeyEntry]:
        try:
            document = orjson.loads(self._path.read_bytes())
            return [
                KeyEntry(k["name"], tuple(k["scopes"]), k["created_ms"], k["sha256"])
                for k in document["keys"]
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> UsageError:
        return UsageError(
            f"the key file {self._path} cannot be read ({type(error).__name__}): nobody is let in "
            "until it is mended, or removed and made anew by `webrec keys add`"
        )

    def _write(self, entries: list[KeyEntry]) -> None:
        temporary = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}.new")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(fd, "wb") as out:  # noqa: PTH123 - a descriptor, so that no one reads it first
            out.write(orjson.dumps({"keys": entries}, option=orjson.OPT_INDENT_2))
            out.flush()
            os.fsync(fd)
        temporary.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = self._path.with_name(self._path.name + ".lock").open("ab")
        except OSError as error:
            raise UsageError(f"{self._path} cannot be written: {error.strerror}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _hash(key: str) -> str:
    return sha256(key.encode(errors="surrogatepass")).hexdigest()
