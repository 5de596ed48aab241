"""Requests to a synthetic model, which leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from webrec.bench.synthetic_model.spec import SyntheticModelSpec
from webrec.synthetic.ground_truth import GroundTruth

_MODES = ("related", "sponsored")
_FILTERS = ("content", "collaborative")
_LIMIT = 10


def requests(spec: SyntheticModelSpec, n: int, now_ms: int) -> Iterator[dict[str, Any]]:
    """Request documents, modes and filters in turn; none of them is recorded.

    Args:
        n: how many.
        now_ms: the moment they are made at.
    """
    truth = GroundTruth(spec.world())
    rng = truth.stream("requests of a grown world")  # the name is part of the seed
    users = rng.integers(spec.users, size=n, dtype=np.int32)
    urls = truth.urls(truth.draw_pages(rng, truth.user_community[users]))
    kinds = rng.random(n).tolist()
    for number, (user, url, kind) in enumerate(zip(users.tolist(), urls, kinds, strict=True)):
        yield {
            "url": url,
            **_asking(truth, user, number, kind),
            "mode": _MODES[number % 2],
            "filter": _FILTERS[number // 2 % 2],
            "limit": _LIMIT,
            "track": False,
            "timestamp": now_ms,
        }


def _asking(truth: GroundTruth, user: int, number: int, kind: float) -> dict[str, Any]:
    if kind < 0.85:
        return truth.identity(user)
    return {"user": f"guest{number}"} if kind < 0.95 else {}
