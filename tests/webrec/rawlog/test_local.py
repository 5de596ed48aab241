"""The raw log: what was appended comes back, whatever happens to its writers."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrec.domain.types import Event
from webrec.errors import LogUnavailable, UsageError
from webrec.rawlog import Segment, Watermark, epoch_of, open_log, spool_of
from webrec.rawlog.local import LocalLog

FULL = Event(
    "accept",
    "https://site.example/ü?a=1",
    "u:ann",
    1_750_000_000_123,
    event_id="x-1",
    title="Title \u2028 with \n a line break",
    keywords=("one", "two"),
    description='Said "in" words',
    bot=True,
    answer="f00",
    environment={"user_agent": "Browser/1.0", "language": "de"},
)
BARE = Event("visit", "https://site.example/", None, 0)
TORN = b'{"n":7,"received_us":9,"type":"visit","url":"https://si'


@pytest.fixture
def log(tmp_path: Path) -> LocalLog:
    """A new log."""
    return LocalLog(tmp_path / "log")


@pytest.fixture
def writer(log: LocalLog) -> Iterator[Callable[[], Segment]]:
    """Begins segments; those still open at the end are let go of."""
    begun: list[Segment] = []

    def begin() -> Segment:
        begun.append(log.begin())
        return begun[-1]

    yield begin
    for segment in begun:
        try:
            os.fstat(segment._fd)
        except OSError:
            continue
        segment.abandon()


def visits(count: int) -> list[Event]:
    """So many events, told apart by their URLs."""
    return [Event("visit", f"https://site.example/{n}", "u:ann", n) for n in range(count)]


def urls_in(log: LocalLog, segment: str) -> list[str]:
    """The URLs of a closed segment's records."""
    return [record.event.url for record in log.read(segment)]


# --- writing and reading ---------------------------------------------------------------------


def test_events_come_back_as_they_were(log: LocalLog) -> None:
    """Every field survives, with the position and the moment of arrival."""
    segment = log.begin()
    written = segment.append([FULL, BARE], 5) + segment.append([FULL], 6)
    segment.close()
    assert list(log.read(segment.name)) == written
    assert [(r.number, r.received_us) for r in written] == [(0, 5), (1, 5), (2, 6)]
    assert [r.event for r in written] == [FULL, BARE, FULL]


def test_a_segment_is_open_until_it_is_closed(log: LocalLog) -> None:
    """It moves as a whole; one that holds nothing goes away."""
    segment, empty = log.begin(), log.begin()
    segment.append([BARE], 1)
    segment.sync()
    assert log.open_segments() == sorted([segment.name, empty.name])
    assert log.closed_segments() == []
    segment.close()
    empty.close()
    assert log.open_segments() == []
    assert log.closed_segments() == [segment.name]
    assert log.size(segment.name) == segment.size > 0


def test_two_writers_have_segments_of_their_own(log: LocalLog) -> None:
    """What two write at the same time is all there, and does not mix."""
    one, other = log.begin(), LocalLog(log.folder).begin()
    for n in range(5):
        one.append([BARE] * n, 1)
        other.append([FULL], 1)
    one.close()
    other.close()
    assert [r.event for r in log.read(one.name)] == [BARE] * 10
    assert [r.event for r in log.read(other.name)] == [FULL] * 5


def test_threads_share_a_segment(log: LocalLog) -> None:
    """Every event of every thread has a number of its own, and a call's stay together."""
    segment = log.begin()

    def send() -> None:
        for _ in range(50):
            numbers = [r.number for r in segment.append(visits(3), 1)]
            assert numbers == list(range(numbers[0], numbers[0] + 3))
            segment.sync()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    segment.close()
    assert [r.number for r in log.read(segment.name)] == list(range(600))


@pytest.mark.parametrize("line", [b"{}", b"5", b"null", b"[1]", b"", b"\xff\xfe", TORN])
def test_a_broken_line_is_counted_and_left_out(log: LocalLog, line: bytes) -> None:
    """Whatever stands in it, the lines around it are read."""
    segment = log.begin()
    segment.append(visits(2), 1)
    os.write(segment._fd, line + b"\n")
    segment.append(visits(1), 1)
    segment.close()
    broken: list[bool] = []
    found = list(log.read(segment.name, lambda: broken.append(True)))
    assert [r.number for r in found] == [0, 1, 2]
    assert len(broken) == 1
    assert len(urls_in(log, segment.name)) == 3


@pytest.mark.slow
def test_a_segment_is_read_in_bounded_memory(log: LocalLog) -> None:
    """A hundred thousand lines take no more memory than a few."""
    bound = 4 << 20
    segment = log.begin()
    for _ in range(100):
        segment.append(visits(1_000), 1)
    segment.close()
    assert log.size(segment.name) > 2 * bound
    tracemalloc.start()
    try:
        assert sum(1 for _ in log.read(segment.name)) == 100_000
        assert log.rewrite(segment.name, lambda r: r.number % 2 == 0) == 50_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < bound


# --- writers that died -----------------------------------------------------------------------


def test_a_torn_last_line_is_cut_off_and_counted(log: LocalLog) -> None:
    """An orphan keeps every whole line, and says how many bytes of a torn one it lost."""
    segment = log.begin()
    segment.append(visits(2), 1)
    os.write(segment._fd, TORN)
    segment.abandon()
    (orphan,) = log.orphans()
    assert orphan.torn == len(TORN)
    assert [r.number for r in orphan.records()] == [0, 1]
    orphan.close()
    broken: list[bool] = []
    assert len(list(log.read(segment.name, lambda: broken.append(True)))) == 2
    assert broken == []


@pytest.mark.parametrize("torn", [TORN, b"x" * (3 << 20)])
def test_a_segment_with_nothing_whole_goes_away(log: LocalLog, torn: bytes) -> None:
    """However long the torn line is."""
    segment = log.begin()
    os.write(segment._fd, torn)
    segment.abandon()
    (orphan,) = log.orphans()
    assert orphan.torn == len(torn)
    orphan.close()
    assert log.open_segments() == log.closed_segments() == []


def test_an_orphan_belongs_to_one(log: LocalLog) -> None:
    """What a living process writes is no orphan, and one that was found is not found again."""
    alive, dead = log.begin(), log.begin()
    dead.append([BARE], 1)
    dead.abandon()
    (orphan,) = log.orphans()
    assert orphan.name == dead.name
    assert list(LocalLog(log.folder).orphans()) == []
    orphan.close()
    assert list(log.orphans()) == []
    alive.close()


_KILLED = """
import os, signal, sys
from pathlib import Path
from webrec.rawlog.local import LocalLog
from webrec.domain.types import Event
segment = LocalLog(Path(sys.argv[1])).begin()
segment.append([Event("visit", "https://site.example/", None, 0)] * 3, 1)
segment.sync()
os.write(segment._fd, b'{"n":')
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_an_orphan(log: LocalLog) -> None:
    """The lock goes with the process; what it had appended stays."""
    subprocess.run([sys.executable, "-c", _KILLED, str(log.folder)], check=False)
    (orphan,) = log.orphans()
    assert len(list(orphan.records())) == 3
    assert orphan.torn == 5
    orphan.close()


# --- cuts ------------------------------------------------------------------------------------


def test_a_cut_covers_what_was_closed(log: LocalLog) -> None:
    """Segments begun before it are covered, later ones are not; each cut goes on from the last."""
    before = log.begin()
    before.append([BARE], 1)
    watermark = log.cut(5, before.close)
    assert watermark == Watermark({spool_of(before.name): 0})
    after = log.begin()
    after.append([BARE], 1)
    after.close()
    assert log.covered_by(watermark) == [before.name]
    assert (epoch_of(before.name), epoch_of(after.name)) == (0, 1)
    assert log.covered_by(log.cut(0, lambda: None)) == [before.name, after.name]


def test_a_cut_does_not_cover_a_stalled_writer(
    log: LocalLog, writer: Callable[[], Segment]
) -> None:
    """Its segment belongs to the next cut once it is closed; what others closed is covered."""
    before = _closed(log)
    log.raise_epoch(3)
    stalled = writer()
    stalled.append([BARE], 1)
    others = [_closed(log)]
    log.raise_epoch(4)
    others.append(_closed(log))
    stalled_later = writer()
    watermark = log.cut(0, lambda: None)
    assert watermark == Watermark({spool_of(stalled.name): 2}, frozenset(others), False)
    stalled.append([BARE], 2)
    stalled.close()
    stalled_later.close()
    assert not watermark.covers(stalled.name)
    assert log.covered_by(watermark) == [before, *others]
    following = log.cut(0, lambda: None)
    assert following == Watermark({spool_of(stalled.name): 5})
    assert set(log.covered_by(following)) == {before, stalled.name, *others}


def _closed(log: LocalLog) -> str:
    segment = log.begin()
    segment.append([BARE], 1)
    segment.close()
    return segment.name


def test_a_segment_from_elsewhere_is_covered_by_the_next_cut(log: LocalLog, tmp_path: Path) -> None:
    """Whatever its epoch: one that somebody brought after a cut was not read before."""
    own = _closed(log)
    before = log.cut(0, lambda: None)
    other = LocalLog(tmp_path / "other")
    foreign = _closed(other)
    assert epoch_of(foreign) == 0
    other.path(foreign).rename(log.path(foreign))
    assert log.covered_by(before) == [own]
    assert set(log.covered_by(log.cut(0, lambda: None))) == {own, foreign}


def test_what_is_no_segment_is_left_alone(log: LocalLog) -> None:
    """A file that somebody put beside the segments is none of them."""
    name = _closed(log)
    for stray in ("notes.ndjson", f"{name}.bak", f"copy-of-{name}.ndjson"):
        (log.folder / "closed" / stray).write_text("x")
    assert log.closed_segments() == [name]
    assert log.covered_by(log.cut(0, lambda: None)) == [name]


def test_a_cut_waits_for_a_living_writer(log: LocalLog) -> None:
    """A writer that closes its segment a little later is covered."""
    segment = log.begin()
    segment.append([BARE], 1)
    asked: list[int] = []

    def settle() -> None:
        asked.append(log.epoch())
        if len(asked) == 3:
            segment.close()

    assert log.cut(30, settle).is_complete
    assert asked == [1, 1, 1]


def test_a_cut_leaves_later_segments_alone(log: LocalLog, writer: Callable[[], Segment]) -> None:
    """A segment of the new epoch is not waited for."""
    new: list[Segment] = []

    def settle() -> None:
        if not new:
            new.append(writer())

    assert log.cut(30, settle) == Watermark({spool_of(new[0].name): 0})
    assert log.open_segments() == [new[0].name]


def _begin_and_close(folder: str, rounds: int) -> None:
    log = LocalLog(Path(folder))
    for _ in range(rounds):
        segment = log.begin()
        segment.append([BARE], 1)
        segment.close()


def test_no_segment_of_an_epoch_comes_after_its_cut(log: LocalLog) -> None:
    """While processes begin segments as fast as they can, a cut covers all there will ever be."""
    fork = multiprocessing.get_context("spawn")
    args = (str(log.folder), 120)
    writers = [fork.Process(target=_begin_and_close, args=args) for _ in range(3)]
    for process in writers:
        process.start()
    covered = []
    while any(process.is_alive() for process in writers) or len(covered) < 2:
        watermark = log.cut(30, lambda: None)
        assert watermark.is_complete
        covered.append((watermark, log.covered_by(watermark)))
    for process in writers:
        process.join()
    for watermark, names in covered:
        assert log.covered_by(watermark) == names
    assert len(log.covered_by(log.cut(0, lambda: None))) == 360
    assert log.epoch() == len(covered) + 1


class _Slow(LocalLog):
    """A log whose writers dawdle between looking at the epoch and beginning their segment."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.looked = threading.Event()
        self.go_on = threading.Event()

    def epoch(self) -> int:
        """Look, and dawdle until told to go on, but not for ever."""
        found = super().epoch()
        self.looked.set()
        self.go_on.wait(timeout=0.3)
        return found


def test_a_cut_waits_for_a_writer_that_is_about_to_begin(log: LocalLog) -> None:
    """Its segment is of the epoch it has looked at, so the cut must know of it."""
    slow = _Slow(log.folder)
    begun: list[Segment] = []
    writer = threading.Thread(target=lambda: begun.append(slow.begin()))
    writer.start()
    slow.looked.wait()
    watermark = log.cut(0, lambda: None)
    slow.go_on.set()
    writer.join()
    assert not watermark.covers(begun[0].name)
    begun[0].close()


SPOOLS = st.sampled_from(["0000000a", "0000000b", "0000000c"])
EPOCHS = st.integers(0, 5)
SEGMENTS = st.builds(
    lambda epoch, moment, spool: f"{epoch:08d}-{moment:016x}-{spool}", EPOCHS, EPOCHS, SPOOLS
)


@given(
    EPOCHS,
    st.dictionaries(SPOOLS, st.integers(-1, 6)),
    st.frozensets(SEGMENTS),
    st.booleans(),
    st.frozensets(SEGMENTS),
)
def test_a_watermark_covers_what_the_cut_found(
    epoch: int,
    epochs: dict[str, int],
    closed: frozenset[str],
    is_complete: bool,
    later: frozenset[str],
) -> None:
    """All that was closed then, up to the cut; of the rest only what its spool says is all there.

    And the same after a way through JSON.
    """
    watermark = Watermark.of_cut(epoch, epochs, closed, is_complete=is_complete)
    again = Watermark.of(orjson.loads(orjson.dumps(watermark.document())))
    assert again == watermark
    for name in closed | later:
        is_there = name in closed or epoch_of(name) <= epochs.get(spool_of(name), -1)
        assert again.covers(name) == (epoch_of(name) <= epoch and is_there)
    assert again.is_complete == is_complete


def test_a_watermark_is_no_longer_than_it_must_be() -> None:
    """A segment that its spool's epoch covers is not named."""
    names = [f"0000000{epoch}-{0:016x}-0000000a" for epoch in range(4)]
    watermark = Watermark.of_cut(2, {"0000000a": 0}, names, is_complete=False)
    assert watermark == Watermark({"0000000a": 0}, frozenset(names[1:3]), is_complete=False)


# --- spools ----------------------------------------------------------------------------------


def test_a_spool_has_a_name_from_its_first_segment_on(log: LocalLog) -> None:
    """All its segments carry it, whoever writes them; another folder has another."""
    assert log.spool() is None
    first = log.begin()
    second = LocalLog(log.folder).begin()
    other = LocalLog(log.folder / "other").begin()
    assert log.spool() == spool_of(first.name) == spool_of(second.name) != spool_of(other.name)
    for segment in (first, second, other):
        segment.close()


class _Late(LocalLog):
    """A log for which another process finds a name while this one sees that there is none."""

    others: Segment | None = None

    def spool(self) -> str | None:
        """Look, and be overtaken once."""
        found = super().spool()
        if self.others is None:
            self.others = LocalLog(self.folder).begin()
        return found


def test_writers_that_are_first_agree_on_the_name(tmp_path: Path) -> None:
    """Whoever is a moment later takes the name that is there."""
    log = _Late(tmp_path)
    segment = log.begin()
    assert log.others is not None
    assert spool_of(segment.name) == spool_of(log.others.name) == log.spool()
    segment.close()
    log.others.close()


def test_a_spool_without_a_name_is_told(log: LocalLog) -> None:
    """A file that was garbled says what to do, and no segment is begun that nobody would find."""
    (log.folder / "spool").write_text("Ünsinn")
    with pytest.raises(LogUnavailable, match="last 8 characters"):
        log.begin()


def test_two_segments_of_one_moment_have_two_names(
    log: LocalLog, writer: Callable[[], Segment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock may stand still: the second takes the next moment."""
    monkeypatch.setattr("webrec.rawlog.local.time.time_ns", lambda: 5)
    names = [writer().name for _ in range(3)]
    assert [name.split("-")[1] for name in names] == [f"{n:016x}" for n in (5, 6, 7)]


def test_an_epoch_is_raised_and_never_lowered(log: LocalLog, writer: Callable[[], Segment]) -> None:
    """Segments begun afterwards are of the epoch it was raised to, and cuts go on from there."""
    for to, expected in ((3, 3), (2, 3), (3, 3), (7, 7)):
        log.raise_epoch(to)
        assert log.epoch() == epoch_of(writer().name) == expected
    log.cut(0, lambda: None)
    assert log.epoch() == 8


def test_raising_an_epoch_waits_for_a_writer_that_is_about_to_begin(log: LocalLog) -> None:
    """Afterwards no segment of an earlier epoch is begun."""
    slow = _Slow(log.folder)
    begun: list[Segment] = []
    writer = threading.Thread(target=lambda: begun.append(slow.begin()))
    writer.start()
    slow.looked.wait()
    log.raise_epoch(1)
    assert [epoch_of(name) for name in log.open_segments()] == [0]
    slow.go_on.set()
    writer.join()
    begun[0].close()


# --- rewriting -------------------------------------------------------------------------------


def test_rewriting_drops_only_what_is_turned_down(log: LocalLog) -> None:
    """The others keep their numbers, moments and words."""
    segment = log.begin()
    records = segment.append([FULL, BARE, *visits(3)], 5)
    segment.close()
    assert log.rewrite(segment.name, lambda r: r.event.visitor != "u:ann" or r.event.bot) == 3
    assert list(log.read(segment.name)) == records[:2]
    assert log.closed_segments() == [segment.name]


def test_rewriting_everything_away_leaves_an_empty_segment(log: LocalLog) -> None:
    """It can be read, and rewritten again."""
    segment = log.begin()
    segment.append(visits(2), 5)
    segment.close()
    assert log.rewrite(segment.name, lambda _: False) == 2
    assert list(log.read(segment.name)) == []
    assert log.rewrite(segment.name, lambda _: False) == 0


# --- when it cannot be written ---------------------------------------------------------------


@pytest.mark.parametrize("uri", ["", "log", "file://", "hdf://x/y", "://x"])
def test_an_unknown_uri_is_refused(uri: str, tmp_path: Path) -> None:
    """A URI that names no log says which would do."""
    with pytest.raises(UsageError, match="file:///"):
        open_log(uri, tmp_path)


def test_a_log_is_opened_by_its_uri(tmp_path: Path) -> None:
    """The folder is made when missing."""
    log = open_log(f"file://{tmp_path}/deep/log", tmp_path / "spool")
    log.check()
    assert log.epoch() == 0
    assert (tmp_path / "deep" / "log").is_dir()


def test_a_folder_that_cannot_be_made_is_our_error(tmp_path: Path) -> None:
    """A log below a file cannot be opened, and the message names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LogUnavailable, match="file"):
        open_log(f"file://{tmp_path}/file/log", tmp_path)


def test_a_folder_that_went_away_is_our_error(log: LocalLog, tmp_path: Path) -> None:
    """Beginning, listing, cutting and reading all say that the log is away."""
    (tmp_path / "log").rename(tmp_path / "elsewhere")
    attempts: list[Callable[[], object]] = [
        log.begin,
        log.open_segments,
        log.closed_segments,
        log.check,
        lambda: log.cut(0, lambda: None),
        lambda: list(log.read("00000000-none")),
        lambda: log.rewrite("00000000-none", lambda _: True),
    ]
    for attempt in attempts:
        with pytest.raises(LogUnavailable, match="log"):
            attempt()


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from webrec.errors import LogUnavailable
from webrec.rawlog.local import LocalLog
from webrec.domain.types import Event

event = Event("visit", "https://site.example/", None, 0)
log = LocalLog(Path(sys.argv[1]))
segment = log.begin()
segment.append([event] * 2, 1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (segment.size + 50, resource.RLIM_INFINITY))
try:
    segment.append([event] * 3, 2)
except LogUnavailable as error:
    print("refused:", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
segment.append([event], 3)
segment.close()
"""


def test_a_partial_write_is_taken_back(log: LocalLog) -> None:
    """When the disk takes only a part, none of the call's events is in the log, and it goes on."""
    command = [sys.executable, "-c", _FULL_DISK, str(log.folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "refused" in done.stdout
    (segment,) = log.closed_segments()
    broken: list[bool] = []
    found = list(log.read(segment, lambda: broken.append(True)))
    assert [(r.number, r.received_us) for r in found] == [(0, 1), (1, 1), (2, 3)]
    assert broken == []
