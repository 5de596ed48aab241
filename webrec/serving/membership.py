"""[4] Which community a visitor belongs to: what is known of the visitor in, its number out.

A community from the batch stays until the next one. A visitor who has none gets the nearest as
soon as enough visits are there (learning between batches).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from algorithms import UNCATEGORISED
from hbase_schema.cells import RecentCell
from webrec.domain.answers import Source
from webrec.model.model import Model
from webrec.tables.rows import Counts, ProfileRow


class Membership(NamedTuple):
    """A visitor's community.

    Attributes:
        community: its number, None where there is none.
        source: what found it: the batch, or the nearest one was taken since.
    """

    community: int | None
    source: Source | None


NOWHERE = Membership(None, None)


def membership(
    model: Model,
    profile: ProfileRow | None,
    recent: Iterable[tuple[RecentCell, int | None]],
    *,
    online: bool,
) -> Membership:
    """The community of a visitor.

    Args:
        profile: the visitor's, in the model's generation.
        recent: what happened since, each with its page number where the model knows the page.
        online: whether a visitor without one gets the nearest.
    """
    if profile is not None and profile.community is not None:
        return Membership(profile.community, "batch")
    nearest = _nearest(model, profile, recent) if online else None
    return NOWHERE if nearest is None else Membership(nearest, "online")


def _nearest(
    model: Model, profile: ProfileRow | None, recent: Iterable[tuple[RecentCell, int | None]]
) -> int | None:
    """The community that the batch would have chosen, by its own numbers.

    Visits of pages that the model does not know count, as they would in the batch, but say
    nothing of where the visitor belongs.
    """
    classifier = model.user_classifier
    if classifier is None:
        return None
    visits = {} if profile is None else dict(pairs(profile.urls))
    accepts = {} if profile is None else dict(pairs(profile.accepted_urls))
    elsewhere = 0
    for cell, page in recent:
        if page is None:
            elsewhere += cell.visits
        else:
            visits[page] = visits.get(page, 0) + cell.visits
            accepts[page] = accepts.get(page, 0) + cell.accepts
    if sum(visits.values()) + elsewhere < classifier.min_visits:
        return None
    weight = model.generation.accept_weight
    of_category = _by_category(model, visits), _by_category(model, accepts)
    return classifier.nearest_to(
        affinities(visits, accepts, weight), affinities(*of_category, weight)
    )


def _by_category(model: Model, counts: Mapping[int, int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for page, count in counts.items():
        category = model.category(page)
        if category != UNCATEGORISED:
            found[category] = found.get(category, 0) + count
    return found


def affinities(
    visits: Mapping[int, int], accepts: Mapping[int, int], weight: float
) -> dict[int, float]:
    """``visits + weight * accepts`` of everything that has either."""
    numbers = visits.keys() | accepts.keys()
    return {n: visits.get(n, 0) + weight * accepts.get(n, 0) for n in numbers}


def pairs(counts: Counts) -> zip[tuple[int, int]]:
    """Number and count of each entry."""
    return zip(counts.numbers.tolist(), counts.counts.tolist(), strict=True)
