"""The raw log in a folder: what was appended comes back, and a cut covers what it says."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts.log import BARE, LogContract, Place, closed_segment
from webrec.errors import LogUnavailable
from webrec.rawlog import Segment, Watermark, epoch_of, spool_of
from webrec.rawlog.local import LocalLog


class TestLocalLog(LogContract):
    """A folder keeps the contract."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        """A folder that is not there yet."""
        return Place(f"file://{tmp_path}/deep/log", tmp_path / "spool")


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
            os.fstat(segment._fd)  # type: ignore[attr-defined]
        except OSError:
            continue
        segment.abandon()


def test_a_closed_segment_has_the_size_it_was_written_with(log: LocalLog) -> None:
    """Until it is removed."""
    segment = log.begin()
    segment.append([BARE], 1)
    segment.close()
    assert log.size(segment.name) == segment.size > 0
    log.remove(segment.name)
    assert log.size(segment.name) == 0
    assert log.closed_segments() == []


# --- cuts -------------------------------------------------------------------------------------


def test_a_cut_does_not_cover_a_stalled_writer(
    log: LocalLog, writer: Callable[[], Segment]
) -> None:
    """Its segment belongs to the next cut once it is closed; what others closed is covered."""
    before = closed_segment(log)
    log.raise_epoch(3)
    stalled = writer()
    stalled.append([BARE], 1)
    others = [closed_segment(log)]
    log.raise_epoch(4)
    others.append(closed_segment(log))
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


def test_a_segment_from_elsewhere_is_covered_by_the_next_cut(log: LocalLog, tmp_path: Path) -> None:
    """Whatever its epoch: one that was brought after a cut was not read before."""
    own = closed_segment(log)
    before = log.cut(0, lambda: None)
    other = LocalLog(tmp_path / "other")
    foreign = closed_segment(other)
    assert epoch_of(foreign) == 0
    other.path(foreign).rename(log.path(foreign))
    assert log.covered_by(before) == [own]
    assert set(log.covered_by(log.cut(0, lambda: None))) == {own, foreign}


def test_what_is_no_segment_is_left_alone(log: LocalLog) -> None:
    """A file that was put beside the segments is none of them."""
    name = closed_segment(log)
    for stray in ("notes.ndjson", f"{name}.bak", f"copy-of-{name}.ndjson"):
        (log.folder / "closed" / stray).write_text("x")
    assert log.closed_segments() == [name]
    assert log.covered_by(log.cut(0, lambda: None)) == [name]


def test_a_cut_waits_for_a_living_writer(log: LocalLog) -> None:
    """A writer that closes its segment a little later is covered."""
    segment = log.begin()
    segment.append([BARE], 1)
    asked: list[int] = []

    def close_segments() -> None:
        asked.append(log.epoch())
        if len(asked) == 3:
            segment.close()

    assert log.cut(30, close_segments).is_complete
    assert asked == [1, 1, 1]


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
    covered: list[tuple[Watermark, list[str]]] = []
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


# --- spools -----------------------------------------------------------------------------------


def test_a_spool_has_a_name_from_its_first_segment_on(log: LocalLog) -> None:
    """All its segments carry it, whichever process writes them; another folder has another."""
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
    """The one that is a moment later takes the name that is there."""
    log = _Late(tmp_path)
    segment = log.begin()
    assert log.others is not None
    assert spool_of(segment.name) == spool_of(log.others.name) == log.spool()
    segment.close()
    log.others.close()


def test_a_spool_without_a_name_is_told(log: LocalLog) -> None:
    """A file that was garbled says what to do, and no segment is begun that none would find."""
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


# --- when it cannot be written ----------------------------------------------------------------


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
