"""Logs on HDFS as the processes of several machines have them, and what is on it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from webrec.domain.types import Event
from webrec.rawlog import Watermark, open_log
from webrec.rawlog.hdfs import HdfsLog
from webrec.rawlog.hdfs_marks import current_files

Opener = Callable[..., HdfsLog]


@contextmanager
def machines(folder: Path, uri: str) -> Iterator[Opener]:
    """Opens a log as processes of machines do, by the machine's name; closes it at the end."""
    made: list[HdfsLog] = []

    def opener(name: str = "one", uri: str = uri) -> HdfsLog:
        log = open_log(uri, folder / name)
        assert isinstance(log, HdfsLog)
        made.append(log)
        return log

    try:
        yield opener
    finally:
        for log in made:
            log.close()


def visits(count: int, by: str = "u:ann") -> list[Event]:
    """So many events, told apart by their URLs."""
    return [Event("visit", f"https://site.example/{by}/{n}", by, n) for n in range(count)]


def write(log: HdfsLog, count: int = 3, by: str = "u:ann") -> str:
    """One closed segment in the spool; its name."""
    segment = log.begin()
    segment.append(visits(count, by), 1)
    segment.close()
    return segment.name


def shipped(log: HdfsLog) -> list[str]:
    """The segments on HDFS, whatever a watermark says."""
    return sorted(current_files(log._reading.files("closed")))


def events(log: HdfsLog, watermark: Watermark | None = None) -> Counter[str]:
    """How often each URL is on HDFS, up to a watermark where one is given."""
    names = shipped(log) if watermark is None else log.covered_by(watermark)
    return Counter(record.event.url for name in names for record in log.read(name))


def urls(*each: list[Event]) -> Counter[str]:
    """The URLs of events, each once."""
    return Counter(event.url for some in each for event in some)


def nothing() -> None:
    """Close no segment while a cut waits."""


@contextmanager
def keeps_shipping(*logs: HdfsLog) -> Iterator[None]:
    """Other processes, which follow the epoch and ship in the background."""
    done = threading.Event()

    def go_on(log: HdfsLog) -> None:
        while not done.wait(0.02):
            log.ship()

    threads = [threading.Thread(target=go_on, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
