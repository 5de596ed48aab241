"""Small random worlds and requests that reach every branch and every edge of the definitions.

`random_world` and `random_request` take any `random.Random`, so that a seed gives a world;
`worlds_and_requests` hands them one whose draws hypothesis shrinks. What is drawn is small on
purpose (few pages, few numbers, few campaigns): ties, overlaps and empty lists are then common.

Edges on purpose:

- ties in affinity and in priority, and priorities one unit in the last place apart;
- pages without category, and visited by a community; categories no page or no user is in;
- visitors without community, without profile, known by recent visits only, or unknown; recent
  visits of URLs the generation does not know; accepts without a visit;
- ads unknown to the generation, without category, in several campaigns with equal priority, and
  in different spellings of one canonical URL, within and across campaigns;
- landing pages and requests' pages that the generation has no category for, placed by their text;
- campaigns off, over, to come, and with a date that is exactly now;
- requests naming campaigns: known, unknown, none;
- exclusions that leave a list whole, thin it, or empty it;
- limits of 1, of more than the list, and between;
- ``w_ads``, ``w_aff`` or ``w_sim`` 0; ``accept_weight`` 0, a fraction, or the default;
- similar pages with ties and weights below 0, of pages in no list; what anybody may like, or not;
- lists to be filled up, or not;
- visitors whom the batch gave no community with fewer, just as many and more visits than it takes,
  before and since the batch; equally near communities; pages that tell nothing.
"""

from __future__ import annotations

import math
from random import Random

from hypothesis import strategies as st

from webrec.bench.oracle import (
    Campaign,
    Counts,
    NearestCentroid,
    Request,
    World,
    ad_urls,
    add,
    col_list,
    community_of,
    rec_list,
)

NOW_MS = 1_750_000_000_000
DAY_MS = 86_400_000
PRIORITIES = [0.5, 1.0, 0.0, 0.3, 0.1 + 0.2, math.nextafter(0.5, 1.0), math.nextafter(1.0, 0.0)]
WEIGHTS = [(0.5, 0.5), (0.0, 1.0), (1.0, 0.0), (0.3, 0.7), (2.0, 1.0)]  # (w_ads, w_aff)
ACCEPT_WEIGHTS = [3.0, 0.0, 0.1, 2.5]
STARTS = [None, NOW_MS - DAY_MS, NOW_MS - 1, NOW_MS]
ENDS = [None, NOW_MS + DAY_MS, NOW_MS + 1]
OVER = [NOW_MS, NOW_MS - 1]
TO_COME = [NOW_MS + 1, NOW_MS + DAY_MS]


def page_url(number: int) -> str:
    """Canonical URL of the page with that number."""
    return f"https://site{number % 4}.example/p{number}"


def unknown_url(number: int) -> str:
    """Canonical URL of a page no generation knows."""
    return f"https://elsewhere.example/n{number}"


def spelling(rng: Random, url: str) -> str:
    """The canonical URL in one of the spellings that have it as their canonical form."""
    return rng.choice(
        [
            url,
            f"{url}?utm_source=ads",
            f"{url}#offer",
            url.replace("https://", "HTTPS://").replace(".example", ".Example"),
            url.replace(".example", ".example:443"),
        ]
    )


def random_world(rng: Random) -> World:
    """A world of at most 24 pages in at most 5 categories, 8 visitors and 7 campaigns."""
    category = _categories(rng)
    visitors = _visitors(rng)
    groups = [f"g{number}" for number in range(rng.randint(1, 3))]
    community = {visitor: rng.choice(groups) for visitor in visitors if rng.random() < 0.7}
    profiles = _histories(rng, visitors, list(category))
    recent = _histories(rng, visitors, [*category, *map(unknown_url, range(3))], at_most=3)
    w_ads, w_aff = rng.choice(WEIGHTS)
    w_sim = rng.choice([0.0, 0.5, 0.1, 16.0])
    totals = _totals(rng, category, profiles)
    campaigns = _campaigns(rng, category)
    return World(
        category=category,
        totals=totals,
        community=community,
        profiles=profiles,
        recent=recent,
        last={
            visitor: rng.sample(visited, len(visited))
            for visitor, profile in profiles.items()
            if (visited := [url for url, (visits, _) in profile.items() if visits])
        },
        similar={url: _similar(rng, category) for url in category if rng.random() < 0.8},
        intercept=_similar(rng, category),
        co_visits={
            url: {page: abs(weight) for page, weight in _similar(rng, category).items()}
            for url in category
            if rng.random() < 0.8
        },
        campaigns=campaigns,
        w_ads=w_ads,
        w_aff=w_aff,
        w_sim=w_sim,
        accept_weight=rng.choice(ACCEPT_WEIGHTS),
        online_ads=_online_ads(rng, category, campaigns),
        online_pages=_online_pages(rng, category, campaigns),
        user_classifier=_user_classifier(rng, category, sorted(set(community.values()))),
        online=rng.random() < 0.9,
    )


def _user_classifier(
    rng: Random, category: dict[str, str | None], groups: list[str]
) -> NearestCentroid | None:
    """Of some pages, every category, few numbers."""
    if not groups or rng.random() < 0.1:
        return None
    rng.shuffle(groups)
    categories = sorted({c for c in category.values() if c is not None})
    pages = [url for url in category if rng.random() < 0.7]
    return NearestCentroid(
        idf={thing: rng.choice([1.0, 1.25, 2.5]) for thing in [*pages, *categories]},
        centroids={
            g: {
                thing: rng.choice([0.5, 0.25, 0.125])
                for thing in rng.sample([*pages, *categories], len([*pages, *categories]) // 2)
            }
            for g in groups
        },
        min_visits=rng.choice([3, 1, 2, 4]),
    )


def _online_ads(
    rng: Random, category: dict[str, str | None], campaigns: dict[str, Campaign]
) -> dict[str, str]:
    """Categories of about half of the landing pages that the generation has none for."""
    ids = sorted({c for c in category.values() if c is not None})
    landing = dict.fromkeys(url for campaign in campaigns.values() for _, url in campaign.ads)
    return {
        url: rng.choice(ids)
        for url in landing
        if ids and category.get(url) is None and rng.random() < 0.5
    }


def _online_pages(
    rng: Random, category: dict[str, str | None], campaigns: dict[str, Campaign]
) -> dict[str, str]:
    """What was sent of half of the pages without category: like one of them, or like none."""
    ids = sorted({c for c in category.values() if c is not None})
    landing = dict.fromkeys(url for campaign in campaigns.values() for _, url in campaign.ads)
    return {
        url: rng.choice([*ids, ""])
        for url in dict.fromkeys([*category, *landing])
        if ids and category.get(url) is None and rng.random() < 0.5
    }


def _categories(rng: Random) -> dict[str, str | None]:
    """Every page's category; a few pages have none, and once in a while all of them."""
    ids = [f"c{number}" for number in range(rng.randint(1, 5))]
    uncategorised = rng.choices([0.15, 0.0, 0.5, 1.0], [10, 5, 4, 1])[0]
    return {
        page_url(number): None if rng.random() < uncategorised else rng.choice(ids)
        for number in range(rng.randint(1, 24))
    }


def _visitors(rng: Random) -> list[str]:
    """Visitor keys of both name spaces."""
    return [
        f"i:192.0.2.{number}" if number % 3 == 2 else f"u:user{number}"
        for number in range(rng.randint(1, 8))
    ]


def _histories(
    rng: Random, visitors: list[str], urls: list[str], at_most: int = 6
) -> dict[str, dict[str, Counts]]:
    """What each visitor did: a few URLs with small numbers; some visitors did nothing."""
    return {
        visitor: {
            url: rng.choice([(1, 0), (2, 0), (3, 0), (1, 1), (0, 1), (0, 2), (7, 3)])
            for url in rng.sample(urls, rng.randint(0, min(at_most, len(urls))))
        }
        for visitor in visitors
        if rng.random() < 0.85
    }


def _similar(rng: Random, category: dict[str, str | None]) -> dict[str, float]:
    """A few pages, with weights that single precision holds."""
    pages = rng.sample([*category], rng.randint(0, min(5, len(category))))
    return {page: rng.choice([0.5, 0.25, 1.0, -0.25, 0.3125, -1.0]) for page in pages}


def _totals(
    rng: Random, category: dict[str, str | None], profiles: dict[str, dict[str, Counts]]
) -> dict[str, Counts]:
    """Profiles and what anonymous visitors did, summed; pages nobody touched are absent."""
    totals = {
        url: add(
            [profile[url] for profile in profiles.values() if url in profile]
            + [rng.choice([(0, 0), (0, 0), (1, 0), (2, 0), (0, 1)])]
        )
        for url in category
    }
    return {url: counts for url, counts in totals.items() if counts != (0, 0)}


def _campaigns(rng: Random, category: dict[str, str | None]) -> dict[str, Campaign]:
    """Campaigns over few URLs, so that they share some; most of them run."""
    urls = [*category, *map(unknown_url, range(2))]
    pool = rng.sample(urls, rng.randint(1, min(14, len(urls))))
    return {
        f"k{number}": _campaign(rng, rng.choices(pool, k=rng.randint(1, 7)))
        for number in range(rng.choice([2, 0, 1, 3, 4, 5, 6, 7]))
    }


def _campaign(rng: Random, urls: list[str]) -> Campaign:
    """One campaign: most run, the others are off, over or to come."""
    state = rng.choices(["running", "off", "over", "to come"], [14, 1, 2, 1])[0]
    return Campaign(
        priority=rng.choice([*PRIORITIES, round(rng.random(), 2)]),
        ads=[(spelling(rng, url), url) for url in urls],
        starts_ms=rng.choice(TO_COME if state == "to come" else STARTS),
        ends_ms=rng.choice(OVER if state == "over" else ENDS),
        active=state != "off",
    )


def random_request(rng: Random, world: World) -> Request:
    """A request of a known or unknown visitor on a known or unknown page of the world."""
    url = rng.choice([*world.category, *world.category, unknown_url(0), unknown_url(1)])
    visitor = rng.choice([*_known(world), *_known(world), "u:stranger", None])
    request = Request(
        url=url,
        visitor=visitor,
        mode=rng.choice(["related", "sponsored"]),
        filter=rng.choice(["content", "collaborative"]),
        limit=rng.choice([10, 1, 2, 3, 100]),
        campaigns=_named(rng, world),
        repeat=rng.choice([None, None, False, True]),
        fill=rng.choice([False, False, True]),
        now_ms=NOW_MS,
        online=_online(rng, world),
    )
    exclude = _exclusions(rng, world, request)
    return Request(**{**vars(request), "exclude": tuple(exclude)})


def _online(rng: Random, world: World) -> str | None:
    """The category that the text of a request stands for, or none; half of them bring none."""
    ids = sorted({c for c in world.category.values() if c is not None})
    return rng.choice([None] * len(ids) + [*ids, ""]) if ids else None


def _known(world: World) -> list[str]:
    """Every visitor the world has heard of."""
    return sorted({*world.community, *world.profiles, *world.recent})


def _named(rng: Random, world: World) -> tuple[str, ...] | None:
    """The campaigns a request names: mostly it does not say, else a few of them, or none."""
    if rng.random() < 0.75:
        return None
    return tuple(rng.choices([*world.campaigns, "k0", "nobody"], k=rng.randint(0, 3)))


def _exclusions(rng: Random, world: World, request: Request) -> list[str]:
    """URLs to exclude: none, a few, or whole lists, which is what empties the steps."""
    community, _ = community_of(world, request.visitor)
    seen = col_list(world, community)
    own = rec_list(world, world.category.get(request.url))
    near = [url for c in map(world.category.get, seen) for url in rec_list(world, c)]
    lists = {
        "none": [],
        "a few": rng.sample(list(world.category), rng.randint(0, min(3, len(world.category)))),
        "own category": [*own],
        "community": [*own, *seen],
        "community's categories": [*own, *seen, *near],
        "ads": [*ad_urls(world, request)],
        "everything": [*world.category],
    }
    kind = rng.choices([*lists], [40, 20, 12, 14, 9, 2, 3])[0]
    return [url for url in dict.fromkeys(lists[kind]) if rng.random() < 0.97]


class _DrawnRandom(Random):
    """A `Random` whose numbers hypothesis draws, evenly, and shrinks towards 0."""

    def __init__(self, draw: st.DrawFn) -> None:
        super().__init__(0)
        self._draw = draw

    def random(self) -> float:
        """A multiple of 1/4096 in [0, 1)."""
        return self._draw(st.integers(0, 4095)) / 4096

    def getrandbits(self, k: int) -> int:
        """An integer of `k` bits, which is what the methods that choose are made from."""
        return self._draw(st.integers(0, 2**k - 1))


@st.composite
def worlds_and_requests(draw: st.DrawFn) -> tuple[World, Request]:
    """A world and a request for it; hypothesis shrinks both by their single draws.

    A minimal example has few pages, visitors and campaigns, since the first of every choice is
    the simplest.
    """
    rng = _DrawnRandom(draw)
    world = random_world(rng)
    return world, random_request(rng, world)
