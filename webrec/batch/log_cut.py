"""[1] The raw log in, the events that count out: no robots, no repeats, no forgotten visitors.

Event ids that were seen are kept in a scratch store on disk, so that memory does not grow with the
log.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from hbase_schema import row_keys as keys
from webrec.domain.event_kinds import COUNTERS, KNOWN_KINDS
from webrec.domain.progress import StepProgress
from webrec.domain.types import Event
from webrec.rawlog import Log, Record, Watermark
from webrec.storage import Store, Swap, open_scratch

_CHUNK = 5_000
"""Records whose event ids are looked up together: enough that the look-up costs little each."""

_SEEN, _COLUMN = "seen", b"m:seen"


class RawSegment(NamedTuple):
    """One segment of the log that a history covers.

    Attributes:
        name: as the log calls it, by which an engine of its own finds the segment's file.
        read: gives the records in their order, robots and repeats included, but none of a forgotten
            visitor and none that the cut does not keep.
    """

    name: str
    read: Callable[[], Iterator[Record]]


def _every(_: Event) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class LogCut:
    """The part of a log that a generation is made of.

    Attributes:
        log: where the records are.
        watermark: up to where they count.
        at_us: when the log was cut; visitors forgotten until then (µs) are not in the generation.
        forgotten: visitors whose events received until a moment (µs) are left out.
        keep: whether an event counts that is otherwise good: for a part of the log only.
    """

    log: Log
    watermark: Watermark
    at_us: int = 0
    forgotten: Mapping[str, int] = field(default_factory=dict)
    keep: Callable[[Event], bool] = _every

    def segments(self) -> list[RawSegment]:
        """The segments that the cut covers, in their order."""
        names = self.log.covered_by(self.watermark)
        return [RawSegment(name, partial(self._read, name)) for name in names]

    def _read(self, name: str) -> Iterator[Record]:
        for record in self.log.read(name):
            is_forgotten = record.received_us <= self.forgotten.get(record.event.visitor or "", -1)
            is_known = record.event.kind in KNOWN_KINDS
            if is_known and not is_forgotten and self.keep(record.event):
                yield record


@dataclass(slots=True)
class LeftOut:
    """What was read of a log, and what was left out.

    Attributes:
        counts: events read, left out and why, counted by kind.
        forgotten_in: segments that hold events of forgotten visitors, in order.
    """

    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("events", *COUNTERS, "bots", "duplicates", "broken", "forgotten"), 0
        )
    )
    forgotten_in: dict[str, None] = field(default_factory=dict)


def countable_events(cut: LogCut, left_out: LeftOut, progress: StepProgress) -> Iterator[Event]:
    """The events of a cut that count: no robots, no repeats, no forgotten visitors.

    Args:
        left_out: is filled while the events are read.
        progress: called after each segment.
    """
    keep = cut.keep
    with _scratch() as scratch:
        records = _of_people(cut, left_out, progress)
        while chunk := list(islice(records, _CHUNK)):
            fresh = _without_repeats(scratch, chunk)
            left_out.counts["duplicates"] += len(chunk) - len(fresh)
            yield from (record.event for record in fresh if keep(record.event))


def _of_people(cut: LogCut, left_out: LeftOut, progress: StepProgress) -> Iterator[Record]:
    """The records that are neither of robots nor of forgotten visitors, nor of unknown kinds."""
    counts, forgotten = left_out.counts, cut.forgotten
    segments = cut.log.covered_by(cut.watermark)

    def broken() -> None:
        counts["broken"] += 1

    for done, segment in enumerate(segments):
        progress(done, len(segments))
        for record in cut.log.read(segment, broken):
            is_forgotten = record.received_us <= forgotten.get(record.event.visitor or "", -1)
            if is_forgotten:
                left_out.forgotten_in[segment] = None
            if record.event.kind not in KNOWN_KINDS:
                broken()
                continue
            counts["events"] += 1
            if is_forgotten:
                counts["forgotten"] += 1
            elif record.event.bot:
                counts["bots"] += 1
            else:
                yield record
    progress(len(segments), len(segments))


class _scratch(ExitStack):  # noqa: N801 - reads as the function it stands for
    """A store on disk for the time of one replay."""

    def __enter__(self) -> Store:  # type: ignore[override]  # gives what it holds, not itself
        super().__enter__()
        folder = self.enter_context(tempfile.TemporaryDirectory(prefix="webrec-"))
        store = open_scratch(Path(folder))
        self.callback(store.close)
        store.create_table(_SEEN, ())
        return store


def _without_repeats(scratch: Store, records: list[Record]) -> list[Record]:
    """The records whose event id was not seen before, in order."""
    firsts: dict[bytes, bytes] = {}
    fresh = []
    for record in records:
        event_id = record.event.event_id
        if event_id is None:
            fresh.append(record)
            continue
        position = keys.position(record.segment, record.number)
        if firsts.setdefault(keys.event_key(event_id), position) == position:
            fresh.append(record)
    if firsts:
        claims = {row: Swap(None, position) for row, position in firsts.items()}
        new = scratch.check_and_put(_SEEN, _COLUMN, claims)
        repeated = {p for p, is_new in zip(firsts.values(), new, strict=True) if not is_new}
        fresh = [r for r in fresh if keys.position(r.segment, r.number) not in repeated]
    return fresh
