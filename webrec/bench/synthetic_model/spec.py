"""How large a synthetic model is: a `SyntheticModelSpec`, refused where its numbers make none."""

from __future__ import annotations

from dataclasses import dataclass

from webrec.errors import UsageError
from webrec.synthetic.spec import WorldSpec

GENERATION = "000001"
ACCEPT_WEIGHT = 3.0
"""The default of the setting, with which the service has to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticModelSpec:
    """How much of each, and the seed; the same spec gives the same tables.

    Attributes:
        ads: landing pages of all campaigns; no two are the same page.
        profile_urls: different URLs in the profile of each user.

    Raises:
        UsageError: a number that makes no world.
    """

    urls: int = 100_000
    users: int = 10_000
    ads: int = 2_000
    profile_urls: int = 40
    categories: int = 100
    communities: int = 20
    seed: int = 1

    def __post_init__(self) -> None:
        self.world()
        if not 1 <= self.ads <= self.urls:
            raise UsageError("ads must be at least 1 and at most urls")
        if not 1 <= self.profile_urls <= self.urls // 2:
            raise UsageError("profile_urls must be at least 1 and at most half of urls")

    def world(self) -> WorldSpec:
        """The synthetic world whose pages, communities and tastes these are."""
        return WorldSpec(
            now_ms=0,
            urls=self.urls,
            users=self.users,
            categories=self.categories,
            communities=self.communities,
            seed=self.seed,
        )
