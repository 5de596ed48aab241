"""[1] Files on HDFS over WebHDFS: timeouts, retries and the driver's errors in one place.

Names and bytes of files come in and go out; what they mean is the log's business. The NameNode
says where a file's bytes lie; they come from, and go to, its DataNodes. So a machine must reach
both.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import hdfs
import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from webrec.errors import LogUnavailable
from webrec.rawlog import webhdfs_errors as errors
from webrec.rawlog.hdfs_uri import Address
from webrec.rawlog.webhdfs_errors import NotAnswered, NotThere

_CHUNK_BYTES = 1 << 18
"""Bytes that are read of an answer at a time: some thousand lines."""

_LONGEST_PAUSE_S = 5.0
"""Seconds between two attempts at most: a restart of HDFS takes about ten."""

_FOLDER_MODE, _FILE_MODE = "750", "640"
"""Who may read on HDFS: the log holds what visitors did."""

# it writes down itself what it raises
logging.getLogger(hdfs.__name__).setLevel(logging.CRITICAL)

_T = TypeVar("_T")


class Timeouts(NamedTuple):
    """How long to wait for HDFS, and how often to ask it again.

    Attributes:
        connect_s: seconds until a server has taken the connection.
        read_s: seconds until its next bytes.
        attempts: how often what may be repeated is tried.
        pause_s: seconds until the second attempt; twice that until the third, and so on.
    """

    connect_s: float
    read_s: float
    attempts: int = 1
    pause_s: float = 0.0


SHIPPING = Timeouts(3.0, 10.0)
"""For shipping, which is tried again a moment later as a whole."""
READING = Timeouts(3.0, 20.0, attempts=7, pause_s=0.5)
"""For a batch, which has no second chance: it outlives a restart of HDFS (17 s of pauses)."""
STATUS = Timeouts(1.0, 2.0)
"""For figures and farewells, while a request or a process that stops waits for them."""


class File(NamedTuple):
    """A file as HDFS lists it.

    Attributes:
        path: below the folder of `Hdfs`.
        length: bytes.
        number: HDFS's own; another file at the same path has another.
    """

    path: str
    length: int
    number: int


class Hdfs:
    """One folder on HDFS; safe to use from several threads.

    Paths are relative to it. Every call raises `NotAnswered` where HDFS is away, and
    `LogUnavailable` where it refuses.

    Args:
        address: where it is.
        timeouts: how long to wait, and how often to try.

    Attributes:
        address: the same.
    """

    def __init__(self, address: Address, timeouts: Timeouts) -> None:
        self.address = address
        self._timeouts = timeouts
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy for the web does not know the neighbours
        self._client = hdfs.InsecureClient(
            ";".join(f"http://{host}" for host in address.hosts),
            user=address.user,
            root=address.path,
            timeout=(timeouts.connect_s, timeouts.read_s),
            session=self._session,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def names(self, folder: str) -> list[str]:
        """What a folder holds, in no order that means anything; nothing if it is not there."""
        return [name for name, _ in self._listed(folder)]

    def files(self, folder: str) -> dict[str, File]:
        """The files of a folder by name."""
        return {
            name: _file(f"{folder}/{name}", status)
            for name, status in self._listed(folder)
            if status["type"] == "FILE"
        }

    def find(self, path: str) -> File | None:
        """One file; None if it is not there."""
        try:
            return _file(path, self._repeated(lambda: self._client.status(path)))
        except NotThere:
            return None

    def make_folder(self, path: str) -> None:
        """Make a folder, and those above it, unless it is there."""
        self._repeated(lambda: self._client.makedirs(path, permission=_FOLDER_MODE))

    def write(self, path: str, content: Iterable[bytes]) -> None:
        """Write a file, over one that may be there; when it fails, a part may have been written.

        What ``content`` raises comes through.
        """
        with self._errors():
            self._client.write(path, data=content, overwrite=True, permission=_FILE_MODE)

    def move(self, source: str, target: str) -> None:
        """Move a file in one step, to a place where none is."""
        with self._errors():
            self._client.rename(source, target)

    def replace(self, source: str, target: str) -> None:
        """Move a file in one step, over one that may be there."""
        with self._errors():
            # HDFS has always had it, the client has no name for it; a gateway that does not know
            # the option moves as `move` does, and says so
            answer = self._client._rename(
                source, destination=self._client.resolve(target), renameoptions="OVERWRITE"
            )
            if answer.content and not answer.json()["boolean"]:
                raise LogUnavailable(
                    f"{self.address}: {source} cannot replace {target}: name the NameNode itself "
                    "in WEBREC_LOG, not a gateway"
                )

    def check_length(self, path: str, length: int) -> None:
        """Return if a file has arrived whole.

        Raises:
            LogUnavailable: it has another length, in bytes, or is not there.
        """
        found = self.find(path)
        if found is None or found.length != length:
            arrived = 0 if found is None else found.length
            raise LogUnavailable(
                f"{self.address}: {arrived:,} of {length:,} bytes of {path} arrived"
            )

    def remove(self, path: str) -> None:
        """Take away a file, or a folder that holds nothing; or find that it is gone."""
        self._repeated(lambda: self._client.delete(path))

    def read(self, file: File) -> Iterator[bytes]:
        """The bytes of a file, some at a time; a transfer that breaks off is taken up again.

        Raises:
            LogUnavailable: it cannot be had to its last byte, or is not the same file any more.
        """
        done = 0
        while done < file.length:
            for attempt in self._attempts():
                with attempt:
                    before = done
                    try:
                        for chunk in self._from(file, done):
                            done += len(chunk)
                            yield chunk
                    except NotAnswered:
                        if done == before:  # else it goes on, and begins to count anew
                            raise
        if done > file.length:
            raise self._changed(file)

    def _from(self, file: File, offset: int) -> Iterator[bytes]:
        """What comes of a file in one transfer; at least a byte."""
        if offset and self.find(file.path) != file:
            raise self._changed(file)
        got = 0
        with (
            self._errors(),
            self._client.read(file.path, offset=offset, chunk_size=_CHUNK_BYTES) as chunks,
        ):
            for chunk in chunks:
                got += len(chunk)
                yield chunk
        if not got:
            raise NotAnswered(
                f"{self.address}: {file.path} breaks off after {offset:,} of {file.length:,} bytes"
            )

    def _changed(self, file: File) -> LogUnavailable:
        return LogUnavailable(f"{self.address}: {file.path} was changed while it was read")

    def _listed(self, folder: str) -> list[tuple[str, dict[str, Any]]]:
        try:
            return self._repeated(lambda: self._client.list(folder, status=True))
        except NotThere:
            return []

    def _attempts(self) -> Retrying:
        return Retrying(
            stop=stop_after_attempt(self._timeouts.attempts),
            wait=wait_exponential(self._timeouts.pause_s, max=_LONGEST_PAUSE_S),
            retry=retry_if_exception_type(NotAnswered),
            reraise=True,
        )

    def _repeated(self, ask: Callable[[], _T]) -> _T:
        """The answer to a question that may be asked twice."""

        def once() -> _T:
            with self._errors():
                try:
                    return ask()
                except (KeyError, TypeError, ValueError) as error:
                    if isinstance(error, requests.RequestException):
                        raise
                    raise errors.no_webhdfs(self.address) from error

        return self._attempts()(once)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """The one place where the driver's errors become ours."""
        try:
            yield
        except hdfs.HdfsError as error:
            raise errors.refused(self.address, error.exception, error.message) from error
        except requests.JSONDecodeError as error:
            raise errors.no_webhdfs(self.address) from error
        except requests.RequestException as error:
            raise errors.silent(self.address, error) from error


def _file(path: str, status: dict[str, Any]) -> File:
    return File(path, status["length"], status.get("fileId", 0))
