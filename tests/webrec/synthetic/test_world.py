"""The synthetic world: what is drawn is what its documentation says, and it can be used."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson
import pytest

from webrec.domain.urls import canonical
from webrec.errors import UsageError
from webrec.formats.campaigns import parse_campaign
from webrec.formats.events import parse_event
from webrec.formats.requests import parse_request
from webrec.synthetic.campaigns import campaigns
from webrec.synthetic.events import DAY_MS, pages, visits
from webrec.synthetic.files import generate
from webrec.synthetic.ground_truth import GroundTruth
from webrec.synthetic.requests import requests
from webrec.synthetic.spec import WorldSpec
from webrec.synthetic.words import subject

NOW_MS = 1_770_000_000_000
SPEC = WorldSpec(
    now_ms=NOW_MS,
    urls=600,
    users=200,
    categories=12,
    communities=4,
    campaigns=100,
    requests=400,
    seed=5,
)


def spec(**changed: int) -> WorldSpec:
    """The small world's spec with some numbers changed."""
    numbers = {name: getattr(SPEC, name) for name in WorldSpec.__slots__}
    return WorldSpec(**{**numbers, **changed})


def visitor(document: dict[str, Any]) -> str | None:
    """Who an event is of."""
    return document.get("user") or document.get("ip")


def lines(path: Path) -> list[Any]:
    """The documents of an NDJSON file."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def visits_only() -> list[dict[str, Any]]:
    """The small world's visits, without accepts."""
    return [event for event in visits(SPEC) if event["type"] == "visit"]


def category_of_url() -> dict[str, int]:
    """Each page's category number, as it was drawn."""
    truth = GroundTruth(SPEC)
    urls = truth.urls(np.arange(SPEC.urls, dtype=np.int32))
    return dict(zip(urls, truth.page_category.tolist(), strict=True))


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    """A world is its spec's: all four files repeat, and all four change with the seed."""
    names = ["pages.ndjson", "visits.ndjson", "campaigns.json", "requests.ndjson"]
    for folder, seed in (("one", 5), ("two", 5), ("three", 6)):
        generate(spec(seed=seed), tmp_path / folder)
    for name in names:
        one, two, three = (tmp_path / each / name for each in ("one", "two", "three"))
        assert one.read_bytes() == two.read_bytes() != three.read_bytes()


def test_the_files_hold_what_the_spec_asks_for(tmp_path: Path) -> None:
    """As many documents as were asked for, every URL and every user among them."""
    progress: list[tuple[str, int, int]] = []
    files = generate(SPEC, tmp_path / "new", lambda *each: progress.append(each))
    written, visited = lines(files.pages), lines(files.visits)
    advertised = orjson.loads(files.campaigns.read_bytes())
    counts = map(len, (written, visited, advertised, lines(files.requests)))
    assert list(counts) == [600, 200 * 40 * 21 // 20, 100, 400]
    assert list(files.documents.values()) == [600, 8_400, 100, 400]
    assert len({page["url"] for page in written}) == 600
    assert len({visitor(visit) for visit in visited} - {None}) == 200
    assert len({campaign["id"] for campaign in advertised}) == 100
    assert {done == total for _, done, total in progress[-1:]} == {True}
    assert {name for name, _, _ in progress} == {path.name for path in (tmp_path / "new").iterdir()}


def test_a_world_may_have_no_campaigns_and_no_requests(tmp_path: Path) -> None:
    """Nothing of a kind is an empty list, and requests then name no campaign."""
    files = generate(spec(campaigns=0, requests=0), tmp_path)
    assert orjson.loads(files.campaigns.read_bytes()) == []
    assert not any("campaigns" in each for each in requests(spec(campaigns=0), 200))


def test_every_document_is_one_that_users_may_send() -> None:
    """The service takes every event, campaign and request."""
    for event in (*pages(SPEC), *visits(SPEC)):
        assert parse_event(event, NOW_MS).url == event["url"]
    for campaign in campaigns(SPEC):
        assert parse_campaign(campaign).id == campaign["id"]
    for request in requests(SPEC, 400):
        assert parse_request(request, NOW_MS).url == request["url"]


def test_hosts_are_reserved_and_event_ids_unique() -> None:
    """Nothing points at anybody's site, and no two events of a world share an id."""
    ids = []
    for event in (*pages(SPEC), *visits(SPEC)):
        assert str(urlsplit(event["url"]).hostname).endswith(".example")
        ids.append(event["event_id"])
    assert len(set(ids)) == len(ids)


def test_worlds_do_not_share_event_ids() -> None:
    """Two worlds may be loaded into one log."""
    one, two = ({page["event_id"] for page in pages(spec(seed=n))} for n in (1, 2))
    assert not one & two


def test_visits_are_of_known_pages_and_in_the_order_of_time() -> None:
    """The log reads like a log: thirty days, ending at the world's clock."""
    events = list(visits(SPEC))
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
    assert NOW_MS - 31 * DAY_MS <= times[0] < times[-1] < NOW_MS
    assert {event["url"] for event in events} <= set(category_of_url())


def test_an_accept_precedes_its_visit() -> None:
    """Whoever follows a recommendation then opens the page."""
    events = list(visits(SPEC))
    pairs = [(event, after) for event, after in pairwise(events) if event["type"] == "accept"]
    assert len(pairs) == 400
    for accept, after in pairs:
        assert after == {**accept, "type": "visit", "event_id": after["event_id"]}


def test_popularity_is_skewed() -> None:
    """The most visited tenth of the pages has far more visits than the least visited half."""
    counts = Counter(visit["url"] for visit in visits_only())
    ranked = [count for _, count in counts.most_common()]
    assert sum(ranked[:60]) > 0.4 * sum(ranked)
    assert sum(ranked[300:]) < 0.15 * sum(ranked)


def test_activity_is_skewed_and_some_are_logged_out() -> None:
    """Some users come a lot, some hardly ever, and about one visit in ten has no name."""
    counts = Counter(visitor(visit) for visit in visits_only())
    anonymous = counts.pop(None)
    assert 0.08 < anonymous / SPEC.visits < 0.11
    assert max(counts.values()) > 100
    assert 0 < sum(count < 3 for count in counts.values()) < 30


def test_users_prefer_the_categories_of_their_community() -> None:
    """Nine visits in ten go to what the community prefers, a third of the categories."""
    truth, category = GroundTruth(SPEC), category_of_url()
    community = {visitor(truth.identity(user)): g for user, g in enumerate(truth.user_community)}
    named = [visit for visit in visits_only() if visitor(visit)]
    inside = [category[v["url"]] in truth.preferred[community[visitor(v)]] for v in named]
    assert [len(preferred) for preferred in truth.preferred] == [4] * 4
    assert 0.85 < sum(inside) / len(inside) < 0.95


def test_neighbouring_communities_share_a_category() -> None:
    """Tastes overlap, and are never the same."""
    preferred = [set(each) for each in GroundTruth(SPEC).preferred]
    for one, other in zip(preferred, preferred[1:] + preferred[:1], strict=True):
        assert len(one & other) == 1


def test_categories_are_told_apart_by_their_words() -> None:
    """Pages of one category share words; the keywords of two categories never meet."""
    category = category_of_url()
    keywords = defaultdict(set)
    for page in pages(SPEC):
        keywords[category[page["url"]]].update(page.get("keywords", ()))
    assert {len(words) for words in keywords.values()} == {8}
    assert not any(one & other for one, other in combinations(keywords.values(), 2))


def test_a_few_pages_say_nothing_of_themselves() -> None:
    """Every hundredth page has no text, so that it cannot be categorised."""
    silent = [page for page in pages(SPEC) if not parse_event(page, NOW_MS).title]
    assert len(silent) == 6
    assert not any("keywords" in page or "description" in page for page in silent)


def test_there_are_subjects_for_any_number_of_categories() -> None:
    """The first hundred share no term; ten thousand are all different."""
    first = [subject(category) for category in range(100)]
    terms = [term for each in first for term in each.terms]
    assert len(set(terms)) == len(terms) == 700
    every = {frozenset(subject(category).terms) for category in range(10_000)}
    assert len(every) == 10_000


def test_most_campaigns_run_and_some_do_not() -> None:
    """Some ended, some are to come, one or two are switched off; all have ads of one subject."""
    made = [parse_campaign(each) for each in campaigns(SPEC)]
    running = sum(campaign.runs_at(NOW_MS) for campaign in made)
    assert running == 100 - 6 - 4 - 2
    years_on = sum(campaign.runs_at(NOW_MS + 700 * DAY_MS) for campaign in made)
    assert years_on == running
    assert all(1 <= len(campaign.ads) <= 10 for campaign in made)


def test_campaigns_advertise_known_pages_and_new_ones() -> None:
    """Most ads are pages of the world, some with tracking parameters; others describe theirs."""
    known = set(category_of_url())
    ads = [ad for each in campaigns(SPEC) for ad in each["urls"]]
    plain = [ad for ad in ads if isinstance(ad, str)]
    assert {canonical(ad) for ad in plain} <= known
    assert 0 < sum(ad not in known for ad in plain) < len(plain)
    described = [ad for ad in ads if not isinstance(ad, str)]
    assert 0.1 < len(described) / len(ads) < 0.3
    assert all(ad["title"] and ad["keywords"] and ad["description"] for ad in described)


def test_requests_are_of_all_kinds() -> None:
    """Both modes, all filters, known and unknown visitors and pages, and every optional wish."""
    asked = list(requests(SPEC, 1_000))
    known_urls = set(category_of_url())
    known_visitors = {visitor(visit) for visit in visits_only()} - {None}
    assert _shares(each["mode"] for each in asked) == {"related": 5, "sponsored": 5}
    assert _shares(each.get("filter") for each in asked).keys() == {
        "content",
        "collaborative",
        None,
    }
    assert 0.87 < np.mean([each["url"] in known_urls for each in asked]) < 0.97
    assert 0.6 < np.mean([visitor(each) in known_visitors for each in asked]) < 0.8
    assert 0.05 < np.mean([visitor(each) is None for each in asked]) < 0.15
    for wish in ("limit", "exclude", "repeat", "explain", "campaigns", "user", "ip", "keywords"):
        assert 0 < sum(wish in each for each in asked) < len(asked)
    assert all(each["mode"] == "sponsored" for each in asked if "campaigns" in each)


def _shares(values: Iterable[Any]) -> dict[Any, int]:
    """Tenths of each value, rounded."""
    counts = Counter(values)
    return {value: round(10 * count / counts.total()) for value, count in counts.items()}


@pytest.mark.parametrize(
    "wrong",
    [
        {"urls": 0},
        {"users": 0},
        {"categories": 0},
        {"communities": 0},
        {"campaigns": -1},
        {"seed": -1},
        {"categories": 601},
        {"urls": 20_000, "categories": 10_001},
        {"communities": 201},
    ],
)
def test_numbers_that_make_no_world_are_refused(wrong: dict[str, int]) -> None:
    """The message names the number that is wrong."""
    with pytest.raises(UsageError, match=next(reversed(wrong))):
        spec(**wrong)


def test_the_smallest_world_is_a_world() -> None:
    """One page, one user, one category, one community."""
    one = WorldSpec(now_ms=NOW_MS, urls=1, users=1, categories=1, communities=1, campaigns=1)
    assert len(list(pages(one))) == 1
    assert len(list(visits(one))) == one.events == 42
    assert len(list(campaigns(one))) == 1
    assert len(list(requests(one, 10))) == 10
