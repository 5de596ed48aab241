"""A log split by time: what came before a moment is the training part."""

from __future__ import annotations

import numpy as np

from webrec.domain.event_kinds import COUNTS_AS
from webrec.domain.types import Event
from webrec.errors import UsageError
from webrec.evaluation.interactions import Interactions
from webrec.evaluation.protocols import TIME, Split
from webrec.evaluation.timeline import Timeline, at_most

_TRAINING_SHARE = 0.8
"""Of the visits; the last fifth of them is asked about."""


def split_by_time(interactions: Interactions, most: int, rng: np.random.Generator) -> Split:
    """Ask about visits to new pages, and accepts of new pages, after a moment.

    Args:
        most: visits, and accepts, that are asked about.

    Raises:
        UsageError: there are none.
    """
    moment = _moment(interactions)
    visited = set(
        np.unique(interactions.page[(interactions.at_ms < moment) & ~interactions.accept]).tolist()
    )
    known = {interactions.urls[page] for page in visited}

    def is_training(event: Event) -> bool:
        # what a page says of itself is known as soon as the page is, whenever it was loaded
        return event.at_ms < moment or (COUNTS_AS[event.kind] is None and event.url in known)

    timeline = Timeline(interactions)
    new, accepted, left_out = timeline.news(moment)
    if not len(new):
        raise UsageError(
            "no visitor opened a new page in the last fifth of the log: there is nothing to ask "
            "about by time; try --protocol allbut1, or load more with `webrec ingest`"
        )
    asked = [*at_most(new, most, rng).tolist(), *at_most(accepted, most, rng).tolist()]
    questions = [timeline.question(event, moment) for event in asked]
    return Split(TIME, is_training, [(None, questions)], left_out)


def _moment(interactions: Interactions) -> int:
    """When the training part ends (ms): such that a fifth of the visits come later."""
    at_ms = interactions.at_ms[~interactions.accept]
    moment = int(at_ms[int(_TRAINING_SHARE * len(at_ms))]) if len(at_ms) else 0
    if not len(at_ms) or at_ms[0] == moment:
        raise UsageError(
            "the visits of the log are too few to part them by time, or bear the same time: try "
            "--protocol allbut1, or load more with `webrec ingest`"
        )
    return moment
