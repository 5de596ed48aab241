"""The raw log on HDFS: every event gets there once, whoever dies on the way."""

from __future__ import annotations

import itertools
import multiprocessing
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
import requests

from service.app import create_app
from tests.support.webhdfs import How, Refused, WebHdfs
from tests.support.worlds import batch, ingest_known, opened, seen
from webrec.admin import admin
from webrec.batch import job
from webrec.domain.types import Event
from webrec.errors import LogUnavailable, UsageError
from webrec.rawlog import Watermark, epoch_of, hdfs_marks, hdfs_uri, open_log, webhdfs
from webrec.rawlog import shipping as hdfslog
from webrec.rawlog.hdfs import HdfsLog
from webrec.rawlog.local import LocalLog
from webrec.recording import recorder
from webrec.recording.recorder import Recorder
from webrec.storage import open_store
from webrec.tables.tables import Tables

if TYPE_CHECKING:
    from tests.support.cluster import Cluster

Opener = Callable[..., HdfsLog]


@pytest.fixture
def hdfs() -> Iterator[WebHdfs]:
    """A running HDFS without anything on it."""
    with WebHdfs() as hdfs:
        yield hdfs


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pauses between two attempts, nor waits for a server as long as outside of tests."""
    for name in ("SHIPPING", "STATUS"):
        monkeypatch.setattr(webhdfs, name, webhdfs.Timeouts(10.0, 10.0))
    monkeypatch.setattr(webhdfs, "READING", webhdfs.Timeouts(10.0, 10.0, 4, 0.01))
    monkeypatch.setattr(hdfslog, "_LONGEST_PAUSE_S", 0.0)


@pytest.fixture
def machine(tmp_path: Path, hdfs: WebHdfs, impatient: None) -> Iterator[Opener]:
    """Opens the log as a process of a machine does, by the machine's name."""
    with _machines(tmp_path, hdfs.uri()) as opener:
        yield opener


@contextmanager
def _machines(folder: Path, uri: str) -> Iterator[Opener]:
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
    return sorted(hdfs_marks.current_files(log._reading.files("closed")))


def events(log: HdfsLog, watermark: Watermark | None = None) -> Counter[str]:
    """How often each URL is on HDFS, up to a watermark where one is given."""
    names = shipped(log) if watermark is None else log.covered_by(watermark)
    return Counter(record.event.url for name in names for record in log.read(name))


def urls(*each: list[Event]) -> Counter[str]:
    """The URLs of events, each once."""
    return Counter(event.url for some in each for event in some)


def nothing() -> None:
    """Settle nothing."""


# --- opening ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "user", "hosts", "path"),
    [
        ("hdfs://nn:9870/webrec/log", "webrec", ("nn:9870",), "/webrec/log"),
        ("hdfs://nn/log/", "webrec", ("nn:9870",), "/log"),
        ("hdfs://ops@nn-1:50070/log", "ops", ("nn-1:50070",), "/log"),
        ("hdfs://nn1:1,nn2/a b", "webrec", ("nn1:1", "nn2:9870"), "/a b"),
        ("hdfs://[::1]:9870/log", "webrec", ("[::1]:9870",), "/log"),
    ],
)
def test_a_uri_says_who_and_where(uri: str, user: str, hosts: tuple[str, ...], path: str) -> None:
    """User and port have defaults; there may be more than one NameNode."""
    assert hdfs_uri.Address.of(uri) == (user, hosts, path)


@pytest.mark.parametrize(
    "uri", ["hdfs://", "hdfs://nn", "hdfs://nn/", "hdfs:///log", "hdfs://n n/log", "hdfs://nn:x/l"]
)
def test_a_uri_without_host_or_path_is_refused(uri: str, tmp_path: Path) -> None:
    """It says which would do."""
    with pytest.raises(UsageError, match="hdfs://"):
        open_log(uri, tmp_path)


def test_a_folder_loads_no_driver() -> None:
    """Who keeps the log in a folder does not pay for the WebHDFS client."""
    code = (
        "import sys, webrec.serving.engine; "
        "sys.exit('hdfs' in sys.modules or 'requests' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_user_of_the_uri_is_the_one_who_asks(machine: Opener, hdfs: WebHdfs) -> None:
    """WebHDFS gets the name with every request."""
    log = machine(uri=hdfs.uri(user="ann"))
    write(log)
    log.ship()
    assert hdfs.users == {"ann"}


def test_another_namenode_answers_for_one_that_does_not(machine: Opener, hdfs: WebHdfs) -> None:
    """With several in the URI, the one that is active is found."""
    with WebHdfs() as dead:
        others = dead.uri().split("/")[2]
    log = machine(uri=hdfs.uri().replace("//", f"//{others},"))
    name = write(log)
    log.ship()
    assert shipped(log) == [name]


# --- shipping --------------------------------------------------------------------------------


@pytest.fixture(params=["memory", pytest.param("cluster", marks=pytest.mark.slow)])
def anywhere(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Opener]:
    """As `machine`, on an HDFS in memory and on a real one."""
    if request.param == "memory":
        yield request.getfixturevalue("machine")
        return
    path = f"test/{tmp_path.name}/{time.time_ns()}"
    with _machines(tmp_path, request.getfixturevalue("cluster").log_uri(path)) as opener:
        yield opener


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


# --- HDFS is away ----------------------------------------------------------------------------


def test_hdfs_away_costs_nothing_but_backlog(machine: Opener, hdfs: WebHdfs) -> None:
    """Events are taken; what waits can be asked for, and goes when HDFS is back."""
    log = machine()
    write(log, by="u:before")
    log.ship()
    hdfs.stop()
    began = time.time()
    for n in range(5):
        log.check()
        write(log, by=f"u:{n}")
        log.ship()
    waiting = log.unshipped()
    assert waiting.segments == 5
    assert waiting.bytes == sum(map(log._spool.size, log._spool.closed_segments())) > 0
    assert waiting.why == f"{hdfs.uri()} does not answer (Connection refused)"
    assert began <= waiting.since <= time.time()
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
    """After a failure nobody of the spool asks before the pause is over."""
    log = machine()
    write(log)
    hdfs.fail("before", times=1_000)
    now = time.time()
    monkeypatch.setattr(hdfslog, "_LONGEST_PAUSE_S", 10.0)
    monkeypatch.setattr(hdfslog.time, "time", lambda: now)
    log.ship()
    hdfs.heal()
    for seconds, is_asked in ((0, False), (1.9, False), (2.1, True)):
        monkeypatch.setattr(hdfslog.time, "time", lambda at=now + seconds: at)
        machine().ship()
        assert (hdfs.asked != []) == is_asked
    assert log.unshipped().segments == 0


def test_a_hanging_hdfs_is_given_up(
    machine: Opener, hdfs: WebHdfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever for a server that takes connections and says nothing."""
    for name in ("SHIPPING", "STATUS", "READING"):
        monkeypatch.setattr(webhdfs, name, webhdfs.Timeouts(0.3, 0.3))
    log = machine()
    write(log)
    with hdfs.hanging():
        log.ship()
        assert "timed out" in log.unshipped().why
        with pytest.raises(LogUnavailable):
            machine("two").closed_segments()
        with pytest.raises(LogUnavailable):
            log.cut(5, nothing)
    machine().ship()
    while log.unshipped().segments:
        machine().ship()


def test_a_datanode_out_of_reach_is_named(machine: Opener, hdfs: WebHdfs) -> None:
    """The NameNode answers, so it is the DataNode's address that has to be looked at."""
    log = machine()
    write(log)
    hdfs.stop("datanode")
    log.ship()
    assert "DataNode 127.0.0.1:" in log.unshipped().why
    hdfs.start("datanode")


def test_a_server_that_is_no_namenode_is_told(
    machine: Opener, hdfs: WebHdfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it answers, it makes one line that says what to name instead."""
    answer = requests.Response()
    monkeypatch.setattr(requests.Session, "request", lambda *_, **__: answer)
    for answer.status_code, answer._content in (
        (200, b"<html>"), (200, b"[]"), (200, b"{}"), (404, b"<html>"), (500, b"{}"), (502, b""),
    ):  # fmt: skip
        with pytest.raises(LogUnavailable, match="not as WebHDFS does"):
            machine().cut(0, nothing)


def test_a_folder_that_is_not_ours_says_what_to_do(
    machine: Opener, hdfs: WebHdfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permission denied comes with the command that gives it."""

    def denied(*_: object) -> None:
        raise Refused(403, "AccessControlException", "Permission denied: user=webrec\nat x")

    monkeypatch.setattr(WebHdfs, "_mkdirs", denied)
    log = machine()
    with pytest.raises(LogUnavailable, match=r"user=webrec: .*hdfs dfs -chown -R webrec /log$"):
        log.cut(0, nothing)


def test_the_spool_is_a_disk_like_any(machine: Opener, tmp_path: Path) -> None:
    """Where the spool cannot be written, the log cannot."""
    log = machine()
    (tmp_path / "one" / "open").rmdir()
    with pytest.raises(LogUnavailable):
        log.begin()
    with pytest.raises(LogUnavailable):
        log.check()


# --- cuts ------------------------------------------------------------------------------------


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


def test_a_cut_covers_what_every_machine_has(anywhere: Opener) -> None:
    """All that was closed, wherever; what comes later is for the next cut."""
    one, two, elsewhere = anywhere("one"), anywhere("two"), anywhere("elsewhere")
    names = [write(one), write(two)]
    one.ship()
    two.ship()
    names += [write(one), write(two), write(one)]
    with keeps_shipping(one, two):
        watermark = elsewhere.cut(60, nothing)
        assert watermark.is_complete
        assert set(elsewhere.covered_by(watermark)) == set(names)
        later = [write(one), write(two)]
        assert {epoch_of(name) for name in later} == {1}
        assert set(elsewhere.covered_by(watermark)) == set(names)
        following = elsewhere.cut(60, nothing)
    assert following.is_complete
    assert set(elsewhere.covered_by(following)) == {*names, *later}
    assert following.extra == frozenset()


def test_a_cut_waits_for_a_segment_that_is_closed_a_little_later(machine: Opener) -> None:
    """Writers are given the time to bring their segments to an end."""
    log = machine()
    segment = log.begin()
    segment.append(visits(1), 1)
    asked: list[int] = []

    def settle() -> None:
        asked.append(log.epoch())
        if len(asked) == 3:
            segment.close()

    watermark = log.cut(60, settle)
    assert watermark.is_complete
    assert log.covered_by(watermark) == [segment.name]
    assert asked == [0, 1, 1]


@pytest.mark.slow
def test_a_cut_does_not_count_what_settling_takes(machine: Opener) -> None:
    """A replay that takes longer than the wait leaves nothing for the next batch."""
    log = machine()
    segment = log.begin()
    segment.append(visits(2), 1)

    def settle() -> None:
        if log.open_segments():
            time.sleep(1.5)
            segment.close()

    watermark = log.cut(1, settle)
    assert watermark.is_complete
    assert log.covered_by(watermark) == [segment.name]


def test_a_machine_that_lags_holds_up_nobody(
    anywhere: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    """What it has sent is read, the rest is for the next batch, and the cut names it."""
    one, slow = anywhere("one"), anywhere("slow")
    names = [write(one), write(slow)]
    stalled = slow.begin()
    stalled.append(visits(2, "u:slow"), 1)
    names.append(write(slow))
    slow.ship()
    one.ship()
    watermark = one.cut(0, nothing)
    assert not watermark.is_complete
    assert set(one.covered_by(watermark)) == set(names)
    assert watermark.extra == frozenset(names[1:])
    assert slow._spool.spool() in caplog.text
    stalled.close()
    slow.ship()
    assert not watermark.covers(stalled.name)
    assert set(one.covered_by(watermark)) == set(names)
    following = one.cut(0, slow.ship)
    assert following.is_complete
    assert set(one.covered_by(following)) == {*names, stalled.name}
    assert following.extra == frozenset()


def test_a_machine_that_comes_late_is_read_by_the_next_cut(machine: Opener, hdfs: WebHdfs) -> None:
    """Segments of old epochs that arrive after a cut are not taken for read."""
    one = machine("one")
    write(one)
    for _ in range(3):
        watermark = one.cut(60, nothing)
    late = machine("late")
    name = write(late)
    assert epoch_of(name) == 0
    late.ship()
    assert late.epoch() == 3
    assert watermark.is_complete
    assert not watermark.covers(name)
    following = one.cut(0, late.ship)
    assert following.is_complete
    assert name in one.covered_by(following)


def test_a_spool_signs_on_before_it_has_anything_to_send(machine: Opener) -> None:
    """A cut knows of a segment that is still open elsewhere."""
    one, two = machine("one"), machine("two")
    segment = two.begin()
    segment.append(visits(1), 1)
    two.ship()
    assert not one.cut(0, nothing).is_complete
    segment.close()


def test_a_cut_without_hdfs_fails_at_once(machine: Opener, hdfs: WebHdfs) -> None:
    """Nothing is settled and nothing waited for; the message names the address."""
    log = machine()
    hdfs.stop()
    settled: list[bool] = []
    with pytest.raises(LogUnavailable, match=f"{hdfs.uri()} does not answer"):
        log.cut(600, lambda: settled.append(True))
    assert settled == []


def test_nobody_waits_for_a_spool_at_rest(machine: Opener, hdfs: WebHdfs) -> None:
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


def test_a_segment_of_a_foreign_spool_is_read(machine: Opener, tmp_path: Path) -> None:
    """One that somebody brought from elsewhere goes where the others go, and is read once there."""
    foreign = LocalLog(tmp_path / "foreign")
    segment = foreign.begin()
    segment.append(visits(2, "u:foreign"), 1)
    segment.close()
    log = machine()
    write(log)
    foreign.path(segment.name).rename(log._spool.path(segment.name))
    watermark = log.cut(60, nothing)
    assert watermark.is_complete
    assert events(log, watermark) == urls(visits(3), visits(2, "u:foreign"))
    assert log.cut(60, nothing).covers(segment.name)


def _begin_and_close(folder: str, uri: str, rounds: int) -> None:
    log = open_log(uri, Path(folder))
    for n in range(rounds):
        segment = log.begin()
        segment.append(visits(1, f"{Path(folder).name}-{n}"), 1)
        segment.close()
        if n % 5 == 0:
            log.ship()
    while log.unshipped().segments:
        log.ship()
    log.close()


@pytest.mark.slow
def test_what_a_cut_covers_does_not_grow(machine: Opener, hdfs: WebHdfs, tmp_path: Path) -> None:
    """While machines write, ship and join, a cut names what there will ever be before it."""
    spawn = multiprocessing.get_context("spawn")
    writers = [
        spawn.Process(target=_begin_and_close, args=(str(tmp_path / f"m{n}"), hdfs.uri(), 60))
        for n in range(3)
    ]
    log = machine("batch")
    covered = []
    for writer in writers:
        writer.start()
        watermark = log.cut(0.3, nothing)
        covered.append((watermark, log.covered_by(watermark)))
    while any(writer.is_alive() for writer in writers):
        watermark = log.cut(0.3, nothing)
        covered.append((watermark, log.covered_by(watermark)))
    for writer in writers:
        writer.join()
    watermark = log.cut(60, nothing)
    assert watermark.is_complete
    covered.append((watermark, log.covered_by(watermark)))
    for watermark, names in covered:
        assert log.covered_by(watermark) == names
    for (_, before), (_, after) in itertools.pairwise(covered):
        assert set(before) <= set(after)
    assert events(log, watermark) == urls(
        *(visits(1, f"m{m}-{n}") for m in range(3) for n in range(60))
    )


# --- reading ---------------------------------------------------------------------------------


def test_a_transfer_that_breaks_off_is_taken_up(machine: Opener, hdfs: WebHdfs) -> None:
    """As often as something comes each time: no line is lost or read twice."""
    log = machine()
    name = write(log, 40_000)
    log.ship()
    for _ in range(2):
        hdfs.fail("half", times=2, node="datanode", operation="OPEN")
        hdfs.fail("before", times=3, node="datanode", operation="OPEN")
    assert [r.number for r in log.read(name)] == list(range(40_000))
    assert hdfs.heal()


def test_a_transfer_that_ends_too_early_is_taken_up(machine: Opener, hdfs: WebHdfs) -> None:
    """An end that looks like one is none before the last byte."""
    log = machine()
    name = write(log, 1_000)
    log.ship()
    hdfs.fail("short", times=5, node="datanode", operation="OPEN")
    assert [r.number for r in log.read(name)] == list(range(1_000))
    assert hdfs.heal()


def test_a_read_outlives_a_short_outage(machine: Opener, hdfs: WebHdfs) -> None:
    """Attempts that bring nothing are repeated a few times, then given up."""
    log = machine()
    name = write(log, 10)
    log.ship()
    hdfs.fail("before", times=3, operation="OPEN")
    assert len(list(log.read(name))) == 10
    hdfs.fail("before", times=4, operation="OPEN")
    with pytest.raises(LogUnavailable, match="does not answer"):
        list(log.read(name))


def test_an_outage_in_the_middle_is_an_error(machine: Opener, hdfs: WebHdfs) -> None:
    """A file that cannot be had to its last byte never ends as if it were whole."""
    log = machine()
    name = write(log, 20_000)
    log.ship()
    hdfs.fail("half", node="datanode", operation="OPEN")
    hdfs.fail("before", times=4, node="datanode", operation="OPEN")
    with pytest.raises(LogUnavailable):
        list(log.read(name))


@pytest.mark.parametrize("size", [-1, +10])
def test_a_file_that_changes_under_the_reader_is_an_error(
    machine: Opener, hdfs: WebHdfs, size: int
) -> None:
    """Shorter or longer than it was listed, it is not read as if nothing had happened."""
    log = machine()
    name = write(log, 50)
    watermark = log.cut(60, nothing)
    log.covered_by(watermark)
    path = f"/log/closed/{name}.ndjson"
    content = hdfs.files("/log")[f"closed/{name}.ndjson"]
    hdfs.put(path, content[:size] if size < 0 else content + b"x" * size)
    with pytest.raises(LogUnavailable, match="changed while it was read"):
        list(log.read(name))


def test_a_segment_that_is_not_there_is_an_error(machine: Opener) -> None:
    """It is named."""
    with pytest.raises(LogUnavailable, match="closed/00000000-none"):
        machine().read("00000000-none")


def test_a_reader_may_stop_in_the_middle(machine: Opener) -> None:
    """The connection is let go of."""
    log = machine()
    name = write(log, 20_000)
    log.ship()
    for _ in range(20):  # more than there are connections
        reading = log.read(name)
        assert next(reading).number == 0
        assert isinstance(reading, Generator)
        reading.close()


@pytest.mark.parametrize("line", [b"{}", b"null", b"", b"\xff\xfe", b'{"n":7,"recei'])
def test_a_broken_line_is_counted_and_left_out(machine: Opener, hdfs: WebHdfs, line: bytes) -> None:
    """Whatever stands in it, and where a last line has no end."""
    log = machine()
    name = write(log, 4)
    log.ship()
    content = hdfs.files("/log")[f"closed/{name}.ndjson"]
    first, rest = content.split(b"\n", 1)
    hdfs.put(f"/log/closed/{name}.ndjson", first + b"\n" + line + b"\n" + rest + b'{"n"')
    broken: list[bool] = []
    found = list(log.read(name, lambda: broken.append(True)))
    assert [r.number for r in found] == [0, 1, 2, 3]
    assert len(broken) == 2


# --- forgetting ------------------------------------------------------------------------------


def test_rewriting_drops_only_what_is_turned_down(anywhere: Opener) -> None:
    """The others stay as they are, once and again, down to nothing."""
    log = anywhere()
    segment = log.begin()
    records = segment.append([*visits(5, "u:gone"), *visits(2), *visits(4, "u:gone")], 5)
    segment.close()
    watermark = log.cut(60, nothing)
    assert log.covered_by(watermark) == [segment.name]
    assert log.rewrite(segment.name, lambda r: r.event.visitor != "u:gone") == 9
    for each in (log, anywhere("another")):
        assert each.covered_by(watermark) == [segment.name]
        assert list(each.read(segment.name)) == records[5:7]
    assert log.rewrite(segment.name, lambda _: False) == 2
    assert list(log.read(segment.name)) == []
    assert list(anywhere("third").read(segment.name)) == []
    assert log.closed_segments() == [segment.name]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["before", "after", "half"])
@pytest.mark.parametrize("again", [False, True])
def test_a_rewriting_that_is_cut_off_leaves_one_or_the_other(
    machine: Opener, hdfs: WebHdfs, how: How, again: bool
) -> None:
    """Whole; and after the next look nothing is left of what was turned down, if it got so far."""
    for step in itertools.count():
        folder = f"/log{step}"
        log = machine(f"machine{step}", uri=hdfs.uri(folder))
        segment = log.begin()
        segment.append([*visits(50, "u:one"), *visits(50, "u:gone"), *visits(50, "u:two")], 5)
        segment.close()
        watermark = log.cut(60, nothing)
        whole = 150
        if again:
            log.rewrite(segment.name, lambda r: r.event.visitor != "u:one")
            whole = 100
        hdfs.fail(how, after=step, times=4)
        try:
            log.rewrite(segment.name, lambda r: r.event.visitor != "u:gone")
        except LogUnavailable:
            is_done = False
        else:
            is_done = not hdfs.heal()
        hdfs.heal()
        heir = machine(f"heir{step}", uri=hdfs.uri(folder))
        assert heir.covered_by(watermark) == [segment.name]
        left = Counter(r.event.visitor for r in heir.read(segment.name))
        assert left.total() in (whole, whole - 50)
        assert left["u:gone"] in (0, 50)
        if left["u:gone"] == 0:
            files = {k: v for k, v in hdfs.files(folder).items() if k.startswith("closed/")}
            assert all(b"u:gone" not in content for content in files.values())
        heir.rewrite(segment.name, lambda r: r.event.visitor != "u:gone")
        assert len(list(heir.read(segment.name))) == whole - 50
        if is_done:
            break
    assert step > 5


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


_MEMORY = """
import sys, tracemalloc
from pathlib import Path
from webrec.rawlog import open_log
log = open_log(sys.argv[1], Path(sys.argv[2]))
tracemalloc.start()
watermark = log.cut(60, lambda: None)
(name,) = log.covered_by(watermark)
assert sum(1 for _ in log.read(name)) == 200_000
assert log.rewrite(name, lambda r: r.number % 2 == 0) == 100_000
print(tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.slow
def test_nothing_is_held_whole_in_memory(machine: Opener, hdfs: WebHdfs) -> None:
    """Shipping, reading and rewriting 20 MB take no more than a few."""
    log = machine()
    segment = log.begin()
    for _ in range(200):
        segment.append(visits(1_000), 1)
    segment.close()
    assert log._spool.size(segment.name) > 20 << 20
    command = [sys.executable, "-c", _MEMORY, hdfs.uri(), str(log._spool.folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    assert int(done.stdout) < 8 << 20


# --- a real HDFS under faults ----------------------------------------------------------------


@pytest.mark.slow
def test_a_real_hdfs_dies_and_comes_back(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers killed, stopped and frozen while a machine ships: every event is there once."""
    monkeypatch.setattr(hdfslog, "_LONGEST_PAUSE_S", 1.0)
    faults: list[Callable[[], None]] = [
        lambda: cluster.kill("datanode"),
        lambda: cluster.kill("namenode"),
        lambda: cluster.stop("datanode"),
        lambda: cluster.start("datanode"),
        lambda: cluster.stop("namenode"),
        lambda: cluster.start("namenode"),
        lambda: cluster.pause("namenode"),
        lambda: cluster.resume("namenode"),
        lambda: cluster.pause("datanode"),
        lambda: cluster.resume("datanode"),
        lambda: cluster.kill("namenode", "datanode"),
    ]
    written: list[str] = []
    with _machines(tmp_path, cluster.log_uri(f"test/faults/{time.time_ns()}")) as opener:
        log, shipper = opener(), opener()
        with keeps_shipping(shipper):
            for fault in faults:
                for _ in range(5):
                    by = f"u:{len(written)}"
                    written.append(by)
                    write(log, 3_000, by)
                fault()
                time.sleep(1)
            cluster.wait()
            while log.unshipped().segments:
                time.sleep(0.1)
        watermark = log.cut(60, nothing)
        assert watermark.is_complete
        assert events(log, watermark) == urls(*(visits(3_000, by) for by in written))


@pytest.mark.slow
def test_a_read_outlives_a_restart_of_a_real_hdfs(cluster: Cluster, tmp_path: Path) -> None:
    """The DataNode dies in the middle of a file, then the NameNode: it is read to its end."""
    with _machines(tmp_path, cluster.log_uri(f"test/reading/{time.time_ns()}")) as opener:
        log = opener()
        segment = log.begin()
        for _ in range(300):
            segment.append(visits(1_000), 1)
        segment.close()
        watermark = log.cut(120, nothing)
        assert log.covered_by(watermark) == [segment.name]
        read = 0
        for record in log.read(segment.name):
            assert record.number == read
            read += 1
            if read == 20_000:
                cluster.kill("datanode")
            if read == 200_000:
                cluster.wait()  # until the one that was killed is there to be killed again
                cluster.kill("datanode", "namenode")
        assert read == 300_000
        cluster.wait()


# --- the whole house -------------------------------------------------------------------------


@pytest.mark.slow
def test_a_batch_elsewhere_reads_what_a_service_has_shipped(
    hdfs: WebHdfs, impatient: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine, with a home of its own; nothing counts twice, forgetting included."""
    monkeypatch.setattr(job, "CUT_WAIT_S", 60.0)
    monkeypatch.setattr(recorder, "_SHIP_EVERY_S", 0.05)
    shared = {"store": f"sqlite:///{tmp_path}/webrec.db", "log": hdfs.uri()}
    with opened(tmp_path / "service", **shared) as engine:
        ingest_known(engine)
        before = {visitor: seen(engine, visitor) for visitor in ("u:ann", "u:bert", "u:clara")}
        engine.recorder.start()
        with opened(tmp_path / "batch", **shared) as elsewhere:
            while not hdfs.folders("/log/spools"):
                time.sleep(0.01)
            generation = batch(elsewhere)
            assert generation.watermark.is_complete
            assert generation.counts["visits"] > 0
            engine.refresh()
            assert {visitor: seen(engine, visitor) for visitor in before} == before
            assert elsewhere.log_backlog() == engine.log_backlog() == 0

            engine.recorder.record([Event("visit", "https://site.example/new", "u:ann", 0)])
            assert seen(engine, "u:ann") == before["u:ann"] | {"https://site.example/new": (1, 0)}
            assert engine.log_backlog() == 1
            engine.recorder.forget("u:bert")
            generation = batch(elsewhere)
            assert generation.watermark.is_complete
            assert elsewhere.tables.visitors.forgotten() == {}
            engine.refresh()
            assert seen(engine, "u:ann") == before["u:ann"] | {"https://site.example/new": (1, 0)}
            assert seen(engine, "u:bert") == {}
            assert b"u:bert" not in b"".join(hdfs.files("/log/closed").values())
            assert batch(elsewhere).counts["forgotten"] == 0


def test_the_recorder_ships_what_it_closes(hdfs: WebHdfs, impatient: None, tmp_path: Path) -> None:
    """In the background once it is started, and at its end."""
    with closing(open_store(f"sqlite:///{tmp_path}/webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        started = Recorder(tables, open_log(hdfs.uri(), tmp_path / "log"), 100)
        started.start()
        started.record(visits(5))
        while not hdfs.files("/log/closed"):
            time.sleep(0.01)
        started.record(visits(5, "u:last"))
        started.close()
    content = b"".join(hdfs.files("/log/closed").values())
    assert content.count(b"\n") == 10
    assert any(mark.endswith(".rest") for mark in hdfs.folders("/log/spools"))


def test_what_waits_is_written_down_once(
    hdfs: WebHdfs,
    impatient: None,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line when shipping begins to fail with something to ship, one when it works again."""
    monkeypatch.setattr(recorder, "_SHIP_EVERY_S", 0.01)
    with opened(tmp_path, log=hdfs.uri(), segment_bytes=1024) as engine:
        hdfs.stop()
        engine.recorder.start()
        while not engine.log.unshipped().why:
            time.sleep(0.01)
        assert caplog.messages == []
        engine.recorder.record(visits(20))
        while not caplog.messages:
            time.sleep(0.01)
        engine.recorder.record(visits(20))
        while engine.log.unshipped().segments < 2:
            time.sleep(0.01)
        hdfs.start()
        while engine.log.unshipped().segments:
            time.sleep(0.01)
        while len(caplog.messages) < 2:
            time.sleep(0.01)
    first, last = caplog.messages
    assert first.startswith(f"1 segment waits in {tmp_path / 'log'} to be shipped")
    assert last == "segments are shipped again"


def test_the_service_says_what_waits(hdfs: WebHdfs, impatient: None, tmp_path: Path) -> None:
    """HDFS away: ready, with a word on it; figures of what waits, none of what cannot be known."""
    with opened(tmp_path, log=hdfs.uri(), segment_bytes=1024) as engine:
        client = create_app(engine).test_client()
        assert admin.readiness(engine)["log"] == {"ok": True}
        assert "webrec_log_unshipped_segments 0.0" in client.get("/metrics").text
        assert "webrec_log_backlog_segments 0.0" in client.get("/metrics").text
        hdfs.stop()
        engine.recorder.record(visits(20))
        engine.recorder.roll()
        engine.recorder.flush()
        engine.log.ship()
        scrape = client.get("/metrics").text
        assert "webrec_log_unshipped_segments 1.0" in scrape
        assert f"webrec_log_unshipped_bytes {engine.log.unshipped().bytes:.1f}" in scrape
        assert "webrec_log_backlog_segments" not in scrape
        log = admin.readiness(engine)["log"]
        assert log["ok"]
        assert "1 segment waits" in log["detail"]
        assert hdfs.uri() in log["detail"]
        hdfs.start()
        engine.log.ship()
        assert admin.readiness(engine)["log"] == {"ok": True}
        assert "webrec_log_backlog_segments 1.0" in client.get("/metrics").text


@pytest.mark.slow
def test_commands_say_what_waits(hdfs: WebHdfs, tmp_path: Path) -> None:
    """Loading goes on without HDFS, a check tells, and the next command with HDFS ships it."""
    event = '{"type": "visit", "user": "ann", "url": "https://site.example/"}\n'

    def run(*arguments: str) -> tuple[int, str, list[str]]:
        command = [sys.executable, "-m", "webrec", *arguments]
        command += ["--home", str(tmp_path), "--log", hdfs.uri()]
        done = subprocess.run(command, input=event, text=True, capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr.splitlines()

    hdfs.stop()
    status, _, said = run("ingest", "-")
    assert status == 0
    assert said[0].startswith(f"1 segment waits in {tmp_path / 'log'} to be shipped")
    assert said[0].endswith("The service, or the next command on this home, ships them")
    assert len(said) == 2
    status, found, _ = run("check", "--json")
    assert status == 1
    assert "does not answer" in orjson.loads(found)["checks"]["log"]["detail"]
    status, _, said = run("batch")
    assert (status, said) == (1, [f"Error: {hdfs.uri()} does not answer (Connection refused)"])
    hdfs.start()
    status, _, said = run("ingest", "-")
    assert (status, len(said)) == (0, 1)
    assert len(hdfs.files("/log/closed")) == 2
    _, found, _ = run("check", "--json")
    log = orjson.loads(found)["checks"]["log"]
    assert log["ok"]
    assert "2 segments closed, 0 open, 2 not in the model yet" in log["detail"]
