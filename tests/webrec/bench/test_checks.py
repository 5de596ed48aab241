"""Answers held against the definitions: what is wrong is found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.support import world as known
from tests.support.worlds import batch, ingest_known, opened
from webrec.bench import oracle
from webrec.bench.checks import Checked, check, differences
from webrec.bench.ledger import Ledger, SampledAnswer
from webrec.bench.load import Sent
from webrec.bench.stored_world import world_of
from webrec.formats.answers import answer_document
from webrec.formats.events import parse_event
from webrec.formats.requests import RequestDocument, parse_request
from webrec.serving.engine import Engine

NOW_MS = time.time_ns() // 1_000_000
PAGE = known.PAGES[0]["url"]


def request(**fields: Any) -> RequestDocument:
    """A request document, of the visitor v for some page if it says nothing else."""
    document = {"url": "https://e.example/", "user": "v", **fields}
    return parse_request({k: v for k, v in document.items() if v is not None}, NOW_MS)


def sent(index: int, at_s: float, body: bytes) -> Sent:
    """What was sent at that second, and answered after a millisecond."""
    return Sent(index, at_s, at_s + 0.001, 200, body)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine on the known-answer world, clustered."""
    with opened(tmp_path_factory.mktemp("checks"), w_sim=32) as engine:
        ingest_known(engine)
        batch(engine, categories=3, communities=3, features="tfidf")
        yield engine


def asked(engine: Engine, **fields: Any) -> tuple[RequestDocument, Any]:
    """A request of a known reader, and the document of its answer."""
    reader = {k: v for k, v in known.VISITS[0].items() if k in ("user", "ip")}
    made = request(**{"url": PAGE, "user": None, **reader, **fields})
    return made, answer_document(engine.recommend(made, NOW_MS))


def difference(engine: Engine, made: RequestDocument, answer: Any) -> list[str]:
    """What is reported to be wrong with an answer."""
    world = world_of(engine.settings, lambda *_: None)
    given = SampledAnswer(7, NOW_MS, {}, orjson.dumps(answer))
    return list(differences(world, engine.settings, made, given))


@pytest.mark.parametrize("mode", ["related", "sponsored"])
@pytest.mark.parametrize("filter_", ["content", "collaborative", None])
def test_a_right_answer(engine: Engine, mode: str, filter_: str | None) -> None:
    """What the service answers is what the definitions give."""
    made, answer = asked(engine, mode=mode, filter=filter_, track=False)
    assert answer["items"]
    assert difference(engine, made, answer) == []


@pytest.mark.parametrize("fill", [True, None])
def test_a_right_answer_that_was_filled_up(engine: Engine, fill: bool | None) -> None:
    """By the request's wish, or by the setting where it has none."""
    settings = engine.settings.model_copy(update={"fill": True})
    made, answer = asked(engine, filter="content", track=False, limit=100, fill=True)
    assert len(answer["path"]) > 1
    world = world_of(settings, lambda *_: None)
    given = SampledAnswer(7, NOW_MS, {}, orjson.dumps(answer))
    assert list(differences(world, settings, made._replace(fill=fill), given)) == []


def _swap(answer: Any) -> None:
    answer["items"][0], answer["items"][1] = answer["items"][1], answer["items"][0]


def _another_algorithm(answer: Any) -> None:
    answer["algorithm"] = "WebR.Rel.Default"


def _longer_path(answer: Any) -> None:
    answer["path"].append("WebR.Rel.Default")


def _priority(answer: Any) -> None:
    answer["items"][0]["priority"] += 1e-15 + answer["items"][0]["priority"] * 1e-15


def _category(answer: Any) -> None:
    answer["items"][0]["category"] = None


def _campaign(answer: Any) -> None:
    answer["items"][0]["campaign"] = "another"


def _shorter(answer: Any) -> None:
    answer["items"].pop()


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (_swap, r"items\[0\]"),
        (_another_algorithm, "algorithm"),
        (_longer_path, "path"),
        (_priority, r"items\[0\]"),
        (_category, r"items\[0\]"),
        (_campaign, r"items\[0\]"),
        (_shorter, "items"),
    ],
)
def test_a_wrong_answer(engine: Engine, spoil: Callable[[Any], None], where: str) -> None:
    """One line says which request, and where its answer begins to differ."""
    made, answer = asked(engine, mode="sponsored", track=False)
    spoil(answer)
    (reported,) = difference(engine, made, answer)
    assert reported.startswith(f"request 7 ({PAGE}): {where.replace(chr(92), '')} is ")


def test_recent_visits_are_part_of_it(engine: Engine) -> None:
    """An answer that should know of a visit, and does not, is wrong."""
    made, answer = asked(engine, track=False)
    world = world_of(engine.settings, lambda *_: None)
    seen = answer["items"][0]["url"]
    given = SampledAnswer(0, NOW_MS, {seen: 1}, orjson.dumps(answer))
    assert len(list(differences(world, engine.settings, made, given))) == 1


def test_a_visitor_may_come_to_a_community_since_the_batch(engine: Engine) -> None:
    """The definitions find the same one, out of what the store's tables say."""
    read = [known.page("football", number) for number in (4, 5, 6)]
    documents = [{"type": "visit", "url": url, "user": "late"} for url in read]
    engine.recorder.record([parse_event(document, NOW_MS) for document in documents])
    made = request(url=PAGE, user="late", filter="collaborative", track=False)
    answer = answer_document(engine.recommend(made, NOW_MS))
    assert answer["algorithm"] == "WebR.Rel.Col"
    given = SampledAnswer(0, NOW_MS, dict.fromkeys(read, 1), orjson.dumps(answer))
    world = world_of(engine.settings, lambda *_: None)
    assert list(differences(world, engine.settings, made, given)) == []
    assert len(list(differences(replace(world, online=False), engine.settings, made, given))) == 1


def test_the_whole_comparison(engine: Engine) -> None:
    """A sample is compared answer by answer, and the wrong ones are counted."""
    made, answer = asked(engine, track=False)
    ledger = Ledger([made, made, made], 10, seed=1)
    right = orjson.dumps(answer)
    answer["path"] = []
    wrong = orjson.dumps(answer)
    ledger.add(0, [sent(0, 0, body=right), sent(1, 5, body=wrong), sent(2, 9, body=right)])
    found = check(engine.settings, [made, made, made], ledger, lambda *_: None)
    assert found[:5] == Checked(3, 3, 3, 0, 1, [])[:5]
    assert "request 1" in found.differences[0]


def test_the_world_is_the_stores(engine: Engine) -> None:
    """Pages, profiles, communities and campaigns, all of them."""
    world = world_of(engine.settings, lambda *_: None)
    assert set(world.category) >= {page["url"] for page in known.PAGES}
    assert set(world.campaigns) == {campaign["id"] for campaign in known.CAMPAIGNS}
    assert isinstance(next(iter(world.campaigns.values())), oracle.Campaign)
    summed: dict[str, list[oracle.Counts]] = {}
    for history in world.profiles.values():
        for url, counts in history.items():
            summed.setdefault(url, []).append(counts)
    for url, each in summed.items():
        assert oracle.add(each)[0] <= world.totals[url][0]
