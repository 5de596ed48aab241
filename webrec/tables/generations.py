"""[3] The list of generations: which are published, which one is active."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from hbase_schema import names
from hbase_schema.families import definition_of
from webrec.errors import Conflict, NotFound
from webrec.rawlog import Watermark
from webrec.storage import Store
from webrec.tables.meta import Meta


@dataclass(frozen=True, slots=True)
class Generation:
    """What a generation is, without its tables.

    Attributes:
        id: orders generations by age.
        cut_us: when its log was cut; visitors forgotten until then are not in it.
        accept_weight: the one its totals and communities were computed with.
        category_ids, community_ids: the id of each category or community number.
        suggested_labels: by category number.
        counts, quality: figures of the batch's report.
    """

    id: str
    created_ms: int
    cut_us: int
    watermark: Watermark
    accept_weight: float
    category_ids: tuple[str, ...]
    community_ids: tuple[str, ...]
    suggested_labels: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)
    quality: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """As the generations' table holds it."""
        document = {name: getattr(self, name) for name in self.__slots__}
        return orjson.dumps(document | {"watermark": self.watermark.document()})

    @classmethod
    def from_json(cls, cell: bytes) -> Generation:
        """The inverse of `to_json`."""
        document = orjson.loads(cell)
        document["watermark"] = Watermark.of(document["watermark"])
        document["category_ids"] = tuple(document["category_ids"])
        document["community_ids"] = tuple(document["community_ids"])
        document["suggested_labels"] = tuple(document["suggested_labels"])
        return cls(**document)


class Generations:
    """Reads and writes of the list of generations, and which tables they have.

    Args:
        store: any `webrec.storage.Store`.
        meta: holds the pointer to the active generation.
    """

    def __init__(self, store: Store, meta: Meta) -> None:
        self._store = store
        self._meta = meta

    def active(self) -> Generation | None:
        """The active generation; None before the first."""
        cell = self._meta.value(names.ACTIVE)
        return None if cell is None else self.get(cell.decode())

    def get(self, generation_id: str) -> Generation | None:
        """One published generation; None where there is none of this id."""
        cell = self._store.get(names.GENERATIONS, generation_id.encode()).get(names.INFO)
        return None if cell is None else Generation.from_json(cell)

    def all(self) -> list[Generation]:
        """The published generations, oldest first."""
        found = self._store.scan(names.GENERATIONS)
        return [Generation.from_json(cell[names.INFO]) for _, cell in found]

    def put(self, generation: Generation) -> None:
        """List a generation as published; its tables are complete."""
        row = generation.id.encode()
        self._store.put_many(names.GENERATIONS, [(row, {names.INFO: generation.to_json()})])

    def activate(
        self, generation_id: str, expected: str | None, within_s: float | None = None
    ) -> None:
        """Switch the pointer to the active generation.

        Args:
            expected: the generation that is active now; None for none.
            within_s: seconds after which it must not be tried any more.

        Raises:
            NotFound: there is no such generation.
            Conflict: another generation is active.
        """
        if self.get(generation_id) is None:
            raise NotFound(f"there is no model {generation_id}: `webrec models list` shows them")
        old = None if expected is None else expected.encode()
        if not self._meta.swap(names.ACTIVE, old, generation_id.encode(), within_s):
            raise Conflict("another model was activated at the same time: look and try again")

    def create(self, generation_id: str) -> None:
        """Create the tables of a generation."""
        for kind in names.KINDS:
            table = names.generation_table(generation_id, kind)
            self._store.create_table(table, definition_of(table).families)

    def drop(self, generation_id: str) -> None:
        """Drop a generation and its tables; it is taken off the list first."""
        self._store.delete_many(names.GENERATIONS, [(generation_id.encode(), None)])
        for kind in names.KINDS:
            self._store.drop_table(names.generation_table(generation_id, kind))

    def with_tables(self) -> set[str]:
        """The ids of the generations that have tables, listed or not."""
        found = (names.generation_of(table) for table in self._store.tables())
        return {generation for generation in found if generation is not None}
