"""[1] → [3] What happens to an event: into the raw log, then into its visitor's recent row.

The log is the truth; the recent row shows the event before the next batch does. An event reaches
the store a moment after the log; until then it is in this process's overlay, which is part of
every read here.

A recent cell holds all that one segment says of a visitor and a URL, as absolute counts, and a
segment has one writer: writing a cell again changes nothing. So when a writer dies, whoever finds
its segment replays it whole, and no event is lost or counted twice.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import NamedTuple

from hbase_schema import row_keys as keys
from hbase_schema.cells import RecentCell
from webrec.domain.event_kinds import COUNTS_AS, KNOWN_KINDS
from webrec.domain.types import Event
from webrec.errors import LogUnavailable, StoreUnavailable, WebrecError
from webrec.rawlog import Log, Record, Segment, Watermark, epoch_of
from webrec.tables.page_texts import PageText
from webrec.tables.tables import Tables
from webrec.tables.visitors import Recent

_TICK_S = 0.2
_ORPHANS_EVERY_S = 1.0
_SHIP_EVERY_S = 1.0
_LAST_SHIPPING_S = 10.0
_CLOSING_S = 15.0
_BULK = 5_000
_AT_ONCE = 500
_WRITTEN_AT_ONCE = 20_000
_MOST_IN_MEMORY = 200_000

_log = logging.getLogger(__name__)

_Cells = dict[tuple[str, bytes], RecentCell]
"""Recent cells by visitor and column."""


@dataclass(slots=True)
class Recovered:
    """What was found in segments whose writers had died."""

    segments: int = 0
    events: int = 0
    torn_bytes: int = 0


@dataclass(slots=True, eq=False)
class _Writing:
    """A segment of ours.

    Attributes:
        busy: calls that are between its log and its cells.
        cells: what it says of everybody, as it will be in the store.
        order: how many of its events are in the cells.
        said: the newest text it has of each page that may be new.
    """

    segment: Segment
    busy: int = 0
    cells: _Cells = field(default_factory=dict)
    order: int = 0
    said: dict[str, PageText] = field(default_factory=dict)


_Heard = tuple[_Writing, str]
"""A page of which a segment of ours says something, by its URL."""


class _Pending(NamedTuple):
    """An event whose cell changed since it was written to the store."""

    writing: _Writing
    visitor: str
    column: bytes
    record: Record
    order: int


class Recorder:
    """Records events for one process; safe to use from several threads.

    Args:
        tables: where recent rows live.
        log: the raw log.
        segment_bytes: size at which a segment is closed.
        most_in_memory: events, and texts of pages, that may wait here for a store that is slow or
            away; past it they wait in the log alone, for a recovery to show them.
        new_among: of some URLs, those of pages whose text is kept until the next batch; none when
            left out.
    """

    def __init__(
        self,
        tables: Tables,
        log: Log,
        segment_bytes: int,
        most_in_memory: int = _MOST_IN_MEMORY,
        new_among: Callable[[Collection[str]], Collection[str]] = lambda _: (),
    ) -> None:
        self._tables = tables
        self._log = log
        self._segment_bytes = segment_bytes
        self._most_in_memory = most_in_memory
        self._new_among = new_among
        self._lock = threading.Lock()
        self._flush_lock = threading.Lock()
        self._writing: _Writing | None = None
        self._retired: list[_Writing] = []
        self._unclaimed: list[tuple[_Writing, list[Record]]] = []
        self._unclaimed_events = 0
        self._pending: list[_Pending] = []
        self._unsaid: set[_Heard] = set()
        self._overlay: dict[str, dict[bytes, RecentCell]] = {}
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self._has_written = False
        self._told_waiting = False
        self._late_at = inf
        self.recovered = Recovered()

    @property
    def backlog(self) -> int:
        """Events in the log that the store does not show yet."""
        return len(self._pending) + self._unclaimed_events

    @property
    def _is_full(self) -> bool:
        """Whether more waits here than may, of events or of texts of pages."""
        return max(self.backlog, len(self._unsaid)) > self._most_in_memory

    def record_soon(self, event: Event) -> None:
        """Write an event to the operating system; it is on disk within a second.

        Raises:
            LogUnavailable: it could not be written.
        """
        with self._appending() as writing:
            self._show(writing, writing.segment.append((event,), time.time_ns() // 1000))
            self._hear(writing, (event,))

    def record(self, events: Sequence[Event]) -> None:
        """Make events durable, then show them; returns when they are on disk.

        An event with an id is shown by the next flush, which finds out whether it is a repeat: no
        sender waits for the store.

        Raises:
            LogUnavailable: they could not be made durable.
        """
        with self._appending() as writing:
            records = writing.segment.append(events, time.time_ns() // 1000)
            writing.segment.sync()
            self._hear(writing, events)
            self._show(writing, [r for r in records if r.event.event_id is None])
            with_id = [r for r in records if r.event.event_id is not None]
            with self._lock:
                for start in range(0, len(with_id), _AT_ONCE):
                    self._unclaimed.append((writing, with_id[start : start + _AT_ONCE]))
                    writing.busy += 1
                self._unclaimed_events += len(with_id)

    def recent(
        self, visitor: str, covers: Callable[[str], bool], within_s: float | None = None
    ) -> Recent:
        """What happened to a visitor since a generation, the events of this process included.

        Args:
            covers: whether the generation has absorbed a segment.
            within_s: seconds after which the answer is of no use any more.

        Raises:
            StoreUnavailable: the store does not say.
        """
        # the overlay first: what leaves it between the two reads is in the store by then
        mine = dict(self._overlay.get(visitor, ()))
        found = self._tables.visitors.recent(visitor, covers, within_s)
        return self._with(mine, visitor, covers, found)

    def recent_here(self, visitor: str, covers: Callable[[str], bool]) -> Recent:
        """The part of it that this process knows without the store."""
        mine = dict(self._overlay.get(visitor, ()))
        return self._with(mine, visitor, covers, Recent({}, 0))

    def forget(self, visitor: str) -> None:
        """Forget a visitor: what was received until now counts for nothing any more."""
        self._tables.visitors.forget(visitor, time.time_ns() // 1000)

    def flush(self) -> None:
        """Write the overlay to the store and close the segments that are done with.

        Raises:
            StoreUnavailable: what was not written is kept for the next time.
        """
        with self._flush_lock:
            try:
                left = len(self._unclaimed)
                while left > 0 and not self._is_full and not self._is_late():
                    left -= self._claim()
                    self._write()
                self._write()
            finally:
                if self._is_full:
                    self._shed()

    def roll(self) -> None:
        """Go on in a new segment where a cut or the size asks for it."""
        with self._lock:
            writing = self._writing
            if writing is None:
                return
            segment = writing.segment
            is_done = segment.failed or segment.size >= self._segment_bytes
            if is_done or epoch_of(segment.name) < self._log.epoch():
                self._retired.append(writing)
                self._writing = None

    def recover(self) -> None:
        """Replay and close the segments whose writers are gone."""
        for orphan in self._log.orphans():
            try:
                events = self._replay(orphan)
            except BaseException:
                orphan.abandon()
                raise
            if events is None:
                orphan.abandon()
                return
            orphan.close()
            self.recovered.segments += 1
            self.recovered.events += events
            self.recovered.torn_bytes += orphan.torn
            _log.warning(
                "recovered %d events of a writer that died (%d bytes of a torn line cut off)",
                events,
                orphan.torn,
            )

    def cut(self, wait_s: float) -> Watermark:
        """Cut the log; what was recorded before is then complete, but for stalled writers."""

        def close_segments() -> None:
            self.roll()
            self.flush()
            self.recover()

        return self._log.cut(wait_s, close_segments)

    def start(self) -> None:
        """Keep this process's promises in the background: fsync, roll, flush; recover; ship."""
        # each in a thread of its own: the store may be slow, and a replay takes its time
        for name, every_s, steps in (
            ("recorder", _TICK_S, (self._sync, self.roll)),
            ("flush", _TICK_S, (self.flush,)),
            ("recovery", _ORPHANS_EVERY_S, (self.recover,)),
            ("shipping", _SHIP_EVERY_S, (self._ship,)),
        ):
            thread = threading.Thread(
                target=self._keep_going, args=(every_s, steps), name=name, daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Make everything durable and known; nothing can be recorded afterwards.

        What the store does not take in some seconds is left to the next process of this log.
        """
        self._late_at = time.monotonic() + _CLOSING_S
        self._stop.set()
        for thread in self._threads:
            thread.join()
        with self._lock:
            if self._writing is not None:
                self._retired.append(self._writing)
                self._writing = None
        self._sync()
        try:
            self.flush()
        except StoreUnavailable as error:
            _log.warning("the store is away: the next start replays the log (%s)", error)
        if self._retired:
            self._shed()
        if self._has_written:
            self._ship_last()
        self._log.close()

    def _keep_going(self, every_s: float, steps: Sequence[Callable[[], None]]) -> None:
        while not self._stop.wait(every_s):
            for step in steps:
                try:
                    step()
                except WebrecError as error:
                    _log.warning("%s: %s", step.__name__.strip("_"), error)
                except Exception:  # noqa: BLE001 - whatever one step met, the next must be made
                    _log.exception("%s failed", step.__name__.strip("_"))

    def _ship(self) -> None:
        self._log.ship(self._stop.is_set)
        waiting = self._log.unshipped()
        if waiting.why and waiting.segments and not self._told_waiting:
            _log.warning("%s", waiting.in_words(time.time()))
            self._told_waiting = True
        elif self._told_waiting and not waiting.why:
            _log.warning("segments are shipped again")
            self._told_waiting = False

    def _ship_last(self) -> None:
        """Ship what was just closed, as far as a few seconds allow; say what stays behind."""
        deadline = time.monotonic() + _LAST_SHIPPING_S
        try:
            while True:
                self._log.ship(lambda: time.monotonic() > deadline)
                waiting = self._log.unshipped()
                if not waiting.segments or waiting.why or time.monotonic() > deadline:
                    break
                time.sleep(_TICK_S)  # another process is at it
        except LogUnavailable as error:
            _log.warning("%s", error)
            return
        if waiting.segments:
            _log.warning(
                "%s. The service, or the next command on this home, ships them",
                waiting.in_words(time.time()),
            )

    def _sync(self) -> None:
        with self._lock:
            mine = [*self._retired, *([self._writing] if self._writing else [])]
        for writing in mine:
            writing.segment.sync()

    @contextlib.contextmanager
    def _appending(self) -> Iterator[_Writing]:
        """The segment to write to, kept from being closed meanwhile."""
        with self._lock:
            if self._writing is not None and self._writing.segment.failed:
                self._retired.append(self._writing)
                self._writing = None
            if self._writing is None:
                self._writing = _Writing(self._log.begin())
                self._has_written = True
            writing = self._writing
            writing.busy += 1
        try:
            yield writing
        finally:
            with self._lock:
                writing.busy -= 1

    def _show(self, writing: _Writing, records: Sequence[Record]) -> None:
        # some at a time, so that a large upload does not hold up everybody else's visit
        for start in range(0, len(records), _AT_ONCE):
            with self._lock:
                for record in records[start : start + _AT_ONCE]:
                    self._show_one(writing, record)

    def _show_one(self, writing: _Writing, record: Record) -> None:
        visitor = _profiled(record.event)
        if visitor is None:
            return
        writing.order += 1
        column = keys.recent_column(record.segment, record.event.url)
        cell = _add(writing.cells.get((visitor, column)), record, writing.order)
        writing.cells[visitor, column] = cell
        self._overlay.setdefault(visitor, {})[column] = cell
        self._pending.append(_Pending(writing, visitor, column, record, writing.order))

    def _hear(self, writing: _Writing, events: Iterable[Event]) -> None:
        """Note what events say of their pages."""
        telling = [event for event in events if _says(event)]
        if telling:
            with self._lock:
                _keep_newest(writing.said, telling)
                self._unsaid.update((writing, event.url) for event in telling)

    def _say(self) -> None:
        """Write the texts of pages that are new, and let go of the others."""
        with self._lock:
            heard = {(writing, url): writing.said[url] for writing, url in self._unsaid}
        if not heard:
            return
        new = set(self._new_among({url for _, url in heard}))
        with self._lock:  # at once: what is not written need not wait for the store
            for writing, url in self._heard_out(
                {k: s for k, s in heard.items() if k[1] not in new}
            ):
                del writing.said[url]
        told = {key: said for key, said in heard.items() if key[1] in new}
        self._tables.page_texts.put((w.segment.name, url, said) for (w, url), said in told.items())
        with self._lock:
            self._heard_out(told)

    def _heard_out(self, heard: Mapping[_Heard, PageText]) -> list[_Heard]:
        """Of what was heard, what was not followed by newer words meanwhile: it is dealt with."""
        done = [(w, url) for (w, url), said in heard.items() if w.said[url] is said]
        self._unsaid.difference_update(done)
        return done

    def _unshow(self, taken: int, written: _Cells) -> None:
        with self._lock:
            del self._pending[:taken]
            for (visitor, column), cell in written.items():
                # a flush may write an event that was shown after it began: the next one writes
                # it again and finds it gone from here
                row = self._overlay.get(visitor, {})
                if column in row and row[column].order <= cell.order:
                    del row[column]
                    if not row:
                        del self._overlay[visitor]

    def _fresh(self, records: list[Record]) -> list[Record]:
        """The records that repeat no event; their ids are claimed for them."""
        repeats = self._tables.event_ids.claim(r for r in records if not r.event.bot)
        return [r for r in records if keys.position(r.segment, r.number) not in repeats]

    def _write(self) -> None:
        while self._write_some():
            pass

    def _write_some(self) -> bool:
        """Write the oldest of what is pending.

        Returns:
            Whether there was more.
        """
        with self._lock:
            taken = self._pending[:_WRITTEN_AT_ONCE]
            is_all = len(taken) == len(self._pending)
            done = [w for w in self._retired if w.busy == 0] if is_all else []
            cells = {(p.visitor, p.column): p.writing.cells[p[1:3]] for p in taken}
        self._say()
        self._drop_forgotten(cells, taken)
        self._tables.visitors.put_recent((v, column, cell) for (v, column), cell in cells.items())
        self._unshow(len(taken), cells)
        for writing in done:
            try:
                writing.segment.close()
            except LogUnavailable as error:
                _log.warning("a segment stays open for now: %s", error)
            else:
                self._retired.remove(writing)
        return not is_all

    def _claim(self) -> int:
        """Find out which of the oldest events with ids are repeats, and show the others.

        Returns:
            How many entries of the unclaimed that were.
        """
        taken: list[tuple[_Writing, list[Record]]] = []
        events = 0
        for entry in self._unclaimed:
            events += len(entry[1])
            if taken and events > _AT_ONCE:
                break
            taken.append(entry)
        new = self._fresh([record for _, records in taken for record in records])
        # what came before its visitor was forgotten must not be added to what came after
        by_visitor = [(visitor, r) for r in new if (visitor := _profiled(r.event)) is not None]
        visitors = list({visitor: None for visitor, _ in by_visitor})
        forgotten = dict(zip(visitors, self._tables.visitors.forgotten_us(visitors), strict=True))
        fresh = {
            keys.position(r.segment, r.number)
            for visitor, r in by_visitor
            if r.received_us > forgotten[visitor]
        }
        for writing, records in taken:
            shown = [r for r in records if keys.position(r.segment, r.number) in fresh]
            self._show(writing, shown)
        with self._lock:
            del self._unclaimed[: len(taken)]
            for writing, records in taken:
                writing.busy -= 1
                self._unclaimed_events -= len(records)
        return len(taken)

    def _is_late(self) -> bool:
        """Whether this process was told to stop, and has used up its time for that."""
        return time.monotonic() > self._late_at

    def _shed(self) -> None:
        """Let go of what the store has not taken yet: it is in the log, for a recovery."""
        with self._lock:
            if self._writing is not None:
                self._retired.append(self._writing)
                self._writing = None
            waiting = Counter(id(writing) for writing, _ in self._unclaimed)
            left = [w for w in self._retired if w.busy == waiting[id(w)]]  # no call is at it
            self._retired = [w for w in self._retired if w not in left]
            self._unclaimed = [u for u in self._unclaimed if u[0] not in left]
            self._unclaimed_events = sum(len(records) for _, records in self._unclaimed)
            self._pending = [p for p in self._pending if p.writing not in left]
            self._unsaid = {unsaid for unsaid in self._unsaid if unsaid[0] not in left}
            segments = {writing.segment.name for writing in left}
            for visitor, row in list(self._overlay.items()):
                for column in [c for c in row if keys.segment_of(c) in segments]:
                    del row[column]
                if not row:
                    del self._overlay[visitor]
        for writing in left:
            try:
                writing.segment.sync()
            except LogUnavailable as error:
                _log.error("%s", error)
            writing.segment.abandon()
        _log.warning("the store does not keep up: %d segments wait to be replayed", len(left))

    def _with(
        self,
        mine: dict[bytes, RecentCell],
        visitor: str,
        covers: Callable[[str], bool],
        found: Recent,
    ) -> Recent:
        """What was found, with our own cells where they are newer."""
        for column, cell in mine.items():
            if covers(keys.segment_of(column)):
                continue
            stored = found.cells.get(column)
            if stored is None or stored.order < cell.order:
                counting = self._since(found.forgotten_us, visitor, column, cell)
                if counting is not None:
                    found.cells[column] = counting
        return found

    def _since(
        self, forgotten_us: int, visitor: str, column: bytes, cell: RecentCell
    ) -> RecentCell | None:
        """The cell without what came before its visitor was forgotten."""
        if cell.first_us > forgotten_us:
            return cell
        with self._lock:
            return _sum(
                p
                for p in self._pending
                if p[1:3] == (visitor, column) and p.record.received_us > forgotten_us
            )

    def _drop_forgotten(self, cells: _Cells, taken: list[_Pending]) -> None:
        """Take out of cells what came before their visitors were forgotten."""
        visitors = list({visitor: None for visitor, _ in cells})
        forgotten = dict(zip(visitors, self._tables.visitors.forgotten_us(visitors), strict=True))
        stale = {key for key, cell in cells.items() if cell.first_us <= forgotten[key[0]]}
        if not stale:
            return
        with self._lock:
            since: dict[tuple[str, bytes], list[_Pending]] = {key: [] for key in stale}
            for pending in self._pending:
                key = pending.visitor, pending.column
                if key in stale and pending.record.received_us > forgotten[pending.visitor]:
                    since[key].append(pending)
            for writing, visitor, column in {pending[:3] for pending in taken}:
                if (visitor, column) in stale:
                    # an empty cell stands for nothing, and still says that its events were dealt
                    # with; what follows in this segment is added to it
                    empty = cells[visitor, column]._replace(first_us=0, visits=0, accepts=0)
                    kept = _sum(since[visitor, column]) or empty
                    cells[visitor, column] = writing.cells[visitor, column] = kept

    def _replay(self, orphan: Segment) -> int | None:
        """Write the cells of a whole segment; again is as once.

        Returns:
            How many events it holds; None when there was no time for all of them.
        """
        cells: _Cells = {}
        said: dict[str, PageText] = {}
        events = order = 0
        records = (r for r in orphan.records() if r.event.kind in KNOWN_KINDS)
        while chunk := list(islice(records, _BULK)):
            if self._is_late():
                return None
            events += len(chunk)
            fresh = [r for r in self._fresh(chunk) if _profiled(r.event) is not None]
            visitors = list({str(r.event.visitor): None for r in fresh})
            forgotten = dict(
                zip(visitors, self._tables.visitors.forgotten_us(visitors), strict=True)
            )
            changed: _Cells = {}
            for record in fresh:
                order += 1
                visitor = str(record.event.visitor)
                if record.received_us > forgotten[visitor]:
                    key = visitor, keys.recent_column(record.segment, record.event.url)
                    changed[key] = cells[key] = _add(cells.get(key), record, order)
            self._tables.visitors.put_recent(
                (v, column, cell) for (v, column), cell in changed.items()
            )
            self._replay_said(orphan.name, [record.event for record in chunk], said)
        return events

    def _replay_said(self, segment: str, events: list[Event], said: dict[str, PageText]) -> None:
        """Write the texts of new pages as a segment has them so far."""
        telling = [event for event in events if _says(event)]
        _keep_newest(said, telling)
        urls = {event.url for event in telling}
        new = set(self._new_among(urls))
        for url in urls - new:
            del said[url]
        self._tables.page_texts.put((segment, url, said[url]) for url in sorted(new))


def _add(cell: RecentCell | None, record: Record, order: int) -> RecentCell:
    """The cell with one more event."""
    counter = COUNTS_AS[record.event.kind]
    visit, accept = counter == "visits", counter == "accepts"
    url = record.event.url
    if cell is None:
        return RecentCell(record.received_us, order, int(visit), int(accept), url)
    visits, accepts = cell.visits + visit, cell.accepts + accept
    first_us = min(cell.first_us, record.received_us)  # a late claim shows an earlier event later
    return RecentCell(first_us, order, visits, accepts, url)


def _sum(counting: Iterable[_Pending]) -> RecentCell | None:
    """One cell of some events; None for no events."""
    cell: RecentCell | None = None
    for pending in counting:
        cell = _add(cell, pending.record, pending.order)
    return cell


def _says(event: Event) -> bool:
    """Whether the event describes its page, for people."""
    return bool(event.title or event.keywords or event.description) and not event.bot


def _keep_newest(said: dict[str, PageText], events: Iterable[Event]) -> None:
    for event in events:
        said[event.url] = said.get(event.url, PageText()).newer(PageText.of(event))


def _profiled(event: Event) -> str | None:
    """The visitor in whose profile the event counts, if any."""
    return None if event.bot or COUNTS_AS[event.kind] is None else event.visitor
