"""[3][4] The tables, typed: what the batch writes and the look-up reads, over any store."""

from __future__ import annotations

from hbase_schema import names
from hbase_schema.families import definition_of
from webrec.storage import Store
from webrec.tables.arrays import ArrayTable
from webrec.tables.bulk import BulkWriter
from webrec.tables.campaigns import Campaigns
from webrec.tables.clusters import Categories, Communities
from webrec.tables.event_ids import EventIds
from webrec.tables.generations import Generations
from webrec.tables.labels import Labels
from webrec.tables.meta import Meta
from webrec.tables.page_texts import PageTexts
from webrec.tables.pages import Pages
from webrec.tables.profiles import Profiles
from webrec.tables.visitors import Visitors


class Tables:
    """Typed reads and writes over a store, by what they are about.

    Args:
        store: any `webrec.storage.Store`.

    Attributes:
        meta, campaigns, labels, visitors, event_ids, page_texts: tables that outlive generations.
        generations: the list of generations.
        pages, categories, communities, profiles, arrays: the tables of each generation.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.meta = Meta(store)
        self.campaigns = Campaigns(store, self.meta)
        self.labels = Labels(store, self.meta)
        self.visitors = Visitors(store)
        self.event_ids = EventIds(store)
        self.page_texts = PageTexts(store)
        self.generations = Generations(store, self.meta)
        self._bulk = BulkWriter(store)
        self.pages = Pages(store, self._bulk)
        self.categories = Categories(store, self._bulk)
        self.communities = Communities(store, self._bulk)
        self.profiles = Profiles(store, self._bulk)
        self.arrays = ArrayTable(store, self._bulk)

    @property
    def cells_written(self) -> int:
        """Cells of generations written by this object."""
        return self._bulk.cells_written

    def create(self) -> None:
        """Create the tables that are not part of a generation, where they are missing."""
        present = set(self.store.tables())
        for table in names.FIXED:
            if table not in present:
                self.store.create_table(table, definition_of(table).families)
