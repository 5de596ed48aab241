"""What happens to an event between the log and its visitor's recent row."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hbase_schema import names as t
from hbase_schema.cells import RecentCell
from webrec.domain.types import Event, Page
from webrec.errors import LogUnavailable, StoreUnavailable
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.storage import open_store, sqlite_pool
from webrec.storage.base import RowCells, Swap
from webrec.storage.sqlite import SqliteStore
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables

A, B, C = (f"https://site.example/{name}" for name in "abc")
ANN, BOB = "u:ann", "u:bob"
LARGE = 1 << 20

Seen = dict[str, tuple[int, int]]
Start = Callable[..., Recorder]


def visit(url: str = A, visitor: str | None = ANN, event_id: str | None = None) -> Event:
    """Somebody opened a page."""
    return Event("visit", url, visitor, 0, event_id)


def accept(url: str = A, visitor: str | None = ANN) -> Event:
    """Somebody followed a recommendation."""
    return Event("accept", url, visitor, 0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store does not wait long for other writers."""
    monkeypatch.setattr(sqlite_pool, "_BUSY_TIMEOUT_S", 0.05)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    """The tables of a new store."""
    with closing(open_store(f"sqlite:///{tmp_path}/webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        yield tables


@pytest.fixture
def log(tmp_path: Path) -> LocalLog:
    """A new log."""
    return LocalLog(tmp_path / "log")


@pytest.fixture
def start(tables: Tables, log: LocalLog) -> Iterator[Start]:
    """Makes recorders over the same log and tables, as if each were a process of its own."""
    made: list[Recorder] = []

    def start(
        segment_bytes: int = LARGE, tables: Tables = tables, most_in_memory: int = LARGE
    ) -> Recorder:
        made.append(Recorder(tables, log, segment_bytes, most_in_memory))
        return made[-1]

    yield start
    for recorder in made:
        recorder.close()


@pytest.fixture
def recorder(start: Start) -> Recorder:
    """A recorder without its background thread: nothing is flushed unless a test does it."""
    return start()


def _summed(cells: Iterable[RecentCell]) -> Seen:
    visits: Counter[str] = Counter()
    accepts: Counter[str] = Counter()
    for cell in cells:
        visits[cell.url] += cell.visits
        accepts[cell.url] += cell.accepts
    return {url: (visits[url], accepts[url]) for url in visits}


def known(recorder: Recorder, visitor: str = ANN) -> Seen:
    """Visits and accepts of each URL, as this recorder's process sees them."""
    return _summed(recorder.recent(visitor, lambda _: False).cells.values())


def stored(tables: Tables, visitor: str = ANN) -> Seen:
    """The same as every other process sees it."""
    return _summed(tables.visitors.recent(visitor, lambda _: False).cells.values())


@contextmanager
def store_away(tmp_path: Path) -> Iterator[None]:
    """Nothing can be written to the store meanwhile."""
    with closing(sqlite3.connect(tmp_path / "webrec.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


# --- showing and flushing --------------------------------------------------------------------


def test_a_visit_is_seen_at_once_where_it_was_recorded(recorder: Recorder, tables: Tables) -> None:
    """Before any flush the recorder's own reads hold the event, and the store does not."""
    recorder.record([visit(), visit(), accept()])
    recorder.record_soon(visit(B))
    assert known(recorder) == {A: (2, 1), B: (1, 0)}
    assert stored(tables) == {}
    assert recorder.backlog == 4


def test_a_flush_shows_it_to_everybody_once(recorder: Recorder, tables: Tables) -> None:
    """After a flush the store has it, the recorder's own view is the same, and so it stays."""
    recorder.record([visit(), accept()])
    for _ in range(2):
        recorder.flush()
        assert stored(tables) == known(recorder) == {A: (1, 1)}
    recorder.record([visit(), visit(B)])
    assert known(recorder) == {A: (2, 1), B: (1, 0)}
    assert stored(tables) == {A: (1, 1)}
    recorder.flush()
    assert stored(tables) == known(recorder) == {A: (2, 1), B: (1, 0)}
    assert recorder.backlog == 0


def test_several_recorders_add_up(start: Start, tables: Tables) -> None:
    """Each writes cells of its own, so what they say of one visitor and page is summed."""
    one, other = start(), start()
    one.record([visit(), visit()])
    other.record([visit(), accept()])
    one.flush()
    assert known(other) == {A: (3, 1)}
    other.flush()
    assert stored(tables) == known(one) == known(other) == {A: (3, 1)}


def test_what_a_generation_has_absorbed_is_left_out(recorder: Recorder) -> None:
    """A covered segment counts for nothing more, whether it is in the overlay or in the store."""
    recorder.record([visit()])
    watermark = recorder.cut(0)
    recorder.record([visit(), visit(B)])
    assert _summed(recorder.recent(ANN, watermark.covers).cells.values()) == {
        A: (1, 0),
        B: (1, 0),
    }
    recorder.flush()
    assert recorder.recent(ANN, lambda _: True).cells == {}
    recorder.record([visit()])
    assert recorder.recent(ANN, lambda _: True).cells == {}


def test_robots_anonymous_visitors_and_pages_are_in_no_profile(
    recorder: Recorder, tables: Tables, log: LocalLog
) -> None:
    """They are all in the log, and no recent row comes of them."""
    recorder.record(
        [
            replace(visit(), bot=True),
            visit(visitor=None),
            Event("page", A, ANN, 0, title="About A"),
        ]
    )
    recorder.record_soon(replace(visit(), bot=True))
    assert known(recorder) == {}
    recorder.close()
    assert list(tables.store.scan(t.RECENT)) == []
    (segment,) = log.closed_segments()
    assert len(list(log.read(segment))) == 4


def test_segments_end_at_their_size_and_with_a_cut(start: Start, log: LocalLog) -> None:
    """A full segment is closed by the next flush, and so is one that a cut has ended."""
    recorder = start(segment_bytes=200)
    recorder.record([visit(), visit()])
    recorder.roll()
    recorder.flush()
    assert len(log.closed_segments()) == 1
    recorder.record([visit()])
    recorder.roll()
    assert len(log.closed_segments()) == 1
    assert recorder.cut(0).is_complete
    assert len(log.closed_segments()) == 2
    recorder.record([visit()])
    assert known(recorder) == {A: (4, 0)}


def test_threads_share_a_recorder(start: Start, tables: Tables) -> None:
    """Events of several threads all count once while others flush and roll."""
    recorder = start(segment_bytes=2_000)
    done = threading.Event()

    def keep_flushing() -> None:
        while not done.is_set():
            recorder.roll()
            recorder.flush()

    def send(me: int) -> None:
        for n in range(60):
            recorder.record([visit(event_id=f"{me}-{n}"), accept(B)])
            recorder.record_soon(visit(C))

    flushing = threading.Thread(target=keep_flushing)
    senders = [threading.Thread(target=send, args=(me,)) for me in range(4)]
    for thread in (flushing, *senders):
        thread.start()
    for sender in senders:
        sender.join()
    done.set()
    flushing.join()
    recorder.flush()
    assert stored(tables) == known(recorder) == {A: (240, 0), B: (0, 240), C: (240, 0)}


def test_the_background_keeps_the_promises(start: Start, tables: Tables, log: LocalLog) -> None:
    """Once started, a recorder flushes by itself, closes what a cut ended, and recovers."""
    dead = log.begin()
    dead.append([visit(B)], 5)
    dead.abandon()
    recorder = start()
    recorder.start()
    recorder.record([visit()])
    watermark = log.cut(30, lambda: None)
    assert watermark.is_complete
    assert stored(tables) == {A: (1, 0), B: (1, 0)}


# --- repeats ---------------------------------------------------------------------------------


def test_an_event_id_counts_once(start: Start, tables: Tables) -> None:
    """A repeat counts for nothing: in the same call, in the next one, and at another recorder."""
    one, other = start(), start()
    one.record([visit(event_id="x"), visit(event_id="x"), visit(B, event_id="y")])
    one.record([visit(event_id="x")])
    other.record([visit(event_id="x"), visit(C, event_id="z")])
    one.flush()
    assert known(one) == {A: (1, 0), B: (1, 0)}
    other.flush()
    assert stored(tables) == {A: (1, 0), B: (1, 0), C: (1, 0)}


def test_a_robot_takes_no_event_id(recorder: Recorder) -> None:
    """A person's event counts though a robot sent the same id before."""
    recorder.record([replace(visit(event_id="x"), bot=True), visit(event_id="x")])
    recorder.flush()
    assert known(recorder) == {A: (1, 0)}


def test_an_event_id_counts_once_after_a_recovery(start: Start, tables: Tables) -> None:
    """Neither the replay of a dead writer's segment nor a repeat after it counts again."""
    dead = start()
    dead.record([visit(event_id="x"), visit(event_id="y")])
    _die(dead)
    heir = start()
    heir.record([visit(event_id="x")])
    assert known(heir) == {}
    heir.recover()
    heir.record([visit(event_id="y")])
    heir.flush()
    assert stored(tables) == {A: (2, 0)}


def test_a_repeat_wins_over_one_that_was_never_shown(
    start: Start, log: LocalLog, tables: Tables
) -> None:
    """Where a writer died before it claimed an id, the sender's second attempt counts, alone."""
    dead = log.begin()
    dead.append([visit(event_id="x")], 5)
    dead.abandon()
    heir = start()
    heir.record([visit(event_id="x")])
    heir.recover()
    heir.flush()
    assert stored(tables) == {A: (1, 0)}


# --- the store is away -----------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
def test_events_are_taken_while_the_store_is_away(
    recorder: Recorder, tables: Tables, tmp_path: Path
) -> None:
    """They are durable in the log, and count once the store is back: each once."""
    recorder.record([visit(event_id="x")])
    recorder.flush()
    with store_away(tmp_path):
        recorder.record([visit(B, event_id="y"), visit(event_id="x"), visit(B, event_id="y")])
        recorder.record_soon(visit(C))
        assert recorder.backlog == 4
        with pytest.raises(StoreUnavailable):
            recorder.flush()
        assert known(recorder) == {A: (1, 0), C: (1, 0)}
    recorder.flush()
    assert stored(tables) == known(recorder) == {A: (1, 0), B: (1, 0), C: (1, 0)}
    assert recorder.backlog == 0


@pytest.mark.usefixtures("impatient")
def test_a_segment_stays_open_until_the_store_has_its_events(
    recorder: Recorder, log: LocalLog, tmp_path: Path
) -> None:
    """A cut while the store is away does not cover what only the log has."""
    with store_away(tmp_path):
        recorder.record([visit(event_id="x")])
        with pytest.raises(StoreUnavailable):
            recorder.cut(0)
        assert log.closed_segments() == []
    assert recorder.cut(0).is_complete
    assert len(log.closed_segments()) == 1


@pytest.mark.usefixtures("impatient")
def test_what_waits_too_long_for_the_store_waits_in_the_log(
    start: Start, tables: Tables, log: LocalLog, tmp_path: Path
) -> None:
    """Past a number of events memory is let go of, and everything counts once in the end."""
    recorder = start(most_in_memory=3)
    recorder.record([visit(), visit(B, event_id="y")])
    with store_away(tmp_path):
        with pytest.raises(StoreUnavailable):
            recorder.flush()
        assert recorder.backlog == 2
        recorder.record([visit(C), visit(event_id="x")])
        with pytest.raises(StoreUnavailable):
            recorder.flush()
        assert recorder.backlog == 0
        assert known(recorder) == {}
        recorder.record([visit(C), visit(B, event_id="y")])
        assert len(log.open_segments()) == 2
    recorder.recover()
    recorder.flush()
    assert stored(tables) == known(recorder) == {A: (2, 0), B: (1, 0), C: (2, 0)}
    assert recorder.cut(0).is_complete


def page(url: str, title: str) -> Event:
    """Somebody described a page."""
    return Event("page", url, None, 1, title=title)


@pytest.mark.usefixtures("impatient")
def test_texts_that_wait_too_long_for_the_store_wait_in_the_log(
    tables: Tables, log: LocalLog, tmp_path: Path
) -> None:
    """They are no events that the store does not show, and a recovery finds those let go of."""
    with closing(Recorder(tables, log, LARGE, 3, new_among=lambda urls: urls)) as recorder:
        with store_away(tmp_path):
            recorder.record([page(A, "a"), page(B, "b"), page(B, "b"), page(C, "c")])
            with pytest.raises(StoreUnavailable):
                recorder.flush()
            assert (recorder.backlog, len(recorder._unsaid)) == (0, 3)
            recorder.record([page(f"{A}/2", "d")])
            assert recorder.backlog == 0
            with pytest.raises(StoreUnavailable):
                recorder.flush()
            assert not recorder._unsaid
            assert recorder._writing is None
        assert tables.page_texts.get_many([A, B]) == [None, None]
        recorder.recover()
        titles = [said and said.title for said in tables.page_texts.get_many([A, B, C, f"{A}/2"])]
        assert titles == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("impatient")
def test_texts_of_known_pages_do_not_linger(tables: Tables, log: LocalLog, tmp_path: Path) -> None:
    """Not even while the store is away: nothing has to be written of them."""
    with closing(Recorder(tables, log, LARGE, 3, new_among=lambda _: {B})) as recorder:
        with store_away(tmp_path):
            recorder.record([page(A, "a"), page(B, "b"), page(C, "c")])
            with pytest.raises(StoreUnavailable):
                recorder.flush()
            assert recorder._writing is not None
            assert list(recorder._writing.said) == [B]
            assert recorder._unsaid == {(recorder._writing, B)}
        recorder.flush()
        assert not recorder._unsaid
        assert tables.page_texts.get(B) == Page(B, "b")


@pytest.mark.usefixtures("impatient")
def test_closing_while_the_store_is_away_loses_nothing(
    start: Start, tables: Tables, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The next start replays the log."""
    recorder = start()
    recorder.record([visit(event_id="x")])
    with store_away(tmp_path), caplog.at_level(logging.WARNING):
        recorder.record([visit(event_id="y")])
        recorder.close()
    assert "the store is away" in caplog.text
    heir = start()
    heir.recover()
    assert stored(tables) == {A: (2, 0)}
    assert heir.recovered.segments == 1
    assert heir.recovered.events == 2


# --- closing and recovering ------------------------------------------------------------------


def test_closing_makes_everything_known(recorder: Recorder, tables: Tables, log: LocalLog) -> None:
    """Afterwards the store has every event and no segment is open; an empty one is gone."""
    recorder.record([visit()])
    recorder.record_soon(visit(B))
    recorder.close()
    assert stored(tables) == {A: (1, 0), B: (1, 0)}
    assert log.open_segments() == []
    assert len(log.closed_segments()) == 1


def test_a_log_that_is_away_refuses_and_shows_nothing(
    recorder: Recorder, log: LocalLog, tmp_path: Path
) -> None:
    """An event that could not be written is in no row."""
    (tmp_path / "log" / "open").rmdir()
    with pytest.raises(LogUnavailable):
        recorder.record([visit()])
    with pytest.raises(LogUnavailable):
        recorder.record_soon(visit())
    assert known(recorder) == {}
    (tmp_path / "log" / "open").mkdir()
    recorder.record([visit()])
    assert known(recorder) == {A: (1, 0)}


def _die(recorder: Recorder) -> None:
    """What a killed process leaves: its open segment, unlocked."""
    writing = recorder._writing
    assert writing is not None
    writing.segment.abandon()
    recorder._writing = None
    recorder._pending.clear()


def test_replaying_twice_changes_nothing(start: Start, tables: Tables, log: LocalLog) -> None:
    """A recovery that was itself cut off is repeated by the next, with the same outcome."""
    dead = start()
    dead.record([visit(event_id="x"), visit(), accept(B)])
    dead.flush()
    dead.record([visit(event_id="y"), visit(visitor=BOB)])
    _die(dead)
    (orphan,) = log.orphans()
    for _ in range(2):
        start()._replay(orphan)
        assert stored(tables) == {A: (3, 0), B: (0, 1)}
        assert stored(tables, BOB) == {A: (1, 0)}
    orphan.abandon()
    start().recover()
    assert stored(tables) == {A: (3, 0), B: (0, 1)}
    assert log.open_segments() == []


def test_a_line_of_an_unknown_kind_is_not_recovered(
    start: Start, tables: Tables, log: LocalLog
) -> None:
    """It is no visit, it claims no id, and it stays in the log."""
    dead = start()
    dead.record([visit(event_id="x")])
    assert dead._writing is not None
    click = replace(visit(B, event_id="y"), kind="click")  # type: ignore[arg-type]
    dead._writing.segment.append([click, visit(C, event_id="y")], 1)
    _die(dead)
    heir = start()
    heir.recover()
    assert stored(tables) == {A: (1, 0), C: (1, 0)}
    assert heir.recovered.events == 2
    (segment,) = log.closed_segments()
    assert [record.event.kind for record in log.read(segment)] == ["visit", "click", "visit"]


@pytest.mark.usefixtures("impatient")
def test_a_recovery_that_fails_leaves_the_segment(
    start: Start, tables: Tables, log: LocalLog, tmp_path: Path
) -> None:
    """With the store away the segment stays for the next attempt."""
    dead = start()
    dead.record([visit(event_id="x")])
    _die(dead)
    heir = start()
    with store_away(tmp_path), pytest.raises(StoreUnavailable):
        heir.recover()
    assert len(log.open_segments()) == 1
    heir.recover()
    assert stored(tables) == {A: (1, 0)}


def test_a_living_writer_is_not_recovered(start: Start, log: LocalLog) -> None:
    """The segment of a recorder that lives stays its own."""
    recorder, other = start(), start()
    recorder.record([visit()])
    other.recover()
    assert other.recovered.segments == 0
    assert len(log.open_segments()) == 1


_WRITER = """
import sys, itertools
from pathlib import Path
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.storage import open_store
from webrec.tables.tables import Tables
from webrec.domain.types import Event

home, name = Path(sys.argv[1]), sys.argv[2]
recorder = Recorder(Tables(open_store(f"sqlite:///{home}/webrec.db")), LocalLog(home / "log"), 4000)
recorder.start()
for n in itertools.count():
    ids = [f"{name}-{n}-{k}" for k in range(3)]
    recorder.record([Event("visit", f"https://site.example/{i}", "u:ann", 0, i) for i in ids])
    print(*ids, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(
    start: Start, tables: Tables, tmp_path: Path
) -> None:
    """Every event acknowledged before a `kill -9` counts exactly once after the recovery."""
    acknowledged: set[str] = set()
    for name in ("first", "second"):
        command = [sys.executable, "-c", _WRITER, str(tmp_path), name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(25):
                acknowledged.update(writer.stdout.readline().split())
            writer.kill()
            acknowledged.update(writer.stdout.read().split())
        before = stored(tables)
        assert set(before.values()) <= {(1, 0)}
        heir = start()
        heir.recover()
        assert heir.recovered.segments >= 1
        found = stored(tables)
        assert set(found.values()) == {(1, 0)}
        assert {f"https://site.example/{i}" for i in acknowledged} | before.keys() <= found.keys()
        heir.recover()
        assert stored(tables) == found


# --- forgetting ------------------------------------------------------------------------------


def test_forgetting_takes_all_that_was(start: Start, tables: Tables) -> None:
    """Events in the store, in the overlay, and in another recorder's count for nothing."""
    one, other = start(), start()
    one.record([visit(), visit(B, BOB)])
    one.flush()
    one.record([visit(B)])
    other.record([visit(C), accept()])
    one.forget(ANN)
    assert known(one) == known(other) == stored(tables) == {}
    one.flush()
    other.flush()
    assert known(one) == known(other) == stored(tables) == {}
    assert stored(tables, BOB) == {B: (1, 0)}


@pytest.mark.parametrize("flushed_before", [True, False])
@pytest.mark.parametrize("read_between", [True, False])
@pytest.mark.parametrize("flushed_between", [True, False])
def test_a_visit_after_forgetting_counts_alone(
    start: Start,
    tables: Tables,
    flushed_before: bool,
    read_between: bool,
    flushed_between: bool,
) -> None:
    """In a segment that is still written, the same page counts anew, and only what is new."""
    one, other = start(), start()
    for recorder in (one, other):
        recorder.record([visit(), visit(), accept()])
        if flushed_before:
            recorder.flush()
    one.forget(ANN)
    if read_between:
        assert known(one) == known(other) == {}
    if flushed_between:
        one.flush()
        other.flush()
    one.record([visit()])
    assert known(one) == {A: (1, 0)}
    other.record([visit(), visit(B)])
    assert known(other) == {A: (1, 0), B: (1, 0)}
    one.flush()
    other.flush()
    assert stored(tables) == known(one) == known(other) == {A: (2, 0), B: (1, 0)}
    one.record([visit()])
    assert known(one) == {A: (3, 0), B: (1, 0)}


def test_forgetting_outlives_the_writer(start: Start, tables: Tables) -> None:
    """The replay of a dead writer's segment brings back only what came after forgetting."""
    dead = start()
    dead.record([visit(), visit(B)])
    dead.flush()
    dead.forget(ANN)
    dead.record([visit(B)])
    _die(dead)
    start().recover()
    assert stored(tables) == {B: (1, 0)}


def test_forgetting_again_and_again(recorder: Recorder, tables: Tables) -> None:
    """Each time only what came since the last time is left."""
    for _ in range(3):
        recorder.record([visit(), visit(B)])
        assert known(recorder) == {A: (1, 0), B: (1, 0)}
        recorder.forget(ANN)
        recorder.flush()
        assert known(recorder) == stored(tables) == {}


def test_an_old_id_does_not_take_a_new_visit_along(
    recorder: Recorder, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waited with its id since before the visitor was forgotten is not added to the cell."""
    monkeypatch.setattr("webrec.recording.recorder._AT_ONCE", 1)
    recorder.record([visit(C, event_id="z")])
    recorder.record([visit(event_id="x")])
    recorder.forget(ANN)
    recorder.record([visit()])
    recorder.flush()
    assert known(recorder) == stored(tables) == {A: (1, 0)}


def test_a_stalled_writer_brings_back_nothing_forgotten(start: Start, tables: Tables) -> None:
    """A cut that does not cover its segment keeps the mark that its visitor was forgotten."""
    stalled, batch = start(), start()
    stalled.record([visit(), visit(B)])
    stalled.flush()
    batch.forget(ANN)
    cut_us = time.time_ns() // 1000
    watermark = batch.cut(0)
    assert not watermark.is_complete
    tables.visitors.clean_recent(Generation("000001", 0, cut_us, watermark, 3.0, (), (), ()))
    stalled.record([visit()])
    assert known(stalled) == {A: (1, 0)}
    _die(stalled)
    batch.recover()
    assert stored(tables) == {A: (1, 0)}


class _Meanwhile(SqliteStore):
    """A store in which something happens once: before ids are claimed, or marks are read."""

    def __init__(self, path: Path, when: str, happen: Callable[[], None]) -> None:
        super().__init__(path)
        self._when = when
        self._happen: list[Callable[[], None]] = [happen]

    def _now(self, when: str) -> None:
        if when == self._when and self._happen:
            self._happen.pop()()

    def get_many(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes] | None = None
    ) -> list[RowCells]:
        """Read, after what happens."""
        if table == t.RECENT:
            self._now("marks are read")
        return super().get_many(table, rows, columns)

    def check_and_put(self, table: str, column: bytes, rows: Mapping[bytes, Swap]) -> list[bool]:
        """Write, after what happens."""
        if table == t.EVENTS:
            self._now("ids are claimed")
        return super().check_and_put(table, column, rows)


def test_an_event_during_a_flush_that_drops_the_forgotten(
    start: Start, tables: Tables, tmp_path: Path
) -> None:
    """It counts once, and the next flush works."""

    def happen() -> None:
        busy.forget(ANN)
        busy.record([visit(), visit(B)])

    with closing(_Meanwhile(tmp_path / "webrec.db", "marks are read", happen)) as store:
        busy = start(tables=Tables(store))
        busy.record([visit(), visit(C)])
        for _ in range(3):
            busy.flush()
        assert stored(tables) == known(busy) == {A: (1, 0), B: (1, 0)}
        busy.close()


def test_a_segment_is_not_closed_under_a_call(
    start: Start, tables: Tables, log: LocalLog, tmp_path: Path
) -> None:
    """While an event is in the log and not yet shown, its segment stays for a recovery to find."""
    open_then: list[str] = []

    def happen() -> None:
        busy.roll()
        open_then.extend(log.open_segments())

    with closing(_Meanwhile(tmp_path / "webrec.db", "ids are claimed", happen)) as store:
        busy = start(segment_bytes=10, tables=Tables(store))
        busy.record([visit(event_id="x")])
        busy.flush()
        assert len(open_then) == 1
        assert log.closed_segments() == open_then
        assert stored(tables) == {A: (1, 0)}
        busy.close()
