"""POST /v1/recommendations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from tests.service.asking import BOT, ask, padded, visits
from tests.service.asking import RECOMMENDATIONS as PATH
from tests.service.problems import assert_problem, problem_of, wrong_fields
from tests.support import world
from tests.support.world import EXPECTED, Expected, page
from webrec.domain.urls import canonical
from webrec.serving.engine import Engine

KIB = 1024
ANSWER = {
    "id", "mode", "filter", "algorithm", "path", "items", "empty_reason", "model", "degraded",
    "took_ms",
}  # fmt: skip
ITEM = {"url", "priority", "category"}
EXPLAINED = {"affinity", "similarity", "because", "rank_score"}


def urls(answer: dict[str, Any]) -> list[str]:
    """Canonical URLs of an answer's items."""
    return [canonical(item["url"]) for item in answer["items"]]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda e: e.statement[:40])
def test_known_answers(client: FlaskClient, expected: Expected) -> None:
    """The known-answer world is answered as its prose says."""
    answer = ask(client, **expected.request, track=False)
    assert answer["path"] == expected.path
    assert answer["algorithm"] == expected.path[-1]
    assert urls(answer) == expected.urls
    assert [item.get("campaign") for item in answer["items"]] == (
        expected.campaigns if expected.campaigns is not None else [None] * len(expected.urls)
    )
    assert answer["mode"] == expected.request.get("mode", "related")
    assert answer["filter"] == expected.request.get("filter", "content")
    assert (answer["empty_reason"] is None) == bool(expected.urls)


def test_an_answer_has_exactly_its_fields(client: FlaskClient) -> None:
    """Related items have no campaign, sponsored ones do, and nothing is explained unasked."""
    related = ask(client, url=page("cooking", 0))
    sponsored = ask(client, url=page("cooking", 0), mode="sponsored")
    assert related.keys() == sponsored.keys() == ANSWER
    assert all(item.keys() == ITEM for item in related["items"])
    assert all(item.keys() == ITEM | {"campaign"} for item in sponsored["items"])
    assert related["id"] != sponsored["id"]
    assert related["model"] == client.get("/v1/models").get_json()["models"][0]["id"]
    assert related["degraded"] is False
    assert related["took_ms"] > 0
    assert related["items"][0]["category"].keys() == {"id", "label"}


def test_explain(client: FlaskClient) -> None:
    """Asked to explain, the answer says where its list comes from and each item what it scored."""
    request = {"url": page("cooking", 0), "user": "ivo", "mode": "sponsored", "limit": 1}
    answer = ask(client, **request, campaigns=["football-offer"], explain=True)
    assert answer.keys() == ANSWER | {"explain"}
    (item,) = answer["items"]
    assert item.keys() == ITEM | EXPLAINED | {"campaign", "ad_priority"}
    assert (item["affinity"], item["ad_priority"], item["rank_score"]) == (1.0, 0.3, 3)
    assert item["priority"] == pytest.approx((0.5 * 0.3 + 0.5 * 1.0) / 1.0)
    explained = answer["explain"]
    assert explained.keys() == {
        "category",
        "category_source",
        "community",
        "community_source",
        "list",
        "size",
        "passed_over",
    }
    assert explained["list"] == f"ads ∩ colL[{explained['community']}]"
    assert explained["size"] == 1
    assert [p["algorithm"] for p in explained["passed_over"]] == ["WebR.Sp.Cont"]
    assert all(
        p.keys() == {"algorithm", "reason"} and p["reason"] for p in explained["passed_over"]
    )


def test_explain_counts_the_list_before_the_cut(client: FlaskClient) -> None:
    """The size is that of the whole list, whatever the limit; related items have no ad priority."""
    answer = ask(client, url=page("astronomy", 0), limit=2, explain=True)
    category = answer["items"][0]["category"]["id"]
    assert answer["explain"] == {
        "category": category,
        "category_source": "batch",
        "community": None,
        "community_source": None,
        "list": f"recL[{category}]",
        "size": 10,
        "passed_over": [],
    }
    assert all(i.keys() == ITEM | EXPLAINED for i in answer["items"])


def test_priority_weighs_affinity_and_money(client: FlaskClient) -> None:
    """The newcomer's football ad gets (0.3 + 1) / 2, the others half of what they pay."""
    answer = ask(client, url=world.STRANGER_PAGE, user="nora", mode="sponsored", track=False)
    priorities = [item["priority"] for item in answer["items"]]
    assert priorities == pytest.approx([0.65, 0.65, 0.45, 0.45, 0.3, 0.3])


def test_a_sponsored_url_is_the_advertisers_spelling(client: FlaskClient) -> None:
    """Tracking parameters of a campaign's URL reach the visitor."""
    answer = ask(client, url=page("cooking", 0), mode="sponsored")
    spelled = f"{page('cooking', 3)}?utm_source=webrec&utm_campaign=cooking"
    assert answer["items"][0]["url"] == spelled


def test_an_uncategorised_item_has_no_category(client: FlaskClient) -> None:
    """The page without text is recommended with category null."""
    request = {"url": page("cooking", 0), "user": "edith", "filter": "collaborative"}
    assert ask(client, **request)["items"][-1] == {
        "url": world.TEXTLESS_PAGE,
        "priority": 0,
        "category": None,
    }


@pytest.mark.parametrize("mode", ["related", "sponsored"])
def test_before_the_first_batch(empty_client: FlaskClient, mode: str) -> None:
    """Without a model the answer is empty, says so, and the path is the definitions'."""
    answer = ask(empty_client, url=page("cooking", 0), user="anna", mode=mode)
    short = {"related": "Rel", "sponsored": "Sp"}[mode]
    assert answer["items"] == []
    assert answer["empty_reason"] == "no_model"
    assert answer["model"] is None
    assert answer["path"] == [f"WebR.{short}.Cont", f"WebR.{short}.Default"]
    assert answer["algorithm"] == f"WebR.{short}.Default"


def test_why_a_list_is_empty(client: FlaskClient) -> None:
    """With a model, an empty answer names the want of a campaign, or of anything to recommend."""
    none_named = {"mode": "sponsored", "campaigns": ["unheard-of"]}
    answer = ask(client, url=page("football", 0), **none_named)
    assert answer["empty_reason"] == "no_suitable_campaign"
    known = [url for url, theme in world.THEME_OF.items() if theme]
    answer = ask(client, url=world.STRANGER_PAGE, user="stranger", exclude=known)
    assert (answer["items"], answer["empty_reason"]) == ([], "nothing_to_recommend")


def test_own_visits_count_from_the_next_answer_on(client: FlaskClient) -> None:
    """A stranger's first answer knows of no visit, the second leaves the first page out."""
    first = ask(client, url=page("football", 0), user="new")
    assert all(item["priority"] == 0 for item in first["items"])
    second = ask(client, url=page("football", 1), user="new")
    assert {item["priority"] for item in second["items"]} == {1.0}
    assert page("football", 0) not in urls(second)
    assert visits(client, user="new") == {page("football", 0): 1, page("football", 1): 1}


def test_an_untracked_visit_is_not_recorded(client: FlaskClient) -> None:
    """With ``track`` false nobody learns of the visit."""
    ask(client, url=page("football", 0), user="shy", track=False)
    assert visits(client, user="shy") == {}


def test_a_bot_is_answered_and_not_recorded(client: FlaskClient, engine: Engine) -> None:
    """A robot gets its list; neither the log nor a profile has its visit."""
    answer = ask(client, url=page("football", 0), user="robot", environment=BOT)
    assert answer["items"]
    assert visits(client, user="robot") == {}
    assert engine.log.open_segments() == []


def test_an_anonymous_visitor_has_no_profile(client: FlaskClient) -> None:
    """Nothing is learnt from one anonymous visit for the next."""
    first = ask(client, url=page("football", 0))
    second = ask(client, url=page("football", 0))
    assert first["items"] == second["items"]
    assert all(item["priority"] == 0 for item in second["items"])


def test_repeat(client: FlaskClient) -> None:
    """Visited pages are left out of related answers and kept in sponsored ones, by default."""
    edith = {"url": page("cooking", 0), "user": "edith", "track": False}
    read = page("cooking", 3)
    assert read not in urls(ask(client, **edith))
    assert read in urls(ask(client, **edith, repeat=True, limit=100))
    assert read in urls(ask(client, **edith, mode="sponsored"))
    assert read not in urls(ask(client, **edith, mode="sponsored", repeat=False))


def test_user_counts_before_ip(client: FlaskClient) -> None:
    """With both identities given the login id is the visitor."""
    ask(client, url=page("cooking", 0), user="both", ip="198.51.100.7")
    assert visits(client, user="both") == {page("cooking", 0): 1}
    assert visits(client, ip="198.51.100.7") == {}


def test_exclude_and_limit(client: FlaskClient) -> None:
    """Excluded URLs, in any spelling, are left out, and the list is cut at the end."""
    spelled = "HTTPS://Astronomy.example:443/./page-1?utm_source=x#top"
    answer = ask(client, url=page("astronomy", 0), exclude=[spelled], limit=3)
    assert urls(answer) == [page("astronomy", n) for n in (2, 3, 4)]
    assert len(ask(client, url=page("astronomy", 0))["items"]) == 10


def test_the_default_filter_is_a_setting(home: Path, open_engine: Callable[..., Engine]) -> None:
    """A request that names no filter gets the one that was set."""
    engine = open_engine(home=home, default_filter="collaborative")
    client = create_app(engine).test_client()
    assert ask(client, url=page("cooking", 0))["filter"] == "collaborative"


def test_null_is_absent_and_unknown_fields_are_ignored(client: FlaskClient) -> None:
    """Ad servers send more than is read, and null for what they do not know."""
    document = {"url": page("cooking", 0), "track": False}
    absent = dict.fromkeys(
        ("user", "ip", "timestamp", "environment", "keywords", "description", "title", "mode",
         "filter", "limit", "exclude", "campaigns", "repeat", "explain")
    )  # fmt: skip
    plain = ask(client, **document)
    padded = ask(client, **document, **absent, bid={"floor": 0.3}, imp=[1, 2])
    assert plain["items"] == padded["items"]


def test_every_wrong_field_is_named_at_once(client: FlaskClient) -> None:
    """A refused document hears of all its faults."""
    wrong = {
        "url": "ftp://example.com/",
        "user": "",
        "ip": "1.2.3",
        "timestamp": "yesterday",
        "environment": {"user_agent": 5},
        "keywords": 7,
        "description": [],
        "title": 1,
        "mode": "both",
        "filter": "none",
        "limit": 101,
        "exclude": ["https://ok.example/", "nonsense"],
        "campaigns": ["fine", "not fine"],
        "repeat": "yes",
        "track": 1,
        "explain": "no",
    }
    named = wrong_fields(client.post(PATH, json=wrong))
    nested = {"environment": "environment.user_agent", "exclude": "exclude.1"}
    assert named == {nested.get(f, f) for f in wrong} - {"campaigns"} | {"campaigns.1"}


@pytest.mark.parametrize("tmax", [1, 100, 60_000, 250.0, None])
def test_times_for_an_answer(client: FlaskClient, tmax: object) -> None:
    """`tmax` is in milliseconds, at most a minute; too little for a read gets an answer, too."""
    answer = ask(client, url=page("cooking", 0), tmax=tmax)
    assert answer["items"]
    assert answer["degraded"] is False


@pytest.mark.parametrize("tmax", [0, -1, 60_001, 0.5, 99.9, "100", True, [100], {"ms": 100}])
def test_times_that_are_none(client: FlaskClient, tmax: object) -> None:
    """A `tmax` that is none is refused by its name, in a list as well."""
    request = {"url": page("cooking", 0), "tmax": tmax}
    assert wrong_fields(client.post(PATH, json=request)) == {"tmax"}
    good, bad = client.post(PATH, json=[{"url": page("cooking", 0)}, request]).get_json()
    assert good["items"]
    assert [error["field"] for error in bad["errors"]] == ["tmax"]


@pytest.mark.parametrize("limit", [0, 101, -1, 1.5, "10", True])
def test_limits_that_are_none(client: FlaskClient, limit: object) -> None:
    """A limit is a whole number from 1 to 100."""
    response = client.post(PATH, json={"url": page("cooking", 0), "limit": limit})
    assert wrong_fields(response) == {"limit"}


@pytest.mark.parametrize("document", [5, "text", True, None])
def test_a_request_is_an_object(client: FlaskClient, document: object) -> None:
    """A JSON value that is no object is refused as such."""
    response = client.post(PATH, data=json.dumps(document), content_type="application/json")
    assert wrong_fields(response) == {""}


def test_the_longest_url(client: FlaskClient) -> None:
    """8,192 characters are a URL, one more is not."""
    url = "https://long.example/".ljust(8_192, "x")
    ask(client, url=url)
    assert wrong_fields(client.post(PATH, json={"url": url + "x"})) == {"url"}


def test_a_list_is_answered_in_order_each_by_itself(client: FlaskClient) -> None:
    """Each document of a list gets its own answer or its own problem, and the status is 200."""
    good = {"url": page("cooking", 0), "track": False}
    response = client.post(PATH, json=[good, {"limit": 0}, 7, good | {"mode": "sponsored"}])
    assert response.status_code == 200
    first, invalid, number, last = response.get_json()
    assert first["mode"] == "related"
    assert last["mode"] == "sponsored"
    assert_problem(invalid, 422, "errors")
    assert {error["field"] for error in invalid["errors"]} == {"url", "limit"}
    assert_problem(number, 422, "errors")


def test_a_list_has_at_most_fifty_documents(client: FlaskClient) -> None:
    """Fifty are answered, none is answered by none, and fifty-one are refused as a whole."""
    document = {"url": page("cooking", 0), "track": False}
    assert len(client.post(PATH, json=[document] * 50).get_json()) == 50
    assert client.post(PATH, json=[]).get_json() == []
    problem_of(client.post(PATH, json=[document] * 51), 422, "errors")


def test_a_visit_in_a_list_counts_for_the_next(client: FlaskClient) -> None:
    """The documents of a list are requests one after the other."""
    documents = [{"url": page("football", n), "user": "lister"} for n in (0, 1)]
    _, second = client.post(PATH, json=documents).get_json()
    assert page("football", 0) not in urls(second)


@pytest.mark.parametrize(
    ("document", "limit"),
    [
        ({"url": page("cooking", 0)}, 256 * KIB),
        ([{"url": page("cooking", 0)}], 32 * KIB * KIB),
    ],
    ids=["one", "list"],
)
def test_body_limits(client: FlaskClient, document: Any, limit: int) -> None:
    """A body may be as long as the limit and not a byte longer."""
    body = padded(document, limit) if isinstance(document, dict) else in_list(document, limit)
    assert len(body) == limit
    response = client.post(PATH, data=body, content_type="application/json")
    assert response.status_code == 200, response.text
    problem_of(client.post(PATH, data=body + b" ", content_type="application/json"), 413)


def in_list(documents: list[dict[str, Any]], size: int) -> bytes:
    """A list of one document as JSON of exactly so many bytes."""
    return b"[%s]" % padded(documents[0], size - 2)


def test_without_the_log_the_answer_is_given(client: FlaskClient, home: Path) -> None:
    """A visit that cannot be recorded is counted as lost, and the visitor is answered."""
    (home / "log" / "open").rmdir()
    assert ask(client, url=page("cooking", 0), user="unlucky")["items"]
    assert "webrec_visits_unrecorded_total 1.0" in client.get("/metrics").text
