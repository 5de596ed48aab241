"""The known-answer world: three themes, thirteen visitors, thirty pages, answers in prose.

**Pages.** Ten on astronomy, ten on cooking, ten on football. No two themes share a word, so three
categories are what any clustering must find.

**Visitors.** Four readers a theme, who read their own theme only, so the three communities are the
three readerships. Reader k of a theme (k = 0 … 3) visited each page i of it (i = 0 … 9) once,
except those with ``i % 4 == k``: a checkerboard. Every page is hence visited by three of its four
readers, and what reader k has not read is known. Besides:

- reader 0 of each theme once followed a recommendation of page 1 (which reader 1 has not read):
  the one accept makes page 1 the theme's favourite, for everybody and for its community;
- an anonymous visitor opened page 2 of each theme twice: it comes second in totals, but that
  counts for no community;
- the newcomer visited two football pages, which is too little for a community.

**Totals** (``visits + 3 * accepts``): 6 for a theme's page 1, 5 for its page 2, 3 for the others.
URLs end in the page's number, so equal totals follow the numbers.

**Campaigns.** One a theme, each with that theme's page 3 and a landing page of its own, which
nobody visited and which the campaign describes: priority 0.9 for astronomy, 0.6 for cooking, 0.3
for football; and one that ended, priority 1, for astronomy's page 5: it must never be seen.

The stranger page and the textless page belong nowhere: nobody knows the first; one cooking reader
visited the second, of which nothing is known, so that it has no category.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

_ASTRONOMY = {
    "Choosing a first telescope": "telescope, refractor, eyepiece",
    "Photographing the Milky Way galaxy": "galaxy, telescope, night sky",
    "How astronomers weigh a black hole": "black hole, galaxy, orbit",
    "The moons of Jupiter through a telescope": "Jupiter, moons, telescope",
    "Why comets grow a tail near the sun": "comet, orbit, solar system",
    "Watching a meteor shower in the night sky": "meteor, night sky, comet",
    "The life and death of stars": "stars, supernova, nebula",
    "Planets around distant stars": "exoplanet, orbit, stars",
    "Nebula colours and what they tell astronomers": "nebula, stars, telescope",
    "A map of the solar system and its planets": "planets, solar system, orbit",
}
_COOKING = {
    "Baking sourdough bread at home": "bread, dough, oven",
    "A tomato sauce recipe for pasta": "sauce, pasta, tomato, recipe",
    "Roasting vegetables in a hot oven": "vegetables, roasting, oven, recipe",
    "Soup recipe with lentils and garlic": "soup, lentils, garlic, recipe",
    "Looking after a cast iron frying pan": "frying pan, kitchen, cooking oil",
    "Chocolate cake with butter and sugar": "cake, chocolate, butter, baking",
    "Fresh pasta dough without a machine": "pasta, dough, flour, kitchen",
    "Herbs and spices every kitchen needs": "herbs, spices, kitchen, garlic",
    "Slow cooked stew with onions and beef": "stew, beef, onions, recipe",
    "Pickling cucumbers and onions in vinegar": "pickles, vinegar, onions, kitchen",
}
_FOOTBALL = {
    "Goalkeeper saves late penalty in cup final": "goalkeeper, penalty, cup final",
    "How the offside rule works": "offside, referee, striker",
    "Striker scores hat trick in league match": "striker, goals, league, match",
    "Midfield pressing explained by a coach": "midfield, coach, tactics",
    "Transfer window: clubs look for a striker": "transfer, clubs, striker, league",
    "Referee shows red card after a foul": "referee, red card, foul, match",
    "League table after the weekend matches": "league, match, goals, clubs",
    "Training drills for young defenders": "defender, training, coach",
    "The best free kick goals of the season": "free kick, goals, season, league",
    "Coach names team for the world cup": "coach, team, world cup, striker",
}
_THEMES = {
    "astronomy": (_ASTRONOMY, "Astronomy: stars, planets and galaxies seen by telescope."),
    "cooking": (_COOKING, "Cooking: recipes, baking and food from your kitchen."),
    "football": (_FOOTBALL, "Football: match reports, goals, league and club news."),
}
_TIME = "2026-06-01T12:00:00Z"

READERS = {
    "astronomy": ["u:anna", "u:boris", "u:chiara", "i:192.0.2.4"],
    "cooking": ["u:dilan", "u:edith", "u:farid", "i:192.0.2.8"],
    "football": ["u:goran", "u:hanna", "u:ivo", "i:2001:db8::c"],
}
NEWCOMER = "u:nora"
STRANGER = "u:stranger"
STRANGER_PAGE = "https://elsewhere.example/unheard-of"
TEXTLESS_PAGE = "https://cooking.example/scan-0017"

MIN_VISITS = 3
ACCEPT_WEIGHT = 3
W_ADS = W_AFF = 0.5


def page(theme: str, number: int) -> str:
    """Canonical URL of a theme's page 0 … 9."""
    return f"https://{theme}.example/page-{number}"


def landing(theme: str) -> str:
    """Canonical URL of the landing page of the theme's campaign."""
    return f"https://shop.example/{theme}-offer"


def _page_event(theme: str, number: int, title: str, keywords: str) -> Document:
    return {
        "type": "page",
        "url": page(theme, number),
        "title": title,
        "keywords": keywords.split(", "),
        "description": _THEMES[theme][1],
        "timestamp": _TIME,
        "event_id": f"page-{theme}-{number}",
    }


PAGES: tuple[Document, ...] = tuple(
    _page_event(theme, number, title, keywords)
    for theme, (texts, _) in _THEMES.items()
    for number, (title, keywords) in enumerate(texts.items())
)
"""What the thirty pages say of themselves: events of type ``page``."""


def _event(kind: str, url: str, visitor: str | None) -> Document:
    space, _, name = (visitor or "").partition(":")
    who = {"u": {"user": name}, "i": {"ip": name}, "": {}}[space]
    return {"type": kind, "url": url, "timestamp": _TIME, **who}


def _events() -> list[Document]:
    """Every visit and accept, as the module's description tells them."""
    checkerboard = [
        _event("visit", page(theme, i), visitor)
        for theme, visitors in READERS.items()
        for k, visitor in enumerate(visitors)
        for i in range(10)
        if i % 4 != k
    ]
    favourites = [_event("accept", page(t, 1), visitors[0]) for t, visitors in READERS.items()]
    anonymous = [_event("visit", page(theme, 2), None) for theme in READERS for _ in range(2)]
    newcomer = [_event("visit", page("football", i), NEWCOMER) for i in (7, 8)]
    textless = [_event("visit", TEXTLESS_PAGE, READERS["cooking"][0])]
    return checkerboard + favourites + anonymous + newcomer + textless


VISITS: tuple[Document, ...] = tuple(
    {**event, "event_id": f"event-{number}"} for number, event in enumerate(_events())
)
"""What the visitors did: events of type ``visit`` and ``accept``."""


def _campaign(theme: str, priority: float) -> Document:
    title = f"Special offer for friends of {theme}"
    keywords = next(iter(_THEMES[theme][0].values())).split(", ")
    return {
        "id": f"{theme}-offer",
        "name": title,
        "urls": [
            f"{page(theme, 3)}?utm_source=webrec&utm_campaign={theme}",
            {
                "url": landing(theme),
                "title": title,
                "keywords": [theme, *keywords],
                "description": _THEMES[theme][1],
            },
        ],
        "priority": priority,
    }


CAMPAIGNS: tuple[Document, ...] = (
    _campaign("astronomy", 0.9),
    _campaign("cooking", 0.6),
    _campaign("football", 0.3),
    {
        "id": "ended",
        "name": "Last year's comet",
        "urls": [page("astronomy", 5)],
        "priority": 1.0,
        "starts": "2024-01-01T00:00:00Z",
        "ends": "2025-01-01T00:00:00Z",
    },
)
"""The campaign documents: three that always run, one that is over."""

THEME_OF: dict[str, str | None] = {
    **{page(theme, number): theme for theme in _THEMES for number in range(10)},
    **{landing(theme): theme for theme in _THEMES},
    TEXTLESS_PAGE: None,
}
"""Canonical URL of every page a generation knows to its theme, which is its category."""


def by_total(theme: str) -> list[str]:
    """The theme's ``recL``: the favourite, what the anonymous opened, the rest, the landing page.

    Football's pages 7 and 8 have the newcomer's visit more than the others.
    """
    busy = [7, 8] if theme == "football" else []
    rest = [i for i in (0, 3, 4, 5, 6, 7, 8, 9) if i not in busy]
    return [page(theme, i) for i in [1, 2, *busy, *rest]] + [landing(theme)]


def unread(visitor: str) -> list[str]:
    """The pages of their theme that a reader has not read; the favourite comes first."""
    theme = next(theme for theme, visitors in READERS.items() if visitor in visitors)
    k = READERS[theme].index(visitor)
    return [page(theme, i) for i in range(10) if i % 4 == k]


@dataclass(frozen=True)
class Expected:
    """One known answer.

    Attributes:
        statement: why it is right, in prose.
        request: the recommendation request document.
        path: the algorithms entered; the last one built the list.
        urls: canonical URLs of the items, in order.
        campaigns: the items' campaigns (sponsored mode).
    """

    statement: str
    request: Document
    path: list[str]
    urls: list[str]
    campaigns: list[str] | None = None


def _shown_ads(*themes: str) -> dict[str, list[str]]:
    """Page 3 before the landing page, theme by theme: page 3 has been visited."""
    return {
        "urls": [url for theme in themes for url in (page(theme, 3), landing(theme))],
        "campaigns": [f"{theme}-offer" for theme in themes for _ in range(2)],
    }


EXPECTED: tuple[Expected, ...] = (
    Expected(
        "To an anonymous visitor on a page of a theme, the theme's other pages are related, by "
        "their totals.",
        {"url": page("astronomy", 0), "filter": "content", "limit": 100},
        ["WebR.Rel.Cont"],
        [url for url in by_total("astronomy") if url != page("astronomy", 0)],
    ),
    Expected(
        "A reader who has no use for what they have read gets exactly what they have not, and "
        "after it the landing page nobody visited.",
        {"url": page("cooking", 0), "user": "edith", "filter": "content", "limit": 100},
        ["WebR.Rel.Cont"],
        [*unread("u:edith"), landing("cooking")],
    ),
    Expected(
        "A reader's community recommends what its other members read and the reader did not, "
        "whatever the page being browsed: the cooking page changes nothing.",
        {"url": page("cooking", 0), "user": "boris", "filter": "collaborative", "limit": 100},
        ["WebR.Rel.Col"],
        unread("u:boris"),
    ),
    Expected(
        "A reader known by address has a community like any other.",
        {"url": STRANGER_PAGE, "ip": "2001:db8::c", "filter": "collaborative", "limit": 100},
        ["WebR.Rel.Col"],
        unread("i:2001:db8::c"),
    ),
    Expected(
        "The community recommends a page without category too, after all that the reader has an "
        "affinity for.",
        {"url": page("cooking", 0), "user": "edith", "filter": "collaborative", "limit": 100},
        ["WebR.Rel.Col"],
        [*unread("u:edith"), TEXTLESS_PAGE],
    ),
    Expected(
        "On a page nobody knows, the content filter falls back to the reader's community.",
        {"url": STRANGER_PAGE, "user": "goran", "filter": "content", "limit": 100},
        ["WebR.Rel.Cont", "WebR.Rel.Col"],
        unread("u:goran"),
    ),
    Expected(
        "Two visits make no community: the newcomer gets the pages of the category, but not the "
        "two they know.",
        {"url": page("football", 0), "user": "nora", "filter": "collaborative", "limit": 100},
        ["WebR.Rel.Col", "WebR.Rel.Cont"],
        [
            url
            for url in by_total("football")
            if url not in {page("football", i) for i in (0, 7, 8)}
        ],
    ),
    Expected(
        "A stranger on a page nobody knows gets the most popular pages of all: the three "
        "favourites first, by URL.",
        {"url": STRANGER_PAGE, "user": "stranger", "filter": "content", "limit": 3},
        ["WebR.Rel.Cont", "WebR.Rel.Default"],
        [page("astronomy", 1), page("cooking", 1), page("football", 1)],
    ),
    Expected(
        "On a page of a theme the theme's campaign is shown, and no other, though another pays "
        "more.",
        {"url": page("football", 0), "mode": "sponsored", "filter": "content"},
        ["WebR.Sp.Cont"],
        **_shown_ads("football"),
    ),
    Expected(
        "A reader's community has read page 3, so that ad is the collaborative answer; the "
        "landing page, which nobody visited, is not in it.",
        {
            "url": page("cooking", 0),
            "user": "ivo",
            "mode": "sponsored",
            "filter": "collaborative",
        },
        ["WebR.Sp.Col"],
        [page("football", 3)],
        ["football-offer"],
    ),
    Expected(
        "Without that ad, the ads of the categories the community read are next: the landing page.",
        {
            "url": page("cooking", 0),
            "user": "ivo",
            "mode": "sponsored",
            "filter": "collaborative",
            "exclude": [page("football", 3)],
        },
        ["WebR.Sp.Col"],
        [landing("football")],
        ["football-offer"],
    ),
    Expected(
        "To a stranger on a page nobody knows every running campaign is shown, by priority; the "
        "one that ended is not.",
        {"url": STRANGER_PAGE, "user": "stranger", "mode": "sponsored", "filter": "content"},
        ["WebR.Sp.Cont", "WebR.Sp.Default"],
        **_shown_ads("astronomy", "cooking", "football"),
    ),
    Expected(
        "To a football reader whose community has no suitable ad in the named campaigns, these "
        "are shown by priority alone, since the reader has no affinity for their themes.",
        {
            "url": page("football", 0),
            "user": "hanna",
            "mode": "sponsored",
            "filter": "content",
            "campaigns": ["cooking-offer", "astronomy-offer"],
        },
        ["WebR.Sp.Cont", "WebR.Sp.Col", "WebR.Sp.Default"],
        **_shown_ads("astronomy", "cooking"),
    ),
    Expected(
        "Affinity counts as much as money: football pays least, but to the newcomer, who read "
        "football only, it comes first (0.65 against 0.45 and 0.3).",
        {"url": STRANGER_PAGE, "user": "nora", "mode": "sponsored", "filter": "content"},
        ["WebR.Sp.Cont", "WebR.Sp.Default"],
        **_shown_ads("football", "astronomy", "cooking"),
    ),
    Expected(
        "When only a campaign that ended is named, there is nothing to show.",
        {"url": page("astronomy", 0), "mode": "sponsored", "campaigns": ["ended"]},
        ["WebR.Sp.Cont", "WebR.Sp.Default"],
        [],
        [],
    ),
)
"""Right answers, whatever ids the clustering gives to the three categories and communities."""
