"""The events of a synthetic world, as users send them: pages, and a month of visits and accepts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from webrec.synthetic.ground_truth import GroundTruth
from webrec.synthetic.spec import DAYS, FOLLOWED_EVERY, WorldSpec
from webrec.synthetic.words import Document

DAY_MS = 86_400_000

LOGGED_OUT = 0.10
"""Share of the visits beyond the first of each user that bear no name."""


def pages(spec: WorldSpec) -> Iterator[Document]:
    """The ``page`` event of every page, in the order of their numbers."""
    truth = GroundTruth(spec)
    described_ms = first_day_ms(spec)
    for page in range(spec.urls):
        yield {
            "type": "page",
            "url": truth.url(page),
            **truth.text(page),
            "timestamp": described_ms,
            "event_id": truth.event_id("p", page),
        }


def visits(spec: WorldSpec) -> Iterator[Document]:
    """The ``visit`` and ``accept`` events of the last thirty days, in the order of their times."""
    truth = GroundTruth(spec)
    rng = truth.stream("visits")
    number = 0
    for day in range(DAYS):
        for visit in _day(truth, rng, day):
            event = {"type": "visit", **visit, "event_id": truth.event_id("v", number)}
            number += 1
            if number % FOLLOWED_EVERY == 0:
                yield {**event, "type": "accept", "event_id": truth.event_id("a", number)}
            yield event


def _day(truth: GroundTruth, rng: np.random.Generator, day: int) -> Iterator[Document]:
    """The visits of one day: the first visits of some users, and others by activity."""
    spec = truth.spec
    newcomers = np.arange(day, spec.users, DAYS, dtype=np.int32)
    others = spec.visits - spec.users
    count = others * (day + 1) // DAYS - others * day // DAYS
    users = np.concatenate([newcomers, truth.draw_users(rng, count)])
    logged_out = np.concatenate([np.zeros(len(newcomers), bool), rng.random(count) < LOGGED_OUT])
    visited = truth.draw_pages(rng, truth.user_community[users])
    hours = rng.triangular(0, 20, 24, len(users))
    order = np.argsort(hours, kind="stable")
    times = first_day_ms(spec) + day * DAY_MS + (hours * 3_600_000).astype(np.int64)
    columns = (users[order], logged_out[order], times[order])
    rows = zip(*(column.tolist() for column in columns), truth.urls(visited[order]), strict=True)
    for user, anonymous, time_ms, url in rows:
        who = {} if anonymous else truth.identity(user)
        yield {"url": url, **who, "timestamp": time_ms, "environment": truth.browser(user)}


def first_day_ms(spec: WorldSpec) -> int:
    """Midnight before the first visit."""
    return (spec.now_ms // DAY_MS - DAYS) * DAY_MS
