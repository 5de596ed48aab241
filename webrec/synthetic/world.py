"""A synthetic world: pages, visits, campaigns and requests that look like a publisher's.

In: a `WorldSpec`, how much of each and a seed. Out: four files of the documents that users send,
or the same documents one by one. The same spec gives the same bytes.

What is drawn, and from which distribution:

========================  ==========================================================================
pages in a category       multinomial; the weight of the category ranked r is ``(r + 3) ** -0.5``
words of a page           five of the category's seven terms, evenly; title and description from
                          templates, evenly; every hundredth page has no text
popularity in a category  Zipf with exponent 1 over the category's pages, earlier ones first
community of a user       multinomial; the weight of the community ranked r is ``(r + 3) ** -0.5``
taste of a community      neighbouring categories, the last of which the next community shares; each
                          is worth three quarters of the one before
category of a visit       85 %: by the community's taste; 15 %: any, by its number of pages
user of a visit           everybody once; beyond that by an activity that is exponential over users,
                          so that visits per user are close to geometric
logged-out visits         one in ten of the visits beyond the first of each user
accepts                   every twentieth visit follows a recommendation: an accept precedes it
time of a visit           evenly over the days before ``now_ms``; within a day a triangle with its
                          peak in the evening
ads of a campaign         geometric with mean 2, at most 10, of one category: pages by popularity,
                          one in five a landing page of the campaign's own
priority of a campaign    beta(2, 2), two decimals
state of a campaign       one in sixteen ended, one in 25 is to come, one in fifty is switched off;
                          the others run for years, one in four of them without dates
visitor of a request      70 % a user of the log, 15 % an unknown user, 5 % an unknown address,
                          10 % anonymous
page of a request         80 % by the visitor's taste, 12 % any page evenly, 8 % an unknown page
========================  ==========================================================================

Categories take their words from a list of a hundred subjects; beyond a hundred, a category mixes
two subjects. Memory grows with pages and users by a few bytes each, and not with visits.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from ipaddress import IPv6Address
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from webrec.errors import UsageError

Document: TypeAlias = dict[str, Any]
Progress: TypeAlias = Callable[[str, int, int], None]
Ints: TypeAlias = NDArray[np.int32]

DAY_MS = 86_400_000
DAYS = 30
MAX_CATEGORIES = 10_000
ROAMING = 0.15
LOGGED_OUT = 0.10
FOLLOWED_EVERY = 20
TEXTLESS_EVERY = 100
CHUNK = 2_000

# topic: subject: the subject's seven terms. A title may put any two of them side by side.
_SUBJECTS = """
travel: city breaks: museums, old towns, weekend trips, walking tours, hostels, tram rides, skylines
cooking: bread baking: sourdough, rye loaves, yeast, flour, dough, wood ovens, crusts
football: league football: strikers, goalkeepers, penalties, league tables, derbies, referees, fouls
astronomy: stargazing: telescopes, meteor showers, constellations, comets, moons, eclipses, nebulae
gardening: vegetable plots: tomatoes, raised beds, compost, seedlings, pumpkins, slugs, greenhouses
music: classical music: symphonies, string quartets, conductors, opera arias, violins, cellos, \
choirs
health: sleep: bedtimes, insomnia, naps, snoring, mattresses, dreams, sleep cycles
money: saving: savings accounts, budgets, interest rates, pensions, index funds, dividends, \
inflation
film: cinema: directors, screenplays, film festivals, premieres, box office hits, sequels, trailers
cars: electric cars: charging stations, car batteries, hybrid engines, range, plugs, motors, torque
computing: programming: compilers, algorithms, debuggers, unit tests, source code, libraries, loops
animals: dogs: puppies, leashes, terriers, kennels, dog training, shepherd dogs, wagging tails
history: ancient Rome: emperors, gladiators, aqueducts, legions, senators, forums, chariots
fashion: tailoring: suits, lapels, linen shirts, wool coats, hems, buttons, trousers
politics: elections: ballots, polling stations, candidates, coalitions, campaigns, turnouts, voters
home: interior design: sofas, curtains, wallpapers, lampshades, rugs, shelves, paint colours
weather: storms: hurricanes, lightning, thunder, floods, hailstones, gales, tornadoes
books: crime fiction: detectives, murder mysteries, thrillers, plot twists, alibis, suspects, clues
photography: portraits: lenses, apertures, studio lights, flashes, camera bodies, tripods, headshots
school: mathematics: fractions, equations, geometry, proofs, triangles, prime numbers, algebra
cycling: road cycling: racing bikes, mountain stages, sprints, pelotons, gears, saddles, time trials
law: tenancy: landlords, rents, leases, deposits, evictions, tenants, repairs
work: careers: job interviews, cover letters, promotions, salaries, mentors, recruiters, internships
games: chess: openings, endgames, grandmasters, pawns, knights, rooks, checkmates
sea: sailing: sails, harbours, regattas, keels, knots, anchors, tides
travel: rail journeys: night trains, sleeping cars, railway stations, timetables, locomotives, \
rail passes, dining cars
cooking: desserts: chocolate cakes, puddings, custards, ice creams, meringues, pastries, caramels
football: youth football: training drills, junior teams, coaches, football boots, dribbling, \
school pitches, summer camps
astronomy: space travel: rockets, astronauts, spacecraft, orbits, launch pads, space stations, \
rovers
gardening: flowers: roses, tulips, perennials, flower beds, dahlias, petals, bouquets
music: jazz: saxophones, improvisation, big bands, trumpets, swing, jam sessions, double basses
health: nutrition: vitamins, proteins, calories, dietary fibre, minerals, diets, whole grains
money: taxes: tax returns, deductions, tax brackets, receipts, tax offices, refunds, allowances
film: animation: cartoons, animators, puppets, storyboards, voice actors, drawings, stop motion
cars: motor racing: pit stops, lap times, racing drivers, qualifying, circuits, tyres, safety cars
computing: security: passwords, malware, firewalls, encryption, phishing, hackers, backups
animals: birds: owls, nests, migrating birds, feathers, robins, bird feeders, songbirds
history: middle ages: castles, knights in armour, monasteries, crusades, peasants, sieges, \
cathedrals
fashion: shoes: sneakers, heels, leather boots, sandals, shoelaces, soles, cobblers
politics: diplomacy: treaties, ambassadors, summits, sanctions, embassies, peace talks, alliances
home: repairs at home: screwdrivers, drills, plumbing, leaking taps, tiles, plaster, sockets
weather: winter weather: snowfall, frost, blizzards, icicles, black ice, cold snaps, snow ploughs
books: poetry: sonnets, rhymes, verses, stanzas, haiku, poets, metaphors
photography: landscapes: sunsets, wide angles, golden hours, horizons, panoramas, filters, \
viewpoints
school: languages: grammar, vocabulary, verbs, accents, translations, pronunciation, dictionaries
cycling: mountain biking: trails, downhill runs, suspension forks, disc brakes, bike parks, \
jumps, singletracks
law: traffic law: speeding tickets, driving licences, speed cameras, fines, parking, points, bans
work: remote work: home offices, video calls, headsets, time zones, shared calendars, webcams, chats
games: board games: dice, game boards, card decks, tokens, rule books, game nights, strategies
sea: diving: coral reefs, wetsuits, shipwrecks, oxygen tanks, snorkels, sea turtles, fins
travel: camping: tents, campfires, sleeping bags, campsites, backpacks, stoves, hammocks
cooking: soups: broths, lentil soups, ladles, noodles, stocks, croutons, stews
football: football transfers: transfer fees, agents, contracts, loan deals, release clauses, \
deadline days, signings
astronomy: cosmology: black holes, dark matter, galaxies, the big bang, redshifts, quasars, \
spacetime
gardening: lawns: mowers, grass seeds, moss, hedges, sprinklers, rakes, clippings
music: rock music: electric guitars, drummers, concert tours, amplifiers, stadium gigs, riffs, \
encores
health: running: marathons, running shoes, jogging, stretching, cadence, half marathons, pacemakers
money: mortgages: home loans, house prices, estate agents, down payments, lenders, valuations, \
instalments
film: television series: episodes, cliffhangers, streaming services, pilots, seasons, \
showrunners, spin-offs
cars: classic cars: vintage cars, chrome bumpers, car restorations, convertibles, carburettors, \
collectors, hubcaps
computing: data science: data sets, neural networks, statistics, charts, regressions, clusters, \
models
animals: cats: kittens, whiskers, scratching posts, purring, litter boxes, tomcats, paws
history: explorers: expeditions, sea voyages, compasses, caravels, maps, trade winds, new coasts
fashion: jewellery: necklaces, rings, gold, silver, pearls, bracelets, gemstones
politics: city councils: mayors, bus lanes, town halls, zoning, public parks, council votes, permits
home: cleaning: vacuum cleaners, detergents, mops, stains, dusters, laundry, sponges
weather: climate: carbon emissions, sea levels, heat waves, droughts, glaciers, greenhouse gases, \
temperatures
books: fantasy novels: dragons, wizards, quests, elves, magic swords, kingdoms, prophecies
photography: film cameras: darkrooms, negatives, film rolls, developers, grain, enlargers, slides
school: chemistry: molecules, acids, test tubes, periodic tables, reactions, atoms, lab coats
cycling: city cycling: cargo bikes, bike lanes, bicycle helmets, panniers, bike racks, bells, \
commuters
law: courts: judges, juries, lawyers, verdicts, appeals, witnesses, trials
work: start-ups: founders, investors, pitches, seed rounds, business plans, prototypes, incubators
games: video games: consoles, controllers, high scores, boss fights, levels, joysticks, speedruns
sea: fishing: trout, fishing rods, baits, salmon, fishing nets, hooks, trawlers
travel: beach holidays: sandy beaches, sun loungers, resorts, parasols, palm trees, sunscreen, \
lagoons
cooking: wine: vineyards, grapes, red wines, cellars, corks, vintages, sommeliers
football: world cups: national teams, group stages, kick-offs, knockout rounds, anthems, \
trophies, host nations
astronomy: planets: Mars, Jupiter, Saturn, craters, ring systems, atmospheres, volcanoes on Io
gardening: fruit trees: apples, pears, pruning, orchards, cherries, blossom, grafting
music: electronic music: synthesizers, turntables, dance floors, drum machines, remixes, \
basslines, samplers
health: teeth: dentists, fillings, toothbrushes, gums, braces, dental floss, crowns
money: crypto: bitcoin, wallets, blockchains, mining rigs, tokens on chains, exchanges, ledgers
film: documentaries: interviews, archive footage, narrators, wildlife films, reporters, \
voice-overs, true stories
cars: motorcycles: motorbikes, handlebars, sidecars, exhausts, leather jackets, throttles, clutches
computing: smartphones: touch screens, apps, phone batteries, notifications, chargers, ringtones, \
sim cards
animals: horses: stables, ponies, dressage, bridles, foals, hooves, riding lessons
history: industrial revolution: steam engines, cotton mills, coal mines, canals, factories, \
looms, foundries
fashion: make-up: lipsticks, mascara, foundations, eye shadows, brushes, nail polish, powders
politics: parliaments: bills, debates, ministers, committees, amendments, opposition parties, \
speakers
home: kitchens: dishwashers, worktops, cupboards, fridges, kettles, cutlery, toasters
weather: forecasts: barometers, cold fronts, radar images, weather stations, humidity, \
satellites, pressure
books: biographies: memoirs, diaries, letters, childhoods, ghostwriters, autobiographies, anecdotes
photography: wildlife photography: hides, telephoto lenses, foxes, deer, camouflage, safaris, \
kingfishers
school: exams: revision, grades, essays, timetables for study, flash cards, mock tests, certificates
cycling: bicycle touring: long distance routes, ferries, handlebar bags, maps on paper, \
mudguards, inner tubes, detours
law: inheritance: wills, heirs, estates, notaries, trusts, bequests, legacies
work: unions: strikes, collective bargaining, shop stewards, wage rounds, picket lines, overtime, \
shifts
games: puzzles: crosswords, jigsaws, sudoku, riddles, mazes, word searches, brain teasers
sea: lighthouses: beacons, keepers, cliffs, foghorns, lamp rooms, headlands, buoys
"""

_TITLES = (
    "{A} and {b}: a beginner's guide",
    "What {a} can teach us about {b}",
    "Why everybody talks about {a} and {b}",
    "{A}, {b} and {c} explained",
    "The truth about {a} and {b}",
    "A short history of {a} and {b}",
    "Questions and answers: {a}, {b} and {c}",
    "Five myths about {a} and {b}",
    "From {a} to {b}: notes from a long week",
    "{A}, {b} and I: a reader's story",
    "The year in {a}, with a look at {b}",
    "All about {a}, with a word on {b}",
)
_DESCRIPTIONS = (
    "{Name} in practice: {a}, {b} and {c}, with advice from people who know.",
    "We look at {a} and {b}, and at the part of {c} in {name}.",
    "Readers asked about {a}; here is what we found on {b}, {c} and {d}.",
    "From {a} to {d}: an overview of {name}.",
    "An honest look at {a}, {b} and {c} for everyone interested in {name}.",
    "News and background on {name}: {a}, {c} and {d}.",
)
_MAGAZINES = ("news.example", "magazine.example", "daily.example")
_NAMES = ("amina", "ben", "carla", "dario", "elif", "felix", "greta", "hugo", "irene", "jo", "kaia")
_FIRMS = ("Halden", "Marigold", "Lindenhof", "Bluefinch", "Corvina", "Quillon", "Tamarind")
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/17.5 Safari/605.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
)


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


@dataclass(frozen=True, slots=True)
class WorldFiles:
    """The files of a world, and how many documents each holds, by its name."""

    pages: Path
    visits: Path
    campaigns: Path
    requests: Path
    documents: Mapping[str, int]


class Subject(NamedTuple):
    """What the pages of a category are about.

    Attributes:
        topic: the section of a newspaper it would stand in.
        name: as a reader would call it.
        terms: the seven terms its pages are made of; no other subject of the list has them.
    """

    topic: str
    name: str
    terms: tuple[str, ...]


class _Words(NamedTuple):
    """What a page draws: which of the terms, and which templates it puts them into.

    Five terms are taken from the seven, a step apart: seven is prime, so they differ.
    """

    first_term: int
    step_less_one: int
    title: int
    description: int
    host: int


_CHOICES = _Words(7, 6, len(_TITLES), len(_DESCRIPTIONS), 10)


def subject(category: int) -> Subject:
    """The subject of a category: one of the hundred, or, from number 100 on, two of them mixed."""
    known = _known_subjects()
    round_, place = divmod(category, len(known))
    one, other = known[place], known[(place + round_) % len(known)]
    if not round_:
        return one
    return Subject(one.topic, f"{one.name} and {other.name}", one.terms[:4] + other.terms[:3])


@cache
def _known_subjects() -> tuple[Subject, ...]:
    """The hundred subjects of the list; neighbours are of different topics."""
    lines = (line.split(": ") for line in _SUBJECTS.strip().splitlines())
    return tuple(Subject(topic, name, tuple(terms.split(", "))) for topic, name, terms in lines)


@cache
def _slug(text: str) -> str:
    """The text as it would stand in a URL."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Plan:
    """What was drawn for a world: the truth that a clustering of its files should find again.

    Attributes:
        page_category: int32 (urls,), the category number of each page.
        user_community: int32 (users,), the community number of each user.
        preferred: for each community its categories, the dearest first.
    """

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        rng = self.stream("plan")
        self.page_category = _unequal(rng, spec.urls, spec.categories)
        self.user_community = _unequal(rng, spec.users, spec.communities)
        self._words = rng.integers(0, _CHOICES, (spec.urls, len(_CHOICES)), dtype=np.int8)
        self._activity = np.cumsum(rng.exponential(size=spec.users))
        self._subjects = [subject(category) for category in range(spec.categories)]
        sizes = np.bincount(self.page_category, minlength=spec.categories)
        self._pages_by_category = np.argsort(self.page_category, kind="stable").astype(np.int32)
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        self.preferred = [self._preferred(community) for community in range(spec.communities)]
        self._taste = self._cumulative_taste(sizes / spec.urls)
        self._tag = f"{zlib.crc32(repr(spec).encode()):08x}"

    def stream(self, name: str) -> np.random.Generator:
        """The random numbers of one part of the world, which no other part moves on."""
        return np.random.default_rng([self.spec.seed, zlib.crc32(name.encode())])

    def event_id(self, kind: str, number: int) -> str:
        """An id that no other world's events have."""
        return f"{self._tag}-{kind}{number}"

    def _preferred(self, community: int) -> list[int]:
        """The community's categories: as many as make it share one with its neighbour."""
        categories, communities = self.spec.categories, self.spec.communities
        first = community * categories // communities
        width = min(categories, -(-categories // communities) + 1)
        return [(first + place) % categories for place in range(width)]

    def _cumulative_taste(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Float64 (communities * categories,): community g's distribution function, plus g."""
        taste = np.tile(ROAMING * shares, (self.spec.communities, 1))
        for row, preferred in zip(taste, self.preferred, strict=True):
            weights = 0.75 ** np.arange(len(preferred))
            row[preferred] += (1 - ROAMING) * weights / weights.sum()
        cumulative = np.cumsum(taste, axis=1)
        cumulative[:, -1] = 1
        return (cumulative + np.arange(self.spec.communities)[:, None]).ravel()

    def draw_users(self, rng: np.random.Generator, count: int) -> Ints:
        """Users by their activity: int32 (count,)."""
        at = rng.random(count) * self._activity[-1]
        return _places(self._activity, at, np.full(count, self.spec.users - 1))

    def draw_pages(self, rng: np.random.Generator, communities: Ints) -> Ints:
        """One page for each community of the argument, by its taste: int32, of its length."""
        first = communities * self.spec.categories
        last = first + self.spec.categories - 1
        found = _places(self._taste, communities + rng.random(len(communities)), last)
        return self.draw_popular(rng, found - first)

    def draw_popular(self, rng: np.random.Generator, categories: Ints) -> Ints:
        """One page of each category of the argument: int32, of its length.

        The rank is the whole part of a log-uniform number, so its chance falls as 1 / rank.
        """
        sizes = self._starts[categories + 1] - self._starts[categories]
        ranks = np.exp(rng.random(len(categories)) * np.log(sizes + 1)).astype(np.int64)
        places = self._starts[categories] + np.minimum(ranks, sizes) - 1
        drawn: Ints = self._pages_by_category[places]
        return drawn

    def url(self, page: int) -> str:
        """Canonical URL of a page."""
        words = _Words(*self._words[page].tolist())
        return _url(self._subjects[self.page_category[page]], words, page)

    def urls(self, pages: Ints) -> list[str]:
        """Canonical URLs of many pages."""
        subjects = [self._subjects[category] for category in self.page_category[pages].tolist()]
        words = map(_Words._make, self._words[pages].tolist())
        return [_url(*each) for each in zip(subjects, words, pages.tolist(), strict=True)]

    def text(self, page: int) -> Document:
        """What a page says of itself: title, keywords, description; nothing without text."""
        if page % TEXTLESS_EVERY == TEXTLESS_EVERY - 1:
            return {}
        words = _Words(*self._words[page].tolist())
        return _text(self._subjects[self.page_category[page]], words)

    def identity(self, user: int) -> Document:
        """How a user is known: by login id, every tenth by address."""
        if user % 10 == 9:
            return {"ip": str(IPv6Address("2001:db8::") + user)}
        return {"user": f"{_NAMES[user % len(_NAMES)]}{user}"}

    def browser(self, user: int) -> Document:
        """The environment a user's events come from."""
        return {"user_agent": _BROWSERS[user % len(_BROWSERS)]}

    def subject_of(self, category: int) -> Subject:
        """What a category is about."""
        return self._subjects[category]


def _places(
    cumulative: NDArray[np.float64], at: NDArray[np.float64], last: NDArray[np.integer[Any]]
) -> Ints:
    """Where the numbers fall in a distribution function; rounding leads no further than `last`."""
    found: Ints = np.minimum(np.searchsorted(cumulative, at, "right"), last).astype(np.int32)
    return found


def _unequal(rng: np.random.Generator, things: int, groups: int) -> Ints:
    """A group for each thing, in random order: none empty, the first ones larger.

    Returns:
        int32 (things,), group numbers.
    """
    weights = (np.arange(groups) + 3.0) ** -0.5
    sizes = 1 + rng.multinomial(things - groups, weights / weights.sum())
    members: Ints = np.repeat(np.arange(groups, dtype=np.int32), sizes)
    rng.shuffle(members)
    return members


def _terms(subject_: Subject, words: _Words) -> list[str]:
    """The five terms of a page."""
    step = words.step_less_one + 1
    return [subject_.terms[(words.first_term + step * place) % 7] for place in range(5)]


def _url(subject_: Subject, words: _Words, number: int) -> str:
    """The topic's own site for six pages in ten, a magazine's section for the others."""
    first, second, *_ = _terms(subject_, words)
    page = f"{_slug(subject_.name)}/{_slug(first)}-{_slug(second)}-{number}"
    if words.host < 6:
        return f"https://{subject_.topic}.example/{page}"
    return f"https://{_MAGAZINES[words.host % len(_MAGAZINES)]}/{subject_.topic}/{page}"


def _text(subject_: Subject, words: _Words) -> Document:
    """Title, keywords and description."""
    a, b, c, d, e = _terms(subject_, words)
    name = subject_.name
    filled = {"a": a, "b": b, "c": c, "d": d, "name": name}
    capitals = {"A": _capitalised(a), "Name": _capitalised(name)}
    return {
        "title": _TITLES[words.title].format(**filled, **capitals),
        "keywords": [name, a, b, c, e],
        "description": _DESCRIPTIONS[words.description].format(**filled, **capitals),
    }


def _draw_words(rng: np.random.Generator) -> _Words:
    """The words of a page that is not among the world's."""
    return _Words(*rng.integers(0, _CHOICES).tolist())


def pages(spec: WorldSpec) -> Iterator[Document]:
    """The ``page`` event of every page, in the order of their numbers."""
    plan = Plan(spec)
    described_ms = _first_day_ms(spec)
    for page in range(spec.urls):
        yield {
            "type": "page",
            "url": plan.url(page),
            **plan.text(page),
            "timestamp": described_ms,
            "event_id": plan.event_id("p", page),
        }


def _first_day_ms(spec: WorldSpec) -> int:
    """Midnight before the first visit."""
    return (spec.now_ms // DAY_MS - DAYS) * DAY_MS


def visits(spec: WorldSpec) -> Iterator[Document]:
    """The ``visit`` and ``accept`` events of the last thirty days, in the order of their times."""
    plan = Plan(spec)
    rng = plan.stream("visits")
    number = 0
    for day in range(DAYS):
        for visit in _day(plan, rng, day):
            event = {"type": "visit", **visit, "event_id": plan.event_id("v", number)}
            number += 1
            if number % FOLLOWED_EVERY == 0:
                yield {**event, "type": "accept", "event_id": plan.event_id("a", number)}
            yield event


def _day(plan: Plan, rng: np.random.Generator, day: int) -> Iterator[Document]:
    """The visits of one day: the first visits of some users, and others by activity."""
    spec = plan.spec
    newcomers = np.arange(day, spec.users, DAYS, dtype=np.int32)
    others = spec.visits - spec.users
    count = others * (day + 1) // DAYS - others * day // DAYS
    users = np.concatenate([newcomers, plan.draw_users(rng, count)])
    logged_out = np.concatenate([np.zeros(len(newcomers), bool), rng.random(count) < LOGGED_OUT])
    visited = plan.draw_pages(rng, plan.user_community[users])
    hours = rng.triangular(0, 20, 24, len(users))
    order = np.argsort(hours, kind="stable")
    times = _first_day_ms(spec) + day * DAY_MS + (hours * 3_600_000).astype(np.int64)
    columns = (users[order], logged_out[order], times[order])
    rows = zip(*(column.tolist() for column in columns), plan.urls(visited[order]), strict=True)
    for user, anonymous, time_ms, url in rows:
        who = {} if anonymous else plan.identity(user)
        yield {"url": url, **who, "timestamp": time_ms, "environment": plan.browser(user)}


def campaigns(spec: WorldSpec) -> Iterator[Document]:
    """The campaign documents; ids end in the campaign's number."""
    plan = Plan(spec)
    rng = plan.stream("campaigns")
    for number in range(spec.campaigns):
        category = int(rng.integers(spec.categories))
        about = plan.subject_of(category)
        id_ = f"{_slug(about.name)}-{number}"
        firm = _FIRMS[int(rng.integers(len(_FIRMS)))]
        yield {
            "id": id_,
            "name": f"{firm}: {about.name}",
            "urls": _ads(plan, rng, category, id_, firm),
            "priority": round(float(rng.beta(2, 2)), 2),
            **_state(rng, number, spec.now_ms),
        }


def _ads(
    plan: Plan, rng: np.random.Generator, category: int, id_: str, firm: str
) -> list[str | Document]:
    """The landing pages of a campaign, each once; half of them carry tracking parameters."""
    count = min(10, int(rng.geometric(0.5)))
    drawn = plan.draw_popular(rng, np.full(count, category, dtype=np.int32))
    ads: dict[str, str | Document] = {}
    for place, url in enumerate(plan.urls(drawn)):
        tracking = f"?utm_source=webrec&utm_campaign={id_}" if rng.random() < 0.5 else ""
        if rng.random() < 0.2:
            own = f"https://shop.example/{id_}/offer-{place}"
            text = _text(plan.subject_of(category), _draw_words(rng))
            _, first, second, *_ = text["keywords"]
            title = f"{_capitalised(first)} and {second}: the {firm} collection"
            ads[own] = {"url": own + tracking, **text, "title": title}
        else:
            ads.setdefault(url, url + tracking)
    return list(ads.values())


def _state(rng: np.random.Generator, number: int, now_ms: int) -> Document:
    """The dates of a campaign, and whether it is switched off."""
    before, after = (now_ms + int(days) * DAY_MS for days in (-rng.integers(1, 300), 1_000))
    if number % 16 == 7:
        return {"starts": _iso(before - 60 * DAY_MS), "ends": _iso(before)}
    if number % 25 == 11:
        return {"starts": _iso(after), "ends": _iso(after + 60 * DAY_MS)}
    if number % 50 == 31:
        return {"active": False}
    if number % 4 == 0:
        return {}
    return {"starts": _iso(before), "ends": _iso(after)}


def requests(spec: WorldSpec, n: int) -> Iterator[Document]:
    """So many recommendation request documents, of all modes, filters and kinds of visitors."""
    plan = Plan(spec)
    rng = plan.stream("requests")
    ids = [campaign["id"] for campaign in campaigns(spec)]
    for number in range(n):
        user = int(rng.integers(spec.users))
        yield {
            **_asked_page(plan, rng, user, number),
            **_asking(plan, rng, user, number),
            "timestamp": spec.now_ms,
            "environment": plan.browser(user),
            **_wishes(plan, rng, user, ids),
        }


def _asking(plan: Plan, rng: np.random.Generator, user: int, number: int) -> Document:
    """Who asks: a user of the log, an unknown user, an unknown address, or nobody in particular."""
    kind = rng.random()
    if kind < 0.70:
        return plan.identity(user)
    if kind < 0.85:
        return {"user": f"guest{number}"}
    if kind < 0.90:
        return {"ip": f"203.0.113.{number % 254 + 1}"}
    return {}


def _asked_page(plan: Plan, rng: np.random.Generator, user: int, number: int) -> Document:
    """The page being browsed; half the senders know what a page of the log says of itself."""
    kind = rng.random()
    by_taste = int(plan.draw_pages(rng, plan.user_community[[user]])[0])
    if kind < 0.92:
        page = by_taste if kind < 0.80 else int(rng.integers(plan.spec.urls))
        return {"url": plan.url(page), **(plan.text(page) if rng.random() < 0.5 else {})}
    about, words = plan.subject_of(int(plan.page_category[by_taste])), _draw_words(rng)
    return {"url": f"{_url(about, words, number)}-today", **_text(about, words)}


def _wishes(plan: Plan, rng: np.random.Generator, user: int, ids: list[str]) -> Document:
    """What is asked for: mode and filter evenly, and now and then more."""
    wishes: Document = {"mode": ("related", "sponsored")[int(rng.integers(2))]}
    if rng.random() < 0.9:
        wishes["filter"] = ("content", "collaborative")[int(rng.integers(2))]
    if rng.random() < 0.3:
        wishes["limit"] = int(rng.integers(1, 51))
    if rng.random() < 0.15:
        communities = np.repeat(plan.user_community[user], rng.integers(1, 6))
        wishes["exclude"] = plan.urls(plan.draw_pages(rng, communities))
    if rng.random() < 0.1:
        wishes["repeat"] = bool(rng.integers(2))
    if rng.random() < 0.1:
        wishes["explain"] = True
    if ids and wishes["mode"] == "sponsored" and rng.random() < 0.15:
        wishes["campaigns"] = [ids[int(rng.integers(len(ids)))] for _ in range(5)]
    return wishes


def generate(spec: WorldSpec, out: Path, progress: Progress | None = None) -> WorldFiles:
    """Write a world into a folder, which is made where there is none; its files are replaced.

    Args:
        spec: what to make.
        out: the folder.
        progress: told the file's name, how many of its documents are written, and of how many.
    """
    out.mkdir(parents=True, exist_ok=True)
    counts = {
        "pages": spec.urls,
        "visits": spec.events,
        "campaigns": spec.campaigns,
        "requests": spec.requests,
    }
    files = WorldFiles(
        pages=out / "pages.ndjson",
        visits=out / "visits.ndjson",
        campaigns=out / "campaigns.json",
        requests=out / "requests.ndjson",
        documents=counts,
    )

    def write(path: Path, documents: Iterator[Document]) -> None:
        _write(path, documents, counts[path.stem], progress)

    write(files.pages, pages(spec))
    write(files.visits, visits(spec))
    write(files.campaigns, campaigns(spec))
    write(files.requests, requests(spec, spec.requests))
    return files


def _write(
    path: Path, documents: Iterator[Document], total: int, progress: Progress | None
) -> None:
    """One document a line; a ``.json`` file is a list of them."""
    start, between, end = (
        (b"[\n", b",\n", b"\n]\n") if path.suffix == ".json" else (b"", b"\n", b"\n")
    )
    done = 0
    with path.open("wb") as file:
        file.write(start)
        while chunk := list(islice(documents, CHUNK)):
            file.write((between if done else b"") + between.join(map(orjson.dumps, chunk)))
            done += len(chunk)
            if progress is not None:
                progress(path.name, done, total)
        file.write(end)
