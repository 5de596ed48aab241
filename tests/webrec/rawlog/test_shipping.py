"""Segments are shipped to HDFS: every event gets there once, whichever process dies on the way."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.webhdfs import How, WebHdfs
from tests.webrec.rawlog.hdfs_logs import (
    Opener,
    events,
    nothing,
    shipped,
    urls,
    visits,
    write,
)
from webrec.domain.types import Event
from webrec.errors import LogUnavailable
from webrec.rawlog import shipping
from webrec.rawlog.local import LocalLog


def test_what_was_written_comes_back_from_hdfs(anywhere: Opener) -> None:
    """Every record as it was; the spool is empty then, and still open segments stay there."""
    log = anywhere()
    closed, empty, left = log.begin(), log.begin(), log.begin()
    records = closed.append([*visits(3), Event("page", "https://site.example/ü", None, 0)], 5)
    records += closed.append(visits(1), 6)
    left.append(visits(1), 1)
    closed.close()
    empty.close()
    log.ship()
    assert list(log.read(closed.name)) == records
    assert log.open_segments() == [left.name]
    assert log.closed_segments() == [closed.name]
    assert log.unshipped().segments == 0
    assert log._spool.closed_segments() == []
    left.close()


def test_a_spool_says_what_it_has_sent(machine: Opener, hdfs: WebHdfs) -> None:
    """One mark for each spool: all before an epoch; none for a machine without events."""
    log, idle = machine(), machine("idle")
    idle.ship()
    assert hdfs.folders("/log/spools") == []
    write(log)
    log.ship()
    spool = log._spool.spool()
    assert hdfs.folders("/log/spools") == [f"{spool}.00000000"]
    for expected in (1, 2):
        idle.cut(0, nothing)
        log.ship()
        idle.ship()
        assert log.epoch() == idle.epoch() == expected
        assert hdfs.folders("/log/spools") == [f"{spool}.{expected:08d}"]
    assert hdfs.folders("/log/epochs") == ["00000001", "00000002"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["before", "after", "half", "standby"])
def test_whatever_request_fails_the_next_process_goes_on(
    machine: Opener, hdfs: WebHdfs, how: How
) -> None:
    """Lost requests, lost answers, half of a file: in the end every event is there once."""
    for step in itertools.count():
        folder, name = f"/log{step}", f"machine{step}"
        log = machine(name, uri=hdfs.uri(folder))
        write(log, 200, "u:ann")
        log._spool.raise_epoch(1)
        write(log, 200, "u:bob")
        hdfs.fail(how, after=step)
        log.ship()
        failed = hdfs.heal()
        heir = machine(name, uri=hdfs.uri(folder))
        assert failed == (heir.unshipped().why != "")
        heir.ship()
        assert events(heir) == urls(visits(200, "u:ann"), visits(200, "u:bob"))
        assert heir.unshipped() == (str(heir._spool.folder), 0, 0, "", 0)
        assert [f for f in hdfs.files(folder) if not f.startswith("closed/")] == []
        assert f"{heir._spool.spool()}.00000001" in hdfs.folders(f"{folder}/spools")
        if not failed:
            break
    assert step > 15


def test_a_file_that_arrives_short_is_sent_again(machine: Opener, hdfs: WebHdfs) -> None:
    """However content the server is with what it got."""
    log = machine()
    write(log, 200)
    hdfs.fail("short", node="datanode", operation="CREATE")
    log.ship()
    assert log.unshipped().segments == 1
    assert hdfs.files("/log/closed") == {}
    log.ship()
    assert events(log) == urls(visits(200))


_SHIPPER = """
import sys
from pathlib import Path
from webrec.rawlog import open_log
log = open_log(sys.argv[1], Path(sys.argv[2]))
while True:
    log.ship()
    print(len(log._spool.closed_segments()), flush=True)
"""


@pytest.mark.slow
def test_killed_shippers_lose_and_double_nothing(machine: Opener, hdfs: WebHdfs) -> None:
    """After many a `kill -9` in the middle, every event is there once."""
    log = machine()
    for n in range(100):
        write(log, 20, f"u:{n}")
    command = [sys.executable, "-c", _SHIPPER, hdfs.uri(), str(log._spool.folder)]
    before = sum(operation == "RENAME" for operation, _ in hdfs.asked)
    for n in range(4):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as shipper:
            while sum(operation == "RENAME" for operation, _ in hdfs.asked) < before + 3 + n:
                time.sleep(0.005)
            shipper.kill()
        before = sum(operation == "RENAME" for operation, _ in hdfs.asked)
    assert log.unshipped().segments > 0
    log.ship()
    assert events(log) == urls(*(visits(20, f"u:{n}") for n in range(100)))
    assert log.unshipped().segments == 0


@pytest.mark.slow
def test_processes_of_one_spool_take_turns(machine: Opener, hdfs: WebHdfs) -> None:
    """While several ship what a writer writes, each segment is sent once."""
    log = machine()
    command = [sys.executable, "-c", _SHIPPER, hdfs.uri(), str(log._spool.folder)]
    shippers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        for shipper in shippers:
            assert shipper.stdout is not None
            shipper.stdout.readline()
        names = [write(log, 5, f"u:{n}") for n in range(40)]
        while log.unshipped().segments:
            time.sleep(0.01)
    finally:
        for shipper in shippers:
            shipper.kill()
            shipper.communicate()
    assert shipped(log) == sorted(names)
    moved = Counter(path for operation, path in hdfs.asked if operation == "RENAME")
    assert set(moved.values()) == {1}
    assert len(moved) == 40


def test_a_file_of_another_size_is_left_to_people(machine: Opener, hdfs: WebHdfs) -> None:
    """Nothing is overwritten or thrown away where both ends differ; the others are sent."""
    log = machine()
    name, other = write(log), write(log)
    hdfs.put(f"/log/closed/{name}.ndjson", b"short")
    log.ship()
    waiting = log.unshipped()
    assert waiting.segments == 1
    assert "5 bytes" in waiting.why
    assert shipped(log) == [name, other]
    assert hdfs.files("/log/closed")[f"{name}.ndjson"] == b"short"


def test_shipping_ends_when_it_is_told_to(machine: Opener) -> None:
    """Between two segments or in the middle of one; what is on its way is sent again."""
    log = machine()
    for n in range(3):
        write(log, 10_000, f"u:{n}")
    asked = itertools.count()
    log.ship(lambda: next(asked) > 6)
    assert log.unshipped()[1:] == (2, log.unshipped().bytes, "", 0)
    log.ship(lambda: True)
    assert log.unshipped().segments == 2
    log.ship()
    assert events(log) == urls(*(visits(10_000, f"u:{n}") for n in range(3)))


def test_a_log_that_was_a_folder_is_shipped(machine: Opener, tmp_path: Path) -> None:
    """Its epochs go on, on all machines, so that what was read of it stays read."""
    folder = LocalLog(tmp_path / "one")
    old = folder.begin()
    old.append(visits(2), 1)
    for _ in range(5):
        watermark = folder.cut(0, nothing)
        if watermark.is_complete:
            break
        old.close()
    left = folder.begin()
    left.append(visits(1, "u:bob"), 1)
    log = machine()
    log.ship()
    assert log.covered_by(watermark) == [old.name]
    left.close()
    after = machine("elsewhere").cut(60, log.ship)
    assert after.is_complete
    assert log.covered_by(after) == [old.name, left.name]


@pytest.mark.parametrize("emptied", [False, True])
def test_what_was_rewritten_is_not_sent_again(
    machine: Opener, hdfs: WebHdfs, emptied: bool
) -> None:
    """A process that died between sending a segment and dropping it does not bring it back."""
    log = machine()
    segment = log.begin()
    segment.append([*visits(5, "u:gone"), *visits(0 if emptied else 2)], 5)
    segment.close()
    content = log._spool.path(segment.name).read_bytes()
    watermark = log.cut(60, nothing)
    log.covered_by(watermark)
    log.rewrite(segment.name, lambda r: r.event.visitor != "u:gone")
    log._spool.path(segment.name).write_bytes(content)  # as if it had died there
    heir = machine()
    heir.ship()
    assert heir.unshipped() == (str(heir._spool.folder), 0, 0, "", 0)
    assert b"u:gone" not in b"".join(hdfs.files("/log").values())
    assert len(list(heir.read(segment.name))) == (0 if emptied else 2)


# --- HDFS is away -----------------------------------------------------------------------------


def test_hdfs_away_costs_nothing_but_backlog(machine: Opener, hdfs: WebHdfs) -> None:
    """Events are taken; what waits can be asked for, and goes when HDFS is back."""
    log = machine()
    write(log, by="u:before")
    log.ship()
    hdfs.stop()
    started = time.time()
    for n in range(5):
        log.check()
        write(log, by=f"u:{n}")
        log.ship()
    waiting = log.unshipped()
    assert waiting.segments == 5
    assert waiting.bytes == sum(map(log._spool.size, log._spool.closed_segments())) > 0
    assert waiting.why == f"{hdfs.uri()} does not answer (Connection refused)"
    assert started <= waiting.since <= time.time()
    assert f"for 7 s: {waiting.why}" in waiting.in_words(waiting.since + 7)
    assert machine().unshipped() == waiting
    with pytest.raises(LogUnavailable, match="does not answer"):
        log.closed_segments()
    hdfs.start()
    log.ship()
    assert events(log) == urls(visits(3, "u:before"), *(visits(3, f"u:{n}") for n in range(5)))
    assert log.unshipped().why == ""


def test_attempts_are_spaced(
    machine: Opener, hdfs: WebHdfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failure no process of the spool asks before the pause is over."""
    log = machine()
    write(log)
    hdfs.fail("before", times=1_000)
    now = time.time()
    monkeypatch.setattr(shipping, "_LONGEST_PAUSE_S", 10.0)
    monkeypatch.setattr("webrec.rawlog.shipping.time.time", lambda: now)
    log.ship()
    hdfs.heal()
    for seconds, is_asked in ((0, False), (1.9, False), (2.1, True)):
        monkeypatch.setattr("webrec.rawlog.shipping.time.time", lambda at=now + seconds: at)
        machine().ship()
        assert (hdfs.asked != []) == is_asked
    assert log.unshipped().segments == 0


def test_the_spool_is_a_disk_like_any(machine: Opener, tmp_path: Path) -> None:
    """Where the spool cannot be written, the log cannot."""
    log = machine()
    (tmp_path / "one" / "open").rmdir()
    with pytest.raises(LogUnavailable):
        log.begin()
    with pytest.raises(LogUnavailable):
        log.check()


# --- spools at rest ---------------------------------------------------------------------------


def test_no_cut_waits_for_a_spool_at_rest(machine: Opener, hdfs: WebHdfs) -> None:
    """The last process of a spool lets it rest when nothing is left there."""
    log, other, batch = machine(), machine(), machine("batch")
    names = [write(log)]
    for each in (log, other):
        each.ship()
    spool = log._spool.spool()
    log.close()
    assert hdfs.folders("/log/spools") == [f"{spool}.00000000"]
    other.close()
    assert hdfs.folders("/log/spools") == [f"{spool}.00000000", f"{spool}.rest"]
    for _ in range(2):
        watermark = batch.cut(600, nothing)
        assert watermark.is_complete
        assert batch.covered_by(watermark) == names

    woken = machine()
    woken.ship()
    assert f"{spool}.rest" in hdfs.folders("/log/spools")
    segment = woken.begin()
    segment.append(visits(1), 1)
    woken.ship()
    assert f"{spool}.rest" not in hdfs.folders("/log/spools")
    assert not batch.cut(0, nothing).is_complete
    segment.close()
    following = batch.cut(600, woken.ship)
    assert following.is_complete
    assert batch.covered_by(following) == [*names, segment.name]


def test_a_spool_that_holds_something_does_not_rest(machine: Opener, hdfs: WebHdfs) -> None:
    """A segment that was left open, or not sent, is waited for."""
    log = machine()
    write(log)
    log.ship()
    left = log.begin()
    log.close()
    left.close()
    again = machine()
    again.ship()
    write(again)
    again.close()
    assert [mark for mark in hdfs.folders("/log/spools") if "rest" in mark] == []
