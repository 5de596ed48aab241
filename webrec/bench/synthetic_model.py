"""[3] A world of any size, published without a batch: a `GrownSpec` in, tables out.

Pages, communities and tastes are those of `webrec.synthetic`; what a batch would have to find out
is known here, so that a million users are a matter of minutes. All the tables say is exact: a
page's total and a community's list are the sums of the profiles written beside them.

===================  ===============================================================================
profile of a user    visits drawn by the taste of the community until so many different URLs came
                     up; the last ones, which popularity would take long to find, evenly
accepts              one for every twentieth URL of a profile
ads                  pages, evenly, each in one campaign; ten of a category, or nearly, make one
priority             beta(2, 2), two decimals; every campaign runs, without dates
visitor of a request 85 % a user, 10 % an unknown one, 5 % anonymous
page of a request    by the user's taste
===================  ===============================================================================

Memory grows with pages times communities by eight bytes, and with pages and users by some hundred
bytes each; not with the size of the profiles.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clustering.similar.learner import SIMILAR, START
from hbase_schema import row_keys as keys
from hbase_schema.cells import PageCell
from webrec.domain.types import AdPage, Arrays, Campaign, Page
from webrec.errors import UsageError
from webrec.model.co_visit_scorer import MOST_SEEN
from webrec.rawlog import Watermark
from webrec.synthetic.ground_truth import GroundTruth, Ints
from webrec.synthetic.spec import WorldSpec
from webrec.tables.generations import Generation
from webrec.tables.rows import CategoryRow, Counts, ProfileRow
from webrec.tables.tables import Tables

Progress: TypeAlias = Callable[[str, int, int], None]
Longs: TypeAlias = NDArray[np.int64]

GENERATION = "000001"
ACCEPT_WEIGHT = 3.0
"""The default of the setting, with which the service has to run."""

_ENTRIES_AT_ONCE = 2_000_000
_BY_TASTE = 8
_ACCEPTED = 0.05
_ADS_PER_CAMPAIGN = 10
_CAMPAIGNS_AT_ONCE = 500
_REPORT_EVERY = 10_000
_MODES = ("related", "sponsored")
_FILTERS = ("content", "collaborative")
_LIMIT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GrownSpec:
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


def grow(tables: Tables, spec: GrownSpec, tell: Progress) -> None:
    """Write a world into an empty store, and activate it.

    Args:
        tell: told what is being written, how much is, and of how much.

    Raises:
        UsageError: the store holds a generation.
    """
    tables.create()
    if tables.generations.with_tables() or tables.generations.all():
        raise UsageError("the store holds a model: a world is grown in an empty one only")
    tables.generations.create(GENERATION)
    world = _World(spec)
    sums = _Sums(spec)
    tables.profiles.put(GENERATION, _profiles(world, sums, tell))  # adds to the sums
    tables.pages.put(GENERATION, _pages(world, sums, tell))
    tables.categories.put(GENERATION, _categories(world, sums))
    tables.communities.put(GENERATION, _communities(world, sums))
    tables.arrays.put(GENERATION, {"similar": _similar(world, sums)})
    _put_campaigns(tables, world, tell)
    tables.generations.put(_generation(world, sums))
    tables.generations.activate(GENERATION, None)


def requests(spec: GrownSpec, n: int, now_ms: int) -> Iterator[dict[str, Any]]:
    """So many request documents, modes and filters in turn; none of them is recorded.

    Args:
        now_ms: the moment they are made at.
    """
    plan = GroundTruth(spec.world())
    rng = plan.stream("requests of a grown world")
    users = rng.integers(spec.users, size=n, dtype=np.int32)
    urls = plan.urls(plan.draw_pages(rng, plan.user_community[users]))
    kinds = rng.random(n).tolist()
    for number, (user, url, kind) in enumerate(zip(users.tolist(), urls, kinds, strict=True)):
        yield {
            "url": url,
            **_asking(plan, user, number, kind),
            "mode": _MODES[number % 2],
            "filter": _FILTERS[number // 2 % 2],
            "limit": _LIMIT,
            "track": False,
            "timestamp": now_ms,
        }


def _asking(plan: GroundTruth, user: int, number: int, kind: float) -> dict[str, Any]:
    if kind < 0.85:
        return plan.identity(user)
    return {"user": f"guest{number}"} if kind < 0.95 else {}


class _World:
    """What is known before any profile is drawn; pages stand as the numbers they are written as.

    Attributes:
        urls: by page number, and thus sorted.
        category: int32 (urls,).
        users: int32 (users,), in the order of their rows: a store takes rows in order fastest.
        visitors: their visitor keys, in the same order.
    """

    def __init__(self, spec: GrownSpec) -> None:
        self.spec = spec
        self.plan = GroundTruth(spec.world())
        urls = self.plan.urls(np.arange(spec.urls, dtype=np.int32))
        by_url = sorted(range(spec.urls), key=urls.__getitem__)
        self.urls = [urls[page] for page in by_url]
        self.category: Ints = self.plan.page_category[by_url]
        self._number = np.empty(spec.urls, np.int64)
        self._number[by_url] = np.arange(spec.urls)
        visitors = [_visitor(self.plan, user) for user in range(spec.users)]
        by_row = sorted(range(spec.users), key=lambda user: keys.visitor_key(visitors[user]))
        self.users: Ints = np.array(by_row, np.int32)
        self.visitors = [visitors[user] for user in by_row]

    def draw_pages(self, rng: np.random.Generator, communities: Ints) -> Longs:
        """One page for each community of the argument, by its taste: int64, of its length."""
        drawn: Longs = self._number[self.plan.draw_pages(rng, communities)]
        return drawn


def _visitor(plan: GroundTruth, user: int) -> str:
    """The visitor key: ``u:`` and the login id, or ``i:`` and the address."""
    ((kind, name),) = plan.identity(user).items()
    return f"{kind[0]}:{name}"


class _Sums:
    """The visits and accepts of each page by the members of each community, as they are written.

    Attributes:
        visits, accepts: uint32 (communities, urls).
    """

    def __init__(self, spec: GrownSpec) -> None:
        self.visits = np.zeros((spec.communities, spec.urls), np.uint32)
        self.accepts = np.zeros((spec.communities, spec.urls), np.uint32)

    def add(self, communities: Ints, drawn: _Drawn) -> None:
        """Count the profiles of some users.

        Args:
            communities: of these users.
        """
        cells = communities[drawn.owners].astype(np.int64) * self.visits.shape[1] + drawn.pages
        np.add.at(self.visits.reshape(-1), cells, drawn.visits)
        np.add.at(self.accepts.reshape(-1), cells, drawn.accepts)

    def affinity(self) -> NDArray[np.float64]:
        """Total affinity of each page: float64 (urls,)."""
        found: NDArray[np.float64] = self.visits.sum(axis=0) + ACCEPT_WEIGHT * self.accepts.sum(
            axis=0
        )
        return found


class _Drawn(NamedTuple):
    """The profiles of some users end to end: by user, then by page.

    Attributes:
        owners: int64 (m,), the place of each entry's user among these users.
        pages: int64 (m,), page numbers.
        visits, accepts: uint32 (m,).
    """

    owners: Longs
    pages: Longs
    visits: NDArray[np.uint32]
    accepts: NDArray[np.uint32]


def _profiles(world: _World, sums: _Sums, tell: Progress) -> Iterator[tuple[str, ProfileRow]]:
    """Draw the profiles, and add them to the sums."""
    spec = world.spec
    rng = world.plan.stream("profiles")
    step = max(1, _ENTRIES_AT_ONCE // spec.profile_urls)
    for start in range(0, spec.users, step):
        tell("writing profiles", start, spec.users)
        part = slice(start, start + step)
        communities = world.plan.user_community[world.users[part]]
        drawn = _draw(world, rng, communities)
        sums.add(communities, drawn)
        rows = _rows(world, len(communities), drawn)
        for visitor, row, community in zip(
            world.visitors[part], rows, communities.tolist(), strict=True
        ):
            last = rng.permutation(row[0].numbers)[:MOST_SEEN]
            yield visitor, ProfileRow(*row, community, last)
    tell("writing profiles", spec.users, spec.users)


def _draw(world: _World, rng: np.random.Generator, communities: Ints) -> _Drawn:
    """Draw one profile for each community of the argument.

    A round draws as many visits as URLs are missing, so that no profile gets too many.
    """
    n, wanted = world.spec.urls, world.spec.profile_urls
    visits = np.empty(0, np.int64)  # user's place and page in one number, once for every visit
    firsts = np.empty(0, np.int64)  # where the visits of each user and page begin
    missing = np.full(len(communities), wanted)
    rounds = 0
    while missing.any():
        owners = np.repeat(np.arange(len(communities)), missing)
        if rounds < _BY_TASTE:
            pages = world.draw_pages(rng, communities[owners])
        else:
            pages = rng.integers(n, size=len(owners))
        # sorted here, since NumPy's own search for unique numbers takes ten times as long
        visits = np.sort(np.concatenate([visits, owners * n + pages]))
        firsts = np.flatnonzero(np.diff(visits, prepend=-1))
        missing = wanted - np.bincount(visits[firsts] // n, minlength=len(communities))
        rounds += 1
    entries, counts = visits[firsts], np.diff(firsts, append=len(visits))
    accepts = rng.random(len(entries)) < _ACCEPTED
    return _Drawn(entries // n, entries % n, counts.astype(np.uint32), accepts.astype(np.uint32))


def _rows(
    world: _World, users: int, drawn: _Drawn
) -> Iterator[tuple[Counts, Counts, Counts, Counts]]:
    """The four parts of each user's profile."""
    cats = drawn.owners * world.spec.categories + world.category[drawn.pages]
    accepted = drawn.accepts > 0
    return zip(
        _split(users, drawn.owners, drawn.pages, drawn.visits),
        _by_category(world, users, cats, drawn.visits),
        _split(users, drawn.owners[accepted], drawn.pages[accepted], drawn.accepts[accepted]),
        _by_category(world, users, cats, drawn.accepts),
        strict=True,
    )


def _by_category(
    world: _World, users: int, cats: Longs, counts: NDArray[np.uint32]
) -> Iterator[Counts]:
    """What each user has in each category.

    Args:
        cats: int64 (m,), the entry's user times the number of categories, plus its category.
        counts: uint32 (m,).
    """
    categories = world.spec.categories
    sums = np.bincount(cats, counts, minlength=users * categories)
    there = np.flatnonzero(sums)
    return _split(users, there // categories, there % categories, sums[there])


def _split(users: int, owners: Longs, numbers: Longs, counts: NDArray[Any]) -> Iterator[Counts]:
    """Cut entries, which are in the order of their owners, into those of each user."""
    bounds = np.searchsorted(owners, np.arange(users + 1)).tolist()
    all_numbers, all_counts = numbers.astype(np.uint32), counts.astype(np.uint32)
    for start, end in pairwise(bounds):
        yield Counts(all_numbers[start:end], all_counts[start:end])


def _pages(world: _World, sums: _Sums, tell: Progress) -> Iterator[PageCell]:
    """The pages in the order of their rows, as the users."""
    category = world.category.tolist()
    visits, accepts = sums.visits.sum(axis=0).tolist(), sums.accepts.sum(axis=0).tolist()
    n = len(world.urls)
    by_row = sorted(range(n), key=lambda page: keys.page_key(world.urls[page]))
    for done, page in enumerate(by_row):
        if done % _REPORT_EVERY == 0:
            tell("writing pages", done, n)
        yield PageCell(world.urls[page], page, category[page], visits[page], accepts[page])
    tell("writing pages", n, n)


def _categories(world: _World, sums: _Sums) -> Iterator[tuple[str, CategoryRow]]:
    affinity = sums.affinity()
    best_first = np.lexsort((-affinity, world.category))  # stable, so that ties stay by URL
    ends = np.cumsum(np.bincount(world.category, minlength=world.spec.categories))
    for category, pages in enumerate(np.split(best_first, ends[:-1])):
        keywords = list(world.plan.subject_of(category).terms)
        value = float(affinity[pages].sum())
        yield _category_id(category), CategoryRow(pages.astype(np.uint32), keywords, value)


def _similar(world: _World, sums: _Sums) -> Arrays:
    """For each page those after it in its category's list, which is taken for a ring.

    The nearer, the more similar. The pages of most affinity are similar to nothing.
    """
    n = len(world.urls)
    order = np.lexsort((-sums.affinity(), world.category))
    sizes = np.bincount(world.category, minlength=world.spec.categories)
    starts = (np.cumsum(sizes) - sizes)[world.category[order]]
    size = sizes[world.category[order]]
    pages = np.empty((n, SIMILAR), np.uint32)
    counts = np.empty(n, np.int64)
    counts[order] = np.minimum(size - 1, SIMILAR)
    for step in range(SIMILAR):
        pages[order, step] = order[starts + (np.arange(n) - starts + 1 + step) % size]
    there = np.arange(SIMILAR) < counts[:, None]
    weights = np.broadcast_to(1 / np.arange(2, SIMILAR + 2, dtype=np.float32), pages.shape)
    best = np.argsort(-sums.affinity(), kind="stable")[:START]
    lists: dict[str, NDArray[Any]] = {
        "pages": pages[there],
        "weights": weights[there],
        "ends": np.cumsum(counts),
    }
    return {
        **lists,
        **{f"alone_{name}": array for name, array in lists.items()},
        "start_pages": best.astype(np.uint32),
        "start_weights": np.full(len(best), 0.01, np.float32),
    }


def _communities(world: _World, sums: _Sums) -> Iterator[tuple[str, ProfileRow, int]]:
    members = np.bincount(world.plan.user_community, minlength=world.spec.communities).tolist()
    for community, size in enumerate(members):
        visits, accepts = sums.visits[community], sums.accepts[community]
        pages = np.flatnonzero(visits)
        pages = pages[np.argsort(-(visits + ACCEPT_WEIGHT * accepts)[pages], kind="stable")]
        row = ProfileRow(
            Counts(pages.astype(np.uint32), visits[pages]),
            _nonzero(np.bincount(world.category, visits)),
            _nonzero(accepts),
            _nonzero(np.bincount(world.category, accepts)),
            community,
        )
        yield _community_id(community), row, size


def _nonzero(sums: NDArray[Any]) -> Counts:
    numbers = np.flatnonzero(sums)
    return Counts(numbers.astype(np.uint32), sums[numbers].astype(np.uint32))


def _put_campaigns(tables: Tables, world: _World, tell: Progress) -> None:
    campaigns = list(_campaigns(world))
    for start in range(0, len(campaigns), _CAMPAIGNS_AT_ONCE):
        tell("writing campaigns", start, len(campaigns))
        tables.campaigns.put(campaigns[start : start + _CAMPAIGNS_AT_ONCE])
    tell("writing campaigns", len(campaigns), len(campaigns))


def _campaigns(world: _World) -> Iterator[Campaign]:
    rng = world.plan.stream("campaigns of a grown world")
    pages = rng.choice(world.spec.urls, world.spec.ads, replace=False)
    pages = pages[np.argsort(world.category[pages], kind="stable")]
    for number, start in enumerate(range(0, len(pages), _ADS_PER_CAMPAIGN)):
        urls = [world.urls[page] for page in pages[start : start + _ADS_PER_CAMPAIGN].tolist()]
        ads = tuple(AdPage(url, Page(url)) for url in urls)
        yield Campaign(f"k{number}", ads, round(float(rng.beta(2, 2)), 2))


def _generation(world: _World, sums: _Sums) -> Generation:
    spec = world.spec
    return Generation(
        id=GENERATION,
        # a moment of its own for each spec: processes share what they loaded of a generation
        # under its id and this
        created_ms=zlib.crc32(repr(spec).encode()),
        cut_us=0,
        watermark=Watermark(),
        accept_weight=ACCEPT_WEIGHT,
        category_ids=tuple(map(_category_id, range(spec.categories))),
        community_ids=tuple(map(_community_id, range(spec.communities))),
        suggested_labels=tuple(world.plan.subject_of(c).name for c in range(spec.categories)),
        counts={
            "pages": spec.urls,
            "categorised": spec.urls,
            "categories": spec.categories,
            "communities": spec.communities,
            "profiles": spec.users,
            "users_in_communities": spec.users,
            "visits": int(sums.visits.sum()),
            "accepts": int(sums.accepts.sum()),
        },
    )


def _category_id(category: int) -> str:
    return f"c{category + 1}"


def _community_id(community: int) -> str:
    return f"g{community + 1}"
