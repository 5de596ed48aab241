"""The raw log on HDFS: a cut covers what every machine has sent, and it is read once."""

from __future__ import annotations

import itertools
import multiprocessing
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.contracts.log import LogContract, Place
from tests.support.webhdfs import How, WebHdfs
from tests.webrec.rawlog.hdfs_logs import (
    Opener,
    events,
    keeps_shipping,
    nothing,
    urls,
    visits,
    write,
)
from webrec.errors import LogUnavailable
from webrec.rawlog import epoch_of, open_log
from webrec.rawlog.local import LocalLog


class TestHdfsLog(LogContract):
    """A log on HDFS keeps the contract, in memory and on a real one."""

    @pytest.fixture(params=["memory", pytest.param("cluster", marks=pytest.mark.slow)])
    def place(self, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
        """An empty folder on HDFS, and a spool that is not there yet."""
        if request.param == "memory":
            request.getfixturevalue("short_timeouts")
            return Place(request.getfixturevalue("hdfs").uri(), tmp_path / "spool")
        path = f"test/{tmp_path.name}/{time.time_ns()}"
        return Place(request.getfixturevalue("cluster").log_uri(path), tmp_path / "spool")


# --- cuts -------------------------------------------------------------------------------------


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

    def close_segments() -> None:
        asked.append(log.epoch())
        if len(asked) == 3:
            segment.close()

    watermark = log.cut(60, close_segments)
    assert watermark.is_complete
    assert log.covered_by(watermark) == [segment.name]
    assert asked == [0, 1, 1]


@pytest.mark.slow
def test_a_cut_does_not_count_what_closing_takes(machine: Opener) -> None:
    """A replay that takes longer than the wait leaves nothing for the next batch."""
    log = machine()
    segment = log.begin()
    segment.append(visits(2), 1)

    def close_segments() -> None:
        if log.open_segments():
            time.sleep(1.5)
            segment.close()

    watermark = log.cut(1, close_segments)
    assert watermark.is_complete
    assert log.covered_by(watermark) == [segment.name]


def test_a_machine_that_lags_holds_up_no_cut(
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
    assert (slow._spool.spool() or "nameless") in caplog.text
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
    """No segment is closed and nothing waited for; the message names the address."""
    log = machine()
    hdfs.stop()
    closed: list[bool] = []
    with pytest.raises(LogUnavailable, match=f"{hdfs.uri()} does not answer"):
        log.cut(600, lambda: closed.append(True))
    assert closed == []


def test_a_segment_of_a_foreign_spool_is_read(machine: Opener, tmp_path: Path) -> None:
    """One that was brought from elsewhere goes where the others go, and is read once there."""
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


# --- reading and rewriting --------------------------------------------------------------------


def test_a_segment_that_is_not_there_is_an_error(machine: Opener) -> None:
    """It is named."""
    with pytest.raises(LogUnavailable, match="closed/00000000-none"):
        machine().read("00000000-none")


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
    """Whole; if it got so far, the next listing leaves nothing of what was turned down."""
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
