"""[4] What is known of the visitor of a request: profile and recent row in, what they say out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from algorithms import UNCATEGORISED
from hbase_schema.cells import RecentCell
from webrec.model.model import Model
from webrec.serving.membership import NOWHERE, Membership, affinities, membership, pairs
from webrec.serving.reads import RowReads
from webrec.tables.generations import Generation
from webrec.tables.rows import ProfileRow
from webrec.tables.visitors import Recent

_NOTHING = Recent({}, 0)


class VisitorHistory:
    """What a visitor did, up to a generation and since; a row is read when it is first asked for.

    Args:
        visitor: visitor key; of an anonymous one (None) nothing is known, and nothing is read.
        model: the generation.
        reads: the tables.
    """

    def __init__(self, visitor: str | None, model: Model, reads: RowReads) -> None:
        self._visitor = visitor
        self._model = model
        self._reads = reads

    @cached_property
    def recent_pages(self) -> list[tuple[RecentCell, int | None]]:
        """What happened since the generation, each with its page number where it knows the page."""
        return [(cell, self._model.find(cell.url)) for cell in self._recent.cells.values()]

    @cached_property
    def profile(self) -> ProfileRow | None:
        """What the generation knows of the visitor."""
        if self._visitor is None:
            return None
        return profile_of(self._model.generation, self._visitor, self._recent, self._reads.profile)

    def seen(self, viewed: int | None) -> list[int]:
        """Distinct pages, the last one seen first: the one being viewed, then those visited.

        Since the generation, the page that was new to the visitor last comes first, and before, by
        the last visit.

        Args:
            viewed: the page being viewed; None where the generation does not know it.
        """
        since: dict[int, tuple[int, int]] = {}
        for cell, page in self.recent_pages:
            if page is not None and cell.visits:
                first = (cell.first_us, cell.order)
                since[page] = min(since.get(page, first), first)
        recent = sorted(since, key=lambda page: (since[page], page), reverse=True)
        before = self.profile.last.tolist() if self.profile else []
        now = [] if viewed is None else [viewed]
        return list(dict.fromkeys([*now, *recent, *before]))

    def category_weights(self, accept_weight: float) -> dict[int, float]:
        """``w(u, c)``: visits + accept_weight * accepts, over profile and recent together."""
        profile = self.profile
        visits = {} if profile is None else dict(pairs(profile.cats))
        accepts = {} if profile is None else dict(pairs(profile.accepted_cats))
        for cell, page in self.recent_pages:
            if page is not None:
                category = self._model.category(page)
                visits[category] = visits.get(category, 0) + cell.visits
                accepts[category] = accepts.get(category, 0) + cell.accepts
        visits.pop(UNCATEGORISED, None)
        accepts.pop(UNCATEGORISED, None)
        return affinities(visits, accepts, accept_weight)

    def membership(self, *, online: bool) -> Membership:
        """The community of the visitor, and what found it.

        Args:
            online: whether a visitor without one gets the nearest.
        """
        if self._visitor is None:
            return NOWHERE
        return membership(self._model, self.profile, self.recent_pages, online=online)

    @cached_property
    def _recent(self) -> Recent:
        if self._visitor is None:
            return _NOTHING
        return self._reads.recent(self._visitor, self._model.generation.watermark.covers)


def profile_of(
    generation: Generation,
    visitor: str,
    recent: Recent,
    read: Callable[[str, str], ProfileRow | None],
) -> ProfileRow | None:
    """The visitor's profile in a generation, unless the visitor was forgotten since.

    Args:
        read: reads a profile by generation and visitor.
    """
    if not generation.id or recent.forgotten_us > generation.cut_us:
        return None
    return read(generation.id, visitor)
