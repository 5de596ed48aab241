"""The oracle itself, against answers worked out by hand, and the worlds it is used with."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from tests.support import world as known
from tests.support.random_worlds import random_request, random_world
from webrec.bench.oracle import (
    Campaign,
    Item,
    Request,
    World,
    col_list,
    page_category,
    rec_list,
    recommend,
)

NOW = 1_000
A, B, C, D, E = (f"https://site.example/{name}" for name in "abcde")
SMALL = World(
    category={A: "c1", B: "c1", C: "c1", D: "c2", E: None},
    totals={A: (4, 0), B: (1, 1), C: (4, 0), D: (2, 0), E: (9, 0)},
    community={"u:ann": "g", "u:bob": "g"},
    profiles={
        "u:ann": {A: (3, 0), D: (1, 0)},
        "u:bob": {A: (1, 0), C: (2, 1), D: (1, 0), E: (5, 0), B: (0, 2)},
        "u:eve": {D: (1, 0)},
    },
    recent={"u:eve": {A: (0, 1), "https://new.example/": (4, 0)}},
    campaigns={
        "k1": Campaign(0.4, [(f"{A}?utm_source=k1", A), (D, D)]),
        "k2": Campaign(0.4, [(f"{A}#k2", A), ("https://new.example/", "https://new.example/")]),
        "k3": Campaign(0.8, [(E, E)]),
    },
)
"""Five pages, a community of ann and bob, eve without community, three campaigns."""


def urls(request: Request, world: World = SMALL) -> list[str]:
    """The canonical URLs the oracle answers with, in order."""
    return [item.url for item in recommend(world, request).items]


def test_lists_of_a_category_and_of_a_community() -> None:
    """RecL goes by total, then URL (4, 4, 1 + 3); colL leaves out what was only accepted."""
    unordered = replace(SMALL, category={C: "c1", A: "c1", B: "c1"})
    assert list(rec_list(unordered, "c1").items()) == [(A, 4), (B, 4), (C, 4)]
    assert list(rec_list(replace(SMALL, accept_weight=4), "c1")) == [B, A, C]
    assert list(col_list(SMALL, "g").items()) == [(C, 5), (E, 5), (A, 4), (D, 2)]


def test_an_uncategorised_page_is_in_no_category_list() -> None:
    """None is not a category: its pages are in colL but never in recL."""
    assert rec_list(SMALL, None) == {}
    everything = recommend(SMALL, Request(url=E, limit=100))
    assert everything.path == ["WebR.Rel.Cont", "WebR.Rel.Default"]
    assert [item.url for item in everything.items] == [A, B, C, D]


def test_affinity_counts_profile_and_recent_together() -> None:
    """Eve has 1 for c2, and 3 for c1 by one recent accept: c1 has affinity 1, c2 a third.

    Her recent visits of a page the generation does not know count for no category, and her accept
    of A is no visit: A stays in the list. D, which she visited, does not.
    """
    answer = recommend(SMALL, Request(url=E, visitor="u:eve"))
    assert [item.url for item in answer.items] == [A, B, C]
    repeated = recommend(SMALL, Request(url=E, visitor="u:eve", repeat=True))
    assert repeated.items[-1] == Item(D, D, 1 / 3, 2.0, "c2", None, 1 / 3, None)


def test_without_any_weight_every_affinity_is_zero() -> None:
    """Only accepts, which weigh nothing here, make a strongest weight of 0 and divide nothing."""
    world = World(category={A: "c1", B: "c1"}, profiles={"u:ann": {A: (0, 2)}}, accept_weight=0.0)
    answer = recommend(world, Request(url=B, visitor="u:ann"))
    assert [(item.url, item.priority) for item in answer.items] == [(A, 0.0)]


def test_a_community_hands_over_step_by_step() -> None:
    """Ann gets what bob saw; without that, the rest of their categories; without that, all.

    A and D she visited, so colL holds C and E. C's category is hers, E has none: C comes first.
    B is in no profile by a visit, but in the community's category c1.
    """
    ann = Request(url=A, visitor="u:ann", filter="collaborative")
    assert urls(ann) == [C, E]
    assert urls(replace(ann, exclude=(C, E))) == [B]
    nothing = recommend(SMALL, replace(ann, exclude=(B, C, E)))
    assert nothing.path == ["WebR.Rel.Col", "WebR.Rel.Default"]
    assert nothing.empty


def test_a_sponsored_answer_names_the_winning_campaign() -> None:
    """K1 and k2 both offer A for 0.4: the smaller id wins, and A is shown in its spelling.

    Ann's weights are 3 for c1 and 1 for c2; A is worth (0.5 * 0.4 + 0.5 * 1) / 1.
    """
    answer = recommend(SMALL, Request(url=B, visitor="u:ann", mode="sponsored"))
    assert answer.items == [Item(f"{A}?utm_source=k1", A, 0.7, 4.0, "c1", "k1", 1.0, 0.4)]
    named = Request(url=B, visitor="u:ann", mode="sponsored", campaigns=("k2", "unheard-of"))
    assert recommend(SMALL, named).items[0].shown == f"{A}#k2"


def test_the_first_spelling_of_a_campaign_is_shown() -> None:
    """One campaign that gives one page twice shows it once, as it gave it first."""
    campaign = Campaign(1.0, [(f"{A}#z", A), (f"{A}#a", A)])
    world = replace(SMALL, campaigns={"k": campaign})
    assert [i.shown for i in recommend(world, Request(url=B, mode="sponsored")).items] == [f"{A}#z"]


def test_an_uncategorised_ad_needs_a_visit_of_the_community() -> None:
    """E has no category: the collaborative list holds it, the others never do.

    The ads the community visited are E (0.5 * 0.8 = 0.4), A (0.7) and D (0.2 + 0.5 / 3). With
    these excluded E is not in a category of colL either, though colL holds pages without one.
    """
    ann = Request(url=B, visitor="u:ann", mode="sponsored", filter="collaborative")
    assert urls(ann) == [A, E, D]
    assert recommend(SMALL, ann).items[0].rank_score == 4
    only_e = replace(SMALL, community={"u:ann": "h"}, campaigns={"k3": SMALL.campaigns["k3"]})
    answer = recommend(only_e, ann)
    assert answer.path == ["WebR.Sp.Col", "WebR.Sp.Default"]
    assert answer.empty


def test_ads_of_the_communitys_categories_rank_by_total() -> None:
    """B was not visited by the community but shares its category: it counts its total, 1 + 3."""
    world = replace(SMALL, campaigns={"k": Campaign(0.2, [(B, B)])})
    request = Request(url=E, visitor="u:bob", mode="sponsored")
    answer = recommend(world, request)
    assert answer.path == ["WebR.Sp.Cont", "WebR.Sp.Col"]
    assert answer.items == [Item(B, B, 0.6, 4.0, "c1", "k", 1.0, 0.2)]


def test_without_community_collaborative_becomes_content() -> None:
    """Eve enters the collaborative algorithm, the content one, and then the default."""
    eve = Request(url=E, visitor="u:eve", mode="sponsored", filter="collaborative")
    answer = recommend(SMALL, eve)
    assert answer.path == ["WebR.Sp.Col", "WebR.Sp.Cont", "WebR.Sp.Default"]
    assert [item.url for item in answer.items] == [A, D]


@pytest.mark.parametrize(
    ("campaign", "runs"),
    [
        (Campaign(1.0, [(A, A)], starts_ms=NOW), True),
        (Campaign(1.0, [(A, A)], starts_ms=NOW + 1), False),
        (Campaign(1.0, [(A, A)], ends_ms=NOW), False),
        (Campaign(1.0, [(A, A)], ends_ms=NOW + 1), True),
        (Campaign(1.0, [(A, A)], active=False), False),
    ],
)
def test_a_campaign_runs_from_its_start_until_before_its_end(
    campaign: Campaign, runs: bool
) -> None:
    """``starts <= now < ends``, and only while it is active."""
    request = Request(url=B, mode="sponsored", now_ms=NOW)
    assert recommend(replace(SMALL, campaigns={"k": campaign}), request).empty is not runs


def test_naming_no_campaign_is_naming_none() -> None:
    """An empty list names no campaign, so every campaign counts."""
    request = Request(url=B, mode="sponsored")
    assert urls(replace(request, campaigns=())) == urls(request) == [A]


def test_visited_pages_come_back_only_when_asked_or_sponsored() -> None:
    """Repeat is off for related and on for sponsored unless the request says otherwise."""
    related, sponsored = Request(url=B, visitor="u:ann"), Request(B, "u:ann", "sponsored")
    assert urls(related) == [C]
    assert urls(replace(related, repeat=True)) == [A, C]
    assert urls(sponsored) == [A]
    assert A not in urls(replace(sponsored, repeat=False))


def test_the_limit_cuts_the_ordered_list_at_the_end() -> None:
    """The size is that of the whole list."""
    answer = recommend(SMALL, Request(url=E, limit=2))
    assert ([item.url for item in answer.items], answer.size) == ([A, B], 4)


def test_priorities_one_unit_apart_are_different() -> None:
    """No rounding hides the higher priority of what comes later by URL."""
    above = math.nextafter(0.5, 1.0)
    ads = {"k1": Campaign(0.5, [(A, A)]), "k2": Campaign(above, [(C, C)])}
    world = replace(SMALL, campaigns=ads, w_aff=0.0, w_ads=1.0)
    assert urls(Request(url=B, mode="sponsored"), world) == [C, A]


def known_world() -> World:
    """The known-answer world with its themes as categories and as communities."""
    profiles: dict[str, dict[str, tuple[int, int]]] = {}
    totals: dict[str, tuple[int, int]] = {}
    for event in known.VISITS:
        user, ip, url = event.get("user"), event.get("ip"), event["url"]
        visitor = f"u:{user}" if user else f"i:{ip}" if ip else None
        one = (1, 0) if event["type"] == "visit" else (0, 1)
        for counts in [totals, *([profiles.setdefault(visitor, {})] if visitor else [])]:
            visits, accepts = counts.get(url, (0, 0))
            counts[url] = (visits + one[0], accepts + one[1])
    return World(
        category=dict(known.THEME_OF),
        totals=totals,
        community={visitor: t for t, visitors in known.READERS.items() for visitor in visitors},
        profiles=profiles,
        campaigns={each["id"]: known_campaign(each) for each in known.CAMPAIGNS},
        w_ads=known.W_ADS,
        w_aff=known.W_AFF,
        accept_weight=known.ACCEPT_WEIGHT,
    )


def known_campaign(document: known.Document) -> Campaign:
    """A campaign document of the known-answer world; a document with an end is over."""
    given = [url if isinstance(url, str) else url["url"] for url in document["urls"]]
    ads = [(url, url.partition("?")[0]) for url in given]
    return Campaign(document["priority"], ads, active="ends" not in document)


def known_request(document: known.Document) -> Request:
    """A request document of the known-answer world."""
    user, ip = document.get("user"), document.get("ip")
    return Request(
        url=document["url"],
        visitor=f"u:{user}" if user else f"i:{ip}" if ip else None,
        mode=document.get("mode", "related"),
        filter=document.get("filter", "content"),
        limit=document.get("limit", 10),
        exclude=tuple(document.get("exclude", ())),
        campaigns=tuple(document["campaigns"]) if "campaigns" in document else None,
    )


@pytest.mark.parametrize("expected", known.EXPECTED, ids=lambda each: each.statement[:60])
def test_the_known_answers_hold(expected: known.Expected) -> None:
    """What the known-answer world states in prose is what the definitions give."""
    answer = recommend(known_world(), known_request(expected.request))
    assert [item.url for item in answer.items] == expected.urls
    assert answer.path == expected.path
    if expected.campaigns is not None:
        assert [item.campaign for item in answer.items] == expected.campaigns


def test_the_known_totals_hold() -> None:
    """Each theme's pages are in the order that the known-answer world states."""
    for theme in known.READERS:
        assert list(rec_list(known_world(), theme)) == known.by_total(theme)


def test_random_worlds_reach_every_branch() -> None:
    """Each path, with a list and (where it ends in a default) without, comes up often."""
    branches: Counter[tuple[str, bool]] = Counter()
    for seed in range(3_000):
        rng = Random(seed)
        world = random_world(rng)
        answer = recommend(world, random_request(rng, world))
        branches[" > ".join(answer.path), answer.empty] += 1
    assert len(branches) == 16 + 8
    assert min(branches.values()) >= 20


def test_random_worlds_reach_every_source_of_a_category() -> None:
    """Requests bring text or none, on pages of which others did, campaigns did, both or nobody."""
    sources: Counter[tuple[bool, bool, bool]] = Counter()
    for seed in range(3_000):
        rng = Random(seed)
        world = random_world(rng)
        request = random_request(rng, world)
        if world.category.get(request.url) is None:
            by_campaign = request.url in world.online_ads
            sources[request.online is not None, request.url in world.online_pages, by_campaign] += 1
    assert len(sources) == 8
    assert min(sources.values()) >= 20


def test_a_page_is_placed_by_what_was_sent_before_what_a_campaign_says() -> None:
    """By the request, by others, by a campaign that is active; text like none is text, too."""
    campaigns = {"k": Campaign(0.5, [(E, E)])}
    world = replace(SMALL, campaigns=campaigns, online_ads={E: "c2"}, online_pages={E: "c1"})
    request = Request(url=E)

    def category(world: World, online: str | None = None) -> str | None:
        return page_category(world, replace(request, online=online))

    assert [category(world, online) for online in ("c2", "", None)] == ["c2", None, "c1"]
    assert category(replace(world, online_pages={E: ""})) is None
    assert category(replace(world, online_pages={})) == "c2"
    assert category(replace(world, online_pages={}, online=False)) is None
    off = replace(campaigns["k"], active=False)
    assert category(replace(world, online_pages={}, campaigns={"k": off})) is None
