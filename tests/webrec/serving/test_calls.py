"""How many calls to the store a request makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.support.random_worlds import random_request, random_world
from tests.support.thrift_gateway import ThriftGateway
from tests.support.worlds import answer_of, opened, publish, published
from tests.webrec.serving.asking import ask, campaign, urls
from webrec.bench import oracle
from webrec.serving.engine import Engine

PAGES = [f"https://site.example/{n:03d}" for n in range(300)]
A, B, C = PAGES[:3]
ANN, BOB = "u:ann", "u:bob"
WORLD = oracle.World(
    category=dict.fromkeys(PAGES, "c1"),
    community={ANN: "g1", BOB: "g1", "u:keen": "g1"},
    profiles={
        ANN: {A: (3, 0), B: (1, 0)},
        BOB: {C: (1, 1)},
        "u:alone": {B: (2, 0)},
        "u:keen": dict.fromkeys(PAGES, (1, 0)),
    },
)


@pytest.fixture(scope="module")
def gateway() -> Iterator[ThriftGateway]:
    """A server that counts."""
    with ThriftGateway() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def home(gateway: ThriftGateway, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the world is, published on the server, with campaigns for many of its pages."""
    home = tmp_path_factory.mktemp("home")
    with opened(home, store=gateway.store_uri("counted")) as engine:
        engine.recorder.cut(0)
        publish(engine.tables, WORLD, Random(1))
        engine.tables.campaigns.put(
            [campaign("k1", 0.5, *PAGES[:200]), campaign("k2", 0.2, *PAGES[100:])]
        )
    return home


@pytest.fixture
def engine(gateway: ThriftGateway, home: Path) -> Iterator[Engine]:
    """A new process on it."""
    with opened(home, store=gateway.store_uri("counted")) as engine:
        yield engine


@pytest.mark.parametrize("mode", ["related", "sponsored"])
@pytest.mark.parametrize("filter_", ["content", "collaborative"])
@pytest.mark.parametrize("repeat", [False, True])
@pytest.mark.parametrize(
    ("who", "first", "again"),
    [
        ({"user": "ann"}, 2, 1),
        ({"user": "alone"}, 2, 1),
        ({"user": "stranger"}, 2, 1),
        ({"ip": "192.0.2.1"}, 2, 1),
        ({}, 0, 0),
    ],
    ids=["member", "profile alone", "stranger", "address", "anonymous"],
)
def test_calls_of_a_request(
    gateway: ThriftGateway,
    engine: Engine,
    mode: str,
    filter_: str,
    *,
    repeat: bool,
    who: dict[str, str],
    first: int,
    again: int,
) -> None:
    """One for what happened since the generation, one for the profile the first time.

    And one for the text that was sent of a page that the generation does not know. However many
    candidates there are, and however many of them are shown.
    """
    calls = []
    for limit, url in ((100, A), (1, A), (100, B), (10, "https://site.example/unknown")):
        before = gateway.calls
        found = ask(
            engine,
            url,
            mode=mode,
            filter=filter_,
            repeat=repeat,
            limit=limit,
            explain=True,
            **who,  # type: ignore[arg-type]
        )
        calls.append(sum((gateway.calls - before).values()))
        assert not found.degraded
        assert len(found.items) == limit
        assert found.explanation.size > 290
    assert calls == [first, again, again, again + 1]


def test_recording_a_visit_makes_no_call(gateway: ThriftGateway, engine: Engine) -> None:
    """It is in the log, and the store gets it later."""
    ask(engine, user="tracked")
    before = gateway.calls
    for url in PAGES[:20]:
        ask(engine, url, user="tracked", track=True)
    assert sum((gateway.calls - before).values()) == 20


def test_calls_for_a_forgotten_visitor(gateway: ThriftGateway, engine: Engine) -> None:
    """The profile is not even looked at."""
    engine.recorder.forget(BOB)
    before = gateway.calls
    assert ask(engine, A, user="bob", filter="collaborative").path[0] == "WebR.Rel.Col"
    assert sum((gateway.calls - before).values()) == 1


def test_a_list_of_urls_is_no_read(gateway: ThriftGateway, engine: Engine) -> None:
    """What a request names to be left out, or which campaigns, is found in memory."""
    ask(engine, user="ann")
    before = gateway.calls
    found = ask(
        engine, mode="sponsored", user="ann", exclude=PAGES[10:110], campaigns=["k1", "k2", "k3"]
    )
    assert urls(found)[0] == C
    assert sum((gateway.calls - before).values()) == 1


def test_answers_are_the_same_over_thrift(gateway: ThriftGateway, tmp_path: Path) -> None:
    """Exactly the oracle's, as with the embedded store."""
    for seed in range(3):
        rng = Random(seed)
        world = random_world(rng)
        store = gateway.store_uri(f"world{seed}")
        with published(world, tmp_path / str(seed), rng, store) as engine:
            for _ in range(60):
                request = random_request(rng, world)
                assert answer_of(engine, request) == oracle.recommend(world, request)
