"""A log split into a training part and questions, by one of the protocols."""

from __future__ import annotations

import numpy as np

from webrec.errors import UsageError
from webrec.evaluation.interactions import ANONYMOUS, Interactions
from webrec.evaluation.protocols import CURVE, MOST, TIME, Split
from webrec.evaluation.split_by_time import split_by_time
from webrec.evaluation.split_by_visitor import learning_curve, split_by_visitor


def split(
    interactions: Interactions, protocol: str, users: int | None, visits: int | None, seed: int
) -> Split:
    """Split interactions by a protocol.

    Args:
        protocol: one of `webrec.evaluation.protocols.PROTOCOLS`.
        users: how many visitors are held out; None for a quarter of those with enough pages,
            at most 5,000.
        visits: how many visits of the time split are asked about; None for at most 5,000.
        seed: of all that is drawn.

    Raises:
        UsageError: the log is not enough for it; says what to do.
    """
    if not (interactions.visitor != ANONYMOUS).any():
        raise UsageError(
            "the log holds no visit of a known visitor: `webrec ingest FILE` loads some"
        )
    rng = np.random.default_rng(seed)
    if protocol == TIME:
        return split_by_time(interactions, visits or MOST, rng)
    if protocol == CURVE:
        return learning_curve(interactions, users, rng)
    return split_by_visitor(interactions, protocol, users, rng)
