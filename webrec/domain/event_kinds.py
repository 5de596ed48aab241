"""The kinds of events: what an event of each counts as.

The one place that says so. A new kind is a name in `EventKind` and a row of `EVENT_KINDS`: the
validation then accepts it, the published schema lists it, and recorder, batch and evaluation count
it as its row says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

EventKind: TypeAlias = Literal["visit", "accept", "page"]
"""The names, as senders give them and as the raw log holds them."""

Counter: TypeAlias = Literal["visits", "accepts"]
"""The counters that a visitor, a page and a community have, by their names in cells and reports."""


COUNTERS: tuple[Counter, ...] = get_args(Counter)


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table.

    Attributes:
        counts_as: the counter that an event of the kind adds to; None where it adds to none, and
            only brings the text of its page.
        weight_setting: the setting that says how many visits one is worth; None where it is one
            visit, or counts as nothing.
    """

    name: EventKind
    counts_as: Counter | None = None
    weight_setting: str | None = None


EVENT_KINDS = (
    Kind("visit", counts_as="visits"),
    Kind("accept", counts_as="accepts", weight_setting="accept_weight"),
    Kind("page"),
)

COUNTS_AS: dict[EventKind, Counter | None] = {kind.name: kind.counts_as for kind in EVENT_KINDS}
"""The counter of each kind: `Kind.counts_as` by name."""

KNOWN_KINDS: tuple[EventKind, ...] = get_args(EventKind)
"""The names of all kinds; a tuple, so that whatever a line of the log holds can be looked for."""
