"""How large a synthetic world is: a `WorldSpec`, refused where its numbers make no world."""

from __future__ import annotations

from dataclasses import dataclass, fields

from webrec.errors import UsageError

DAYS = 30
"""Days before the world's clock in which its visits lie: a month, as sites look back on."""

MAX_CATEGORIES = 10_000
"""There are subjects for so many categories: pairs of a hundred subjects."""

FOLLOWED_EVERY = 20
"""Every so many visits one follows a recommendation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSpec:
    """How much of each, and the two things nothing else depends on: the seed and the clock.

    The defaults are the reference experiment's. Communities in excess of the categories share
    their tastes.

    Attributes:
        now_ms: the moment the world is made for: visits lie before it, requests are made at it.
        visits_per_user: mean, the logged-out visits included.

    Raises:
        UsageError: a number that makes no world.
    """

    now_ms: int
    urls: int = 200_000
    users: int = 10_000
    categories: int = 100
    communities: int = 20
    campaigns: int = 2_000
    requests: int = 5_000
    visits_per_user: int = 40
    seed: int = 1

    def __post_init__(self) -> None:
        at_least = {"campaigns": 0, "requests": 0, "seed": 0, "now_ms": 0}
        for each in fields(self):
            least = at_least.get(each.name, 1)
            if getattr(self, each.name) < least:
                raise UsageError(f"{each.name} must be at least {least}")
        if self.categories > min(self.urls, MAX_CATEGORIES):
            raise UsageError(f"categories must be at most urls, and at most {MAX_CATEGORIES:,}")
        if self.communities > self.users:
            raise UsageError("communities must be at most users")

    @property
    def visits(self) -> int:
        """Number of visits, the accepts not counted."""
        return self.users * self.visits_per_user

    @property
    def events(self) -> int:
        """Number of visits and accepts."""
        return self.visits + self.visits // FOLLOWED_EVERY
