"""HBase's tables in memory: which cells can be seen, and what is refused with which words.

Nothing is ever removed, as in HBase before a major compaction: a write adds a version, a deletion
adds a mark, and a mark masks every version up to its timestamp, also one that is written later.
A column is ``family:qualifier``, the qualifier may be empty; a name without a colon is a family.
All timestamps are milliseconds since the epoch.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

LATEST = 2**63 - 1
"""As the timestamp of a write: the server's clock. As a bound: none."""

MAX_CELL_BYTES = 10 * 2**20
MAX_ROW_BYTES = 2**15 - 1

# lengths, timestamp and type, beside row, family, qualifier and value
_CELL_OVERHEAD_BYTES = 20
_STORED_OVERHEAD_BYTES = 24
_COUNTER_BYTES = 8
_NAME = re.compile(rb"(?:default:)?([A-Za-z0-9_][A-Za-z0-9_.-]*)")
_CODECS = ("NONE", "GZ", "SNAPPY", "LZ4", "ZSTD")
_BLOOM_FILTERS = ("NONE", "ROW", "ROWCOL")
_FOREVER_S = 2**31 - 1


class HBaseException(Exception):
    """What HBase throws.

    Attributes:
        java_class: the name of its class.
        is_remote: a region server or the master threw it; the message names the class twice.
    """

    java_class = "java.io.IOException"
    is_remote = False

    @property
    def message(self) -> str:
        """The message of one call's error, as its first line says it."""
        names = [self.java_class] * (2 if self.is_remote else 1)
        return ": ".join([*names, str(self)])

    @property
    def message_in_batch(self) -> str:
        """What the error of a call for several rows says of this one."""
        return f"{self.java_class}: {self}"


class IllegalArgumentException(HBaseException):
    """The Java client would not even send it."""

    java_class = "java.lang.IllegalArgumentException"


class TableNotFoundException(HBaseException):
    """There is no such table."""

    java_class = "org.apache.hadoop.hbase.TableNotFoundException"

    @property
    def message_in_batch(self) -> str:
        """Only the table's name."""
        return str(self)


class TableNotEnabledException(HBaseException):
    """The table is disabled."""

    java_class = "org.apache.hadoop.hbase.TableNotEnabledException"

    @property
    def message_in_batch(self) -> str:
        """HBase tries again until its time is up; here it is at once."""
        return "Backoff time of 10001ms would exceed operation timeout"


class TableNotDisabledException(HBaseException):
    """The table is enabled."""

    java_class = "org.apache.hadoop.hbase.TableNotDisabledException"


class NoSuchColumnFamilyException(HBaseException):
    """The table has no such family."""

    java_class = "org.apache.hadoop.hbase.regionserver.NoSuchColumnFamilyException"
    is_remote = True


class DoNotRetryIOException(HBaseException):
    """It would fail again."""

    java_class = "org.apache.hadoop.hbase.DoNotRetryIOException"
    is_remote = True


@dataclass(frozen=True)
class Family:
    """How a family of columns is kept; `ttl_s` None is forever."""

    versions: int
    compression: str
    bloom_filter: str
    in_memory: bool
    block_cache: bool
    ttl_s: int | None

    @classmethod
    def of(
        cls,
        *,
        versions: int,
        compression: str,
        bloom_filter: str,
        in_memory: bool,
        block_cache: bool,
        ttl_s: int,
    ) -> Family:
        """The family that these values describe.

        Raises:
            IllegalArgumentException: HBase knows no such value.
        """
        if compression.upper() not in _CODECS:
            name = compression.lower()
            raise IllegalArgumentException(f"Unsupported compression algorithm name: {name}")
        if bloom_filter not in _BLOOM_FILTERS:
            constant = f"org.apache.hadoop.hbase.regionserver.BloomType.{bloom_filter}"
            raise IllegalArgumentException(f"No enum constant {constant}")
        if versions < 1:
            raise IllegalArgumentException("Maximum versions must be positive")
        forever = ttl_s <= 0 or ttl_s == _FOREVER_S
        return cls(
            versions,
            compression.upper(),
            bloom_filter,
            in_memory,
            block_cache,
            None if forever else ttl_s,
        )

    @property
    def announced_ttl_s(self) -> int:
        """The time to live as a description of the table tells it."""
        return _FOREVER_S if self.ttl_s is None else self.ttl_s


class Cell(NamedTuple):
    """A value and when it was written."""

    value: bytes
    timestamp: int


class _Version(NamedTuple):
    timestamp: int
    sequence: int
    value: bytes


class _Mark(NamedTuple):
    timestamp: int
    sequence: int


class _Row:
    """The versions of each column, oldest first, and the marks of each column or family."""

    def __init__(self) -> None:
        self.versions: dict[bytes, list[_Version]] = {}
        self._marks: dict[bytes, list[_Mark]] = {}

    def mark(self, name: bytes, timestamp: int, sequence: int) -> None:
        marks = self._marks.setdefault(name, [])
        if not marks or marks[-1].timestamp < timestamp:  # else it masks nothing more
            marks.append(_Mark(timestamp, sequence))

    def masked_until(self, column: bytes, read_point: int) -> int:
        """The newest timestamp at which the column is masked; -1 for none."""
        until = -1
        for name in (column, family_of(column)):
            for mark in reversed(self._marks.get(name, ())):
                if mark.sequence <= read_point:
                    until = max(until, mark.timestamp)
                    break
        return until


class Selection:
    """The columns of a read: all, or families and single columns.

    A family named after some of its columns takes all; a column named after its family takes
    only itself, as in the Java client's Get.
    """

    def __init__(self, columns: Sequence[bytes] | None) -> None:
        self._wanted: dict[bytes, set[bytes] | None] = {}
        for column in columns or ():
            family, colon, _ = column.partition(b":")
            if not colon:
                self._wanted[family] = None
            else:
                self._wanted[family] = {*(self._wanted.get(family) or ()), column}

    @property
    def families(self) -> Iterable[bytes]:
        """The families named, in order; none where all are meant."""
        return self._wanted

    def of(self, row: _Row) -> Iterator[bytes]:
        """The names of those columns that the row has versions of."""
        if not self._wanted:
            yield from row.versions
        for family, columns in self._wanted.items():
            if columns is None:
                yield from (c for c in row.versions if family_of(c) == family)
            else:
                yield from columns & row.versions.keys()


ALL = Selection(None)


class Table:
    """Rows in the order of their keys. Each method is atomic, and safe from several threads.

    Args:
        name: the table's name.
        families: of its columns, by name.
        now_ms: the clock.
    """

    def __init__(
        self, name: str, families: Mapping[bytes, Family], now_ms: Callable[[], int]
    ) -> None:
        self.name = name
        self.families = dict(families)
        self.is_enabled = True
        self._now_ms = now_ms
        self._region = f"{name},,{now_ms()}.{id(self):032x}."
        self._lock = threading.RLock()
        self._sequence = 0
        self._keys: list[bytes] = []
        self._rows: dict[bytes, _Row] = {}

    def check_families(self, names: Iterable[bytes]) -> None:
        """Raise what HBase throws for the first that is not there."""
        for name in names:
            if name not in self.families:
                raise NoSuchColumnFamilyException(
                    f"Column family {name.decode()} does not exist in region {self._region} in "
                    f"table '{self.name}'"
                )

    def read(
        self,
        key: bytes,
        selection: Selection = ALL,
        *,
        before: int = LATEST,
        read_point: int | None = None,
    ) -> dict[bytes, Cell]:
        """The newest cell of each column, of those with a timestamp below ``before``.

        Columns come in the order of signed bytes, as the Thrift server's map has them.
        """
        self.check_families(selection.families)
        with self._lock:
            row = self._rows.get(key)
            if row is None:
                return {}
            found = {
                column: next(self._visible(row, column, before, read_point), None)
                for column in selection.of(row)
            }
        return {c: cell for c in sorted(found, key=_signed) if (cell := found[c]) is not None}

    def versions(
        self, key: bytes, selection: Selection, count: int, *, before: int = LATEST
    ) -> list[Cell]:
        """Up to ``count`` cells of each column, newest first, no more than its family keeps."""
        if count < 1:
            raise HBaseException("versions must be positive")
        self.check_families(selection.families)
        with self._lock:
            row = self._rows.get(key, _Row())
            return [
                cell
                for column in sorted(selection.of(row))
                for _, cell in zip(
                    range(min(count, self.families[family_of(column)].versions)),
                    self._visible(row, column, before),
                    strict=False,
                )
            ]

    def put(self, key: bytes, cells: Sequence[tuple[bytes, bytes]], timestamp: int) -> None:
        """Write columns and their values; of equal timestamps the last written counts."""
        self.check_families(family_of(column) for column, _ in cells)
        with self._lock:
            if timestamp == LATEST:
                timestamp = self._now_ms()
            row = self._row(key)
            for column, value in cells:
                held = _held_bytes(key, column, value) + _STORED_OVERHEAD_BYTES
                if held > MAX_CELL_BYTES:
                    name = f"Cell[{key!r}/{column!r}]"
                    raise DoNotRetryIOException(
                        f"{name} with size {held} exceeds limit of {MAX_CELL_BYTES} bytes"
                    )
            for column, value in cells:
                self._sequence += 1
                versions = row.versions.setdefault(column, [])
                insort(versions, _Version(timestamp, self._sequence, value))

    def delete(self, key: bytes, names: Sequence[bytes] | None, timestamp: int) -> None:
        """Mask columns or, by names without a colon, families; None is every family."""
        names = list(self.families) if names is None else names
        self.check_families(family_of(name) for name in names)
        with self._lock:
            if timestamp == LATEST:
                timestamp = self._now_ms()
            row = self._row(key)
            for name in names:
                self._sequence += 1
                row.mark(name, timestamp, self._sequence)

    def increment(self, key: bytes, column: bytes, by: int) -> int:
        """Add to a 64-bit counter, which wraps; its new value."""
        self.check_families([family_of(column)])
        with self._lock:
            present = self.read(key, Selection([column])).get(column)
            if present and len(present.value) != _COUNTER_BYTES:
                wide = len(present.value)
                raise DoNotRetryIOException(f"Field is not a long, it's {wide} bytes wide")
            count = (int.from_bytes(present.value, signed=True) if present else 0) + by
            count = (count + 2**63) % 2**64 - 2**63
            timestamp = max(self._now_ms(), present.timestamp + 1 if present else 0)
            value = count.to_bytes(_COUNTER_BYTES, signed=True)
            self.put(key, [(column, value)], timestamp)
            return count

    def check_and_put(
        self, key: bytes, checked: bytes, expected: bytes | None, column: bytes, value: bytes
    ) -> bool:
        """Write ``column`` if ``checked`` has this value; None and b"": if it has none."""
        self.check_families([family_of(checked)])
        with self._lock:
            present = self.read(key, Selection([checked])).get(checked)
            if (present.value if present else b"") != (expected or b""):
                return False
            timestamp = max(self._now_ms(), present.timestamp if present else 0)
            self.put(key, [(column, value)], timestamp)
            return True

    def scan(
        self, start: bytes, stop: bytes, selection: Selection, *, before: int = LATEST
    ) -> Iterator[tuple[bytes, dict[bytes, Cell]]]:
        """Rows with ``start <= key < stop`` as they are at the first step; empty: without bound.

        Where both are the same it is that row, as HBase has it.
        """
        self.check_families(selection.families)
        with self._lock:
            read_point = self._sequence
            keys = self._keys[bisect_left(self._keys, start) :]
        is_in_range = start.__eq__ if start == stop else stop.__gt__
        for key in takewhile(is_in_range, keys) if stop else keys:
            cells = self.read(key, selection, before=before, read_point=read_point)
            if cells:
                yield key, cells

    def _row(self, key: bytes) -> _Row:
        if key not in self._rows:
            insort(self._keys, key)
            self._rows[key] = _Row()
        return self._rows[key]

    def _visible(
        self, row: _Row, column: bytes, before: int, read_point: int | None = None
    ) -> Iterator[Cell]:
        """The cells of a column that can be seen, newest first."""
        if read_point is None:
            read_point = self._sequence
        ttl_s = self.families[family_of(column)].ttl_s
        gone = row.masked_until(column, read_point)
        if ttl_s is not None:
            gone = max(gone, self._now_ms() - 1000 * ttl_s - 1)
        last = LATEST
        for version in reversed(row.versions.get(column, ())):
            if version.timestamp <= gone:
                return
            if version.sequence <= read_point and version.timestamp < min(before, last):
                last = version.timestamp
                yield Cell(version.value, version.timestamp)


class Tables:
    """All tables of a server, by name.

    Args:
        now_ms: the clock.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._tables: dict[bytes, Table] = {}

    @property
    def names(self) -> list[bytes]:
        """The names of all, sorted."""
        return sorted(self._tables)

    def exists(self, name: bytes) -> bool:
        """Whether there is such a table."""
        return _qualifier(name) in self._tables

    def create(self, name: bytes, families: Mapping[bytes, Family]) -> bool:
        """Make a table, unless there is one of this name; whether it was made."""
        if not families:
            raise DoNotRetryIOException("Table should have at least one column family.")
        qualifier = _qualifier(name)
        table = Table(qualifier.decode(), families, self._now_ms)
        with self._lock:
            return self._tables.setdefault(qualifier, table) is table

    def find(self, name: bytes) -> Table:
        """The table, enabled or not."""
        qualifier = _qualifier(name)
        table = self._tables.get(qualifier)
        if table is None:
            raise TableNotFoundException(qualifier.decode())
        return table

    def online(self, name: bytes) -> Table:
        """The table, if it is enabled."""
        table = self.find(name)
        if not table.is_enabled:
            raise TableNotEnabledException(f"{table.name} is disabled.")
        return table

    def enable(self, name: bytes) -> None:
        """Let a disabled table be used again."""
        table = self.find(name)
        if table.is_enabled:
            raise TableNotDisabledException(f"tableName={table.name}, state=ENABLED")
        table.is_enabled = True

    def disable(self, name: bytes) -> None:
        """Let an enabled table be used no more."""
        table = self.find(name)
        if not table.is_enabled:
            raise TableNotEnabledException(table.name)
        table.is_enabled = False

    def drop(self, name: bytes) -> None:
        """Forget a disabled table."""
        qualifier = _qualifier(name)
        with self._lock:
            table = self._tables.get(qualifier)
            if table is None:
                raise HBaseException("table does not exist")
            if table.is_enabled:
                raise TableNotDisabledException(f"Not DISABLED; tableName={table.name}")
            del self._tables[qualifier]


def family_of(column: bytes) -> bytes:
    """The name of the column's family."""
    return column.partition(b":")[0]


def check_row(key: bytes) -> bytes:
    """The key, if a row may have it."""
    if not key:
        raise IllegalArgumentException("Row length is 0")
    if len(key) > MAX_ROW_BYTES:
        raise IllegalArgumentException(f"Row length {len(key)} is > {MAX_ROW_BYTES}")
    return key


def check_timestamp(timestamp: int) -> int:
    """The timestamp, if a cell may have it."""
    if timestamp < 0:
        raise IllegalArgumentException(f"Timestamp cannot be negative. ts={timestamp}")
    return timestamp


def check_cell(key: bytes, column: bytes, value: bytes) -> None:
    """Refuse a cell that is too large to be sent to a region server, which takes a little less."""
    if _held_bytes(key, column, value) + _CELL_OVERHEAD_BYTES > MAX_CELL_BYTES:
        raise IllegalArgumentException("KeyValue size too large")


def _held_bytes(key: bytes, column: bytes, value: bytes) -> int:
    """The bytes of a cell without its overhead."""
    return len(key) + len(column) - len(b":") + len(value)


def _qualifier(name: bytes) -> bytes:
    """The table's name without its namespace; other than the default there is none."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise IllegalArgumentException(f"Illegal table name: {name!r}")
    return match[1]


def _signed(column: bytes) -> bytes:
    return column.translate(_SIGNED)


_SIGNED = bytes(byte ^ 0x80 for byte in range(256))
