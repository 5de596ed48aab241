"""What every raw log must do; a test class per back end inherits this one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from webrec.domain.types import Event
from webrec.errors import LogUnavailable
from webrec.rawlog import Log, Record, Segment, Watermark, epoch_of, open_log, spool_of

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

WAIT_S = 60.0
"""Seconds for a cut that is going to be complete: it returns as soon as it is."""

Opener = Callable[[], Log]


class Place(NamedTuple):
    """Where a log is.

    Attributes:
        uri, spool: as `open_log` takes them.
    """

    uri: str
    spool: Path


def visits(count: int) -> list[Event]:
    """So many events, told apart by their URLs."""
    return [Event("visit", f"https://site.example/{n}", "u:ann", n) for n in range(count)]


def closed_segment(log: Log, *events: Event) -> str:
    """Write events, one when left out, into a segment of their own; its name."""
    segment = log.begin()
    segment.append(events or [BARE], 1)
    segment.close()
    return segment.name


def nothing() -> None:
    """Close no segment while a cut waits: all are closed."""


def complete_cut(log: Log) -> Watermark:
    """Cut a log whose segments are all closed."""
    watermark = log.cut(WAIT_S, nothing)
    assert watermark.is_complete
    return watermark


_KILLED = """
import os, signal, sys
from pathlib import Path
from webrec.domain.types import Event
from webrec.rawlog import open_log
log = open_log(sys.argv[1], Path(sys.argv[2]))
for _ in range(2):
    segment = log.begin()
    for n in range(3):
        segment.append([Event("visit", f"https://site.example/{n}", None, 0)] * 2, n)
    segment.sync()
os.kill(os.getpid(), signal.SIGKILL)
"""


class LogContract:
    """The behaviour of `webrec.rawlog.Log`; a subclass gives the fixture ``place``, a new log."""

    def tear(self, segment: Any, content: bytes) -> None:
        """Write bytes past the protocol, as a writer leaves them that dies in between."""
        os.write(segment._fd, content)

    @pytest.fixture
    def again(self, place: Place) -> Iterator[Opener]:
        """Opens the log as one more process of this machine does."""
        opened: list[Log] = []

        def opener() -> Log:
            opened.append(open_log(*place))
            return opened[-1]

        yield opener
        for log in opened:
            log.close()

    @pytest.fixture
    def log(self, again: Opener) -> Log:
        """The log, as a process of this machine has it."""
        return again()

    # --- writing and reading -----------------------------------------------------------------

    def test_events_come_back_as_they_were(self, log: Log, again: Opener) -> None:
        """Every field survives, with the position and the moment of arrival."""
        segment = log.begin()
        written = segment.append([FULL, BARE], 5) + segment.append([FULL], 6)
        segment.sync()
        segment.close()
        watermark = complete_cut(log)
        for reader in (log, again()):
            assert reader.covered_by(watermark) == [segment.name]
            assert list(reader.read(segment.name)) == written
        assert [(r.segment, r.number, r.received_us) for r in written] == [
            (segment.name, 0, 5),
            (segment.name, 1, 5),
            (segment.name, 2, 6),
        ]
        assert [r.event for r in written] == [FULL, BARE, FULL]

    def test_a_segment_is_open_until_it_is_closed(self, log: Log) -> None:
        """It is closed as a whole; one that holds nothing goes away."""
        segment, empty = log.begin(), log.begin()
        segment.append([BARE], 1)
        segment.sync()
        assert (segment.size > 0, empty.size) == (True, 0)
        assert log.open_segments() == sorted([segment.name, empty.name])
        assert log.closed_segments() == []
        segment.close()
        empty.close()
        assert log.open_segments() == []
        assert log.closed_segments() == [segment.name]
        assert log.covered_by(complete_cut(log)) == [segment.name]

    def test_a_call_without_events_writes_nothing(self, log: Log) -> None:
        """And the numbers go on as if it had not been."""
        segment = log.begin()
        assert segment.append([], 1) == []
        assert segment.size == 0
        assert [r.number for r in segment.append(visits(2), 1)] == [0, 1]
        assert segment.append([], 1) == []
        assert [r.number for r in segment.append(visits(1), 1)] == [2]
        segment.close()

    def test_two_writers_have_segments_of_their_own(self, log: Log, again: Opener) -> None:
        """What two write at the same time is all there, and does not mix."""
        one, other = log.begin(), again().begin()
        assert one.name != other.name
        for n in range(5):
            one.append([BARE] * n, 1)
            other.append([FULL], 1)
        one.close()
        other.close()
        complete_cut(log)
        assert [r.event for r in log.read(one.name)] == [BARE] * 10
        assert [r.event for r in log.read(other.name)] == [FULL] * 5

    def test_threads_share_a_segment(self, log: Log) -> None:
        """Every event of every thread has a number of its own, and a call's stay together."""
        segment = log.begin()
        mixed: list[list[int]] = []

        def send() -> None:
            for _ in range(50):
                numbers = [r.number for r in segment.append(visits(3), 1)]
                if numbers != list(range(numbers[0], numbers[0] + 3)):
                    mixed.append(numbers)
                segment.sync()

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        segment.close()
        complete_cut(log)
        assert mixed == []
        records = list(log.read(segment.name))
        assert [r.number for r in records] == list(range(600))
        assert [r.event for r in records] == visits(3) * 200

    @pytest.mark.parametrize("line", [b"{}", b"5", b"null", b"[1]", b"", b"\xff\xfe", TORN])
    def test_a_broken_line_is_counted_and_left_out(self, log: Log, line: bytes) -> None:
        """Whatever stands in it, the lines around it are read."""
        segment = log.begin()
        segment.append(visits(2), 1)
        self.tear(segment, line + b"\n")
        segment.append(visits(1), 1)
        segment.close()
        complete_cut(log)
        broken: list[bool] = []
        found = list(log.read(segment.name, lambda: broken.append(True)))
        assert [r.number for r in found] == [0, 1, 2]
        assert len(broken) == 1
        assert len(list(log.read(segment.name))) == 3

    def test_what_is_not_there_cannot_be_read(self, log: Log) -> None:
        """A segment that was never written is an error, and not an empty one."""
        unknown = f"00000000-{0:016x}-0000000a"
        with pytest.raises(LogUnavailable, match=unknown):
            list(log.read(unknown))
        with pytest.raises(LogUnavailable, match=unknown):
            log.rewrite(unknown, lambda _: True)

    # --- writers that died -------------------------------------------------------------------

    def test_a_torn_last_line_is_cut_off_and_counted(self, log: Log) -> None:
        """An orphan keeps every whole line, and says how many bytes of a torn one it lost."""
        segment = log.begin()
        segment.append(visits(2), 1)
        self.tear(segment, TORN)
        segment.abandon()
        (orphan,) = log.orphans()
        assert orphan.torn == len(TORN)
        assert [r.number for r in orphan.records()] == [0, 1]
        orphan.close()
        complete_cut(log)
        broken: list[bool] = []
        assert len(list(log.read(segment.name, lambda: broken.append(True)))) == 2
        assert broken == []

    @pytest.mark.parametrize("torn", [TORN, b"x" * (3 << 20)])
    def test_a_segment_with_nothing_whole_goes_away(self, log: Log, torn: bytes) -> None:
        """However long the torn line is."""
        segment = log.begin()
        self.tear(segment, torn)
        segment.abandon()
        (orphan,) = log.orphans()
        assert orphan.torn == len(torn)
        orphan.close()
        assert log.open_segments() == log.closed_segments() == []

    def test_an_orphan_belongs_to_one(self, log: Log, again: Opener) -> None:
        """What a living process writes is no orphan, and one that was found is not found again."""
        alive, dead = log.begin(), log.begin()
        dead.append([BARE], 1)
        dead.abandon()
        (orphan,) = log.orphans()
        assert orphan.name == dead.name
        assert list(again().orphans()) == []
        orphan.close()
        assert list(log.orphans()) == []
        alive.close()

    def test_an_orphan_may_be_left_for_another(self, log: Log, again: Opener) -> None:
        """What its first finder has no time for, the next one finds as it was."""
        dead = log.begin()
        written = dead.append(visits(3), 1)
        dead.abandon()
        (orphan,) = log.orphans()
        orphan.abandon()
        (found,) = again().orphans()
        assert found.name == dead.name
        assert list(found.records()) == written
        found.close()

    def test_a_killed_process_leaves_orphans(self, log: Log, place: Place) -> None:
        """What it had made durable is there, in order, though that process has closed nothing."""
        command = [sys.executable, "-c", _KILLED, place.uri, str(place.spool)]
        subprocess.run(command, check=False)
        orphans = list(log.orphans())
        assert [orphan.name for orphan in orphans] == log.open_segments()
        assert len(orphans) == 2
        for orphan in orphans:
            records = list(orphan.records())
            assert [r.number for r in records] == list(range(6))
            assert [r.received_us for r in records] == [0, 0, 1, 1, 2, 2]
            assert orphan.torn == 0
            orphan.close()
        assert log.covered_by(complete_cut(log)) == [orphan.name for orphan in orphans]

    # --- cuts --------------------------------------------------------------------------------

    def test_an_empty_log_can_be_cut(self, log: Log) -> None:
        """There is nothing to wait for, and nothing is covered."""
        log.check()
        assert log.epoch() == 0
        watermark = complete_cut(log)
        assert log.covered_by(watermark) == log.closed_segments() == log.open_segments() == []
        assert not watermark.covers(closed_segment(log))

    def test_a_cut_covers_what_was_closed(self, log: Log) -> None:
        """Segments begun before it are covered, later ones are not; each goes on from the last."""
        before = log.begin()
        before.append([BARE], 1)
        watermark = log.cut(WAIT_S, once(before.close))
        assert watermark == Watermark({spool_of(before.name): 0})
        after = closed_segment(log)
        assert log.covered_by(watermark) == [before.name]
        assert (epoch_of(before.name), epoch_of(after)) == (0, 1)
        assert log.covered_by(complete_cut(log)) == [before.name, after]

    def test_each_cut_ends_an_epoch(self, log: Log, again: Opener) -> None:
        """All processes know of it, and the names of segments are in the order of their epochs."""
        names = []
        for epoch in range(3):
            assert log.epoch() == again().epoch() == epoch
            names += [closed_segment(log), closed_segment(log)]
            assert {epoch_of(name) for name in names[-2:]} == {epoch}
            assert log.covered_by(complete_cut(log)) == names == sorted(set(names))

    def test_a_cut_does_not_cover_a_stalled_writer(self, log: Log) -> None:
        """Its segment belongs to the next cut once it is closed; what others closed is covered."""
        stalled = log.begin()
        stalled.append([BARE], 1)
        other = closed_segment(log)
        log.ship()
        watermark = log.cut(0, nothing)
        assert watermark == Watermark({spool_of(other): -1}, frozenset([other]), False)
        stalled.append([BARE], 2)
        stalled.close()
        assert not watermark.covers(stalled.name)
        assert log.covered_by(watermark) == [other]
        following = complete_cut(log)
        assert following == Watermark({spool_of(other): 1})
        assert log.covered_by(following) == [stalled.name, other]
        assert len(list(log.read(stalled.name))) == 2

    def test_a_cut_waits_for_a_living_writer(self, log: Log) -> None:
        """A writer that closes its segment a little later is covered."""
        segment = log.begin()
        segment.append([BARE], 1)
        asked: list[int] = []

        def close_segments() -> None:
            asked.append(len(asked))
            if len(asked) == 3:
                segment.close()

        watermark = log.cut(WAIT_S, close_segments)
        assert watermark.is_complete
        assert log.covered_by(watermark) == [segment.name]
        assert asked == [0, 1, 2]

    def test_a_cut_leaves_later_segments_alone(self, log: Log) -> None:
        """A segment of the new epoch is not waited for."""
        old = log.begin()
        old.append([BARE], 1)
        new: list[Segment] = []

        def close_segments() -> None:
            if log.epoch() == 1 and not new:
                new.append(log.begin())
                new[0].append([BARE], 1)
                old.close()

        assert log.cut(WAIT_S, close_segments) == Watermark({spool_of(new[0].name): 0})
        assert log.open_segments() == [new[0].name]
        new[0].close()

    # --- rewriting ---------------------------------------------------------------------------

    def test_rewriting_drops_only_what_is_turned_down(self, log: Log, again: Opener) -> None:
        """The others keep their numbers, moments and words."""
        segment = log.begin()
        records = segment.append([FULL, BARE, *visits(3)], 5)
        segment.close()
        watermark = complete_cut(log)
        assert log.covered_by(watermark) == [segment.name]
        assert log.rewrite(segment.name, lambda r: r.event.visitor != "u:ann" or r.event.bot) == 3
        for reader in (log, again()):
            assert reader.covered_by(watermark) == [segment.name]
            assert list(reader.read(segment.name)) == records[:2]
        assert log.closed_segments() == [segment.name]

    def test_rewriting_everything_away_leaves_an_empty_segment(self, log: Log) -> None:
        """It can be read, and rewritten again."""
        name = closed_segment(log, *visits(2))
        complete_cut(log)
        assert log.rewrite(name, lambda _: False) == 2
        assert list(log.read(name)) == []
        assert log.rewrite(name, lambda _: False) == 0
        assert log.closed_segments() == [name]

    def test_a_rewriting_that_fails_leaves_all_as_it_was(self, log: Log, again: Opener) -> None:
        """A reader, meanwhile or afterwards, finds the whole segment."""
        name = closed_segment(log, *visits(5))
        watermark = complete_cut(log)

        def keep(record: Record) -> bool:
            assert len(list(again().read(name))) == 5
            if record.number == 3:
                raise KeyError
            return False

        with pytest.raises(KeyError):
            log.rewrite(name, keep)
        for reader in (log, again()):
            assert reader.covered_by(watermark) == [name]
            assert [r.event for r in reader.read(name)] == visits(5)
        assert log.rewrite(name, lambda r: r.number > 1) == 2
        assert [r.number for r in again().read(name)] == [2, 3, 4]

    def test_a_reader_never_finds_a_part(self, log: Log, again: Opener) -> None:
        """Where a segment is rewritten under it, it reads the old content, or fails."""
        count = 20_000  # more than is read at a time
        name = closed_segment(log, *visits(count))
        watermark = complete_cut(log)
        reader = again()
        assert reader.covered_by(watermark) == [name]
        reading = reader.read(name)
        numbers = [next(reading).number]
        assert log.rewrite(name, lambda r: r.number % 2 == 0) == count // 2
        try:
            numbers += [r.number for r in reading]
        except LogUnavailable:
            assert numbers == list(range(len(numbers)))
        else:
            assert numbers == list(range(count))
        assert reader.covered_by(watermark) == [name]
        assert [r.number for r in reader.read(name)] == list(range(0, count, 2))

    # --- shipping, and the end ---------------------------------------------------------------

    def test_what_is_closed_is_shipped(self, log: Log) -> None:
        """Nothing waits then, and nothing is away; a segment that is still open stays."""
        name = closed_segment(log)
        left = log.begin()
        left.append([BARE], 1)
        log.ship()
        assert log.unshipped()[1:] == (0, 0, "", 0.0)
        assert log.unshipped().in_words(0).startswith("0 segments wait in ")
        assert log.open_segments() == [left.name]
        assert log.closed_segments() == [name]
        left.close()

    def test_shipping_stops_when_it_is_told_to(self, log: Log) -> None:
        """What is left to a later call is none the worse for it."""
        names = [closed_segment(log), closed_segment(log)]
        log.ship(lambda: True)
        assert log.unshipped().why == ""
        log.ship()
        assert log.unshipped().segments == 0
        assert log.covered_by(complete_cut(log)) == names

    def test_a_closed_log_leaves_all_to_the_next_process(self, log: Log, again: Opener) -> None:
        """Closing twice is closing once; what is there is read, and what is open is found."""
        name = closed_segment(log, *visits(2))
        left = log.begin()
        left.append([BARE], 1)
        left.sync()
        left.abandon()
        log.ship()
        log.close()
        log.close()
        heir = again()
        (orphan,) = heir.orphans()
        orphan.close()
        assert heir.covered_by(complete_cut(heir)) == [name, left.name]
        assert [r.event for r in heir.read(name)] == visits(2)


def once(close: Callable[[], None]) -> Callable[[], None]:
    """Close a segment the first time a cut asks for it."""
    closed: list[bool] = []

    def close_segments() -> None:
        if not closed:
            close()
            closed.append(True)

    return close_segments
