"""One world, one list of requests: SQLite and a folder answer as HBase and HDFS do."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import batch, opened
from webrec.admin.categories import get_category, list_categories
from webrec.admin.communities import get_community, list_communities
from webrec.admin.users import get_user
from webrec.formats.answers import answer_document
from webrec.formats.campaigns import parse_campaign
from webrec.formats.events import parse_event
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine
from webrec.synthetic.campaigns import campaigns
from webrec.synthetic.events import pages, visits
from webrec.synthetic.ground_truth import GroundTruth
from webrec.synthetic.requests import requests
from webrec.synthetic.spec import WorldSpec

pytestmark = pytest.mark.slow

_NOW_MS = time.time_ns() // 1_000_000
_SPEC = WorldSpec(
    now_ms=_NOW_MS,
    urls=2_000,
    users=300,
    categories=12,
    communities=6,
    campaigns=80,
    visits_per_user=20,
    seed=4,
)
_REQUESTS = 5_000
_AFTER_THE_BATCH = 1_500
_ALL = 1_000

Document = dict[str, Any]


def _load(engine: Engine) -> None:
    """All but the last events, a batch, and then the rest, some of it for the second time."""
    events = list(visits(_SPEC))
    before, after = events[:-_AFTER_THE_BATCH], events[-_AFTER_THE_BATCH:]
    _record(engine, [*pages(_SPEC), *before])
    engine.tables.campaigns.put([parse_campaign(c) for c in campaigns(_SPEC)])
    batch(engine, features="tfidf", categories=12, communities=6, seed=7)
    without_ids = [{**event, "event_id": None} for event in after[::3]]
    _record(engine, [*after, *before[-200:], *without_ids, *after[:200]])
    engine.recorder.flush()


def _record(engine: Engine, documents: list[Document]) -> None:
    engine.recorder.record([parse_event(document, _NOW_MS) for document in documents])


def _requests() -> Iterator[Document]:
    """Those of the generator, and of its kinds the rarer ones more often."""
    for number, request in enumerate(requests(_SPEC, _REQUESTS)):
        if number % 3 == 0:
            request["explain"] = True
        if number % 7 == 0:
            request["repeat"] = number % 2 == 0
        if number % 5 == 0:
            request["track"] = False
        yield request


def _answer(engine: Engine, request: Document) -> Document:
    """The answer, but for its id; the visit is recorded where the request lets it."""
    answer = answer_document(engine.recommend(parse_request(request, _NOW_MS), _NOW_MS))
    del answer["id"]
    return answer


def _known(engine: Engine) -> list[Any]:
    """What the operators' listings tell of the model and the users."""
    truth = GroundTruth(_SPEC)
    identities = map(truth.identity, range(_SPEC.users))
    visitors = [f"u:{i['user']}" if "user" in i else f"i:{i['ip']}" for i in identities]
    categories = list_categories(engine, _ALL, "").items
    communities = list_communities(engine, _ALL, "").items
    return [
        *(get_user(engine, visitor) for visitor in visitors),
        *(get_category(engine, c["id"], _ALL, "") for c in categories),
        *(get_community(engine, c["id"], _ALL, "") for c in communities),
    ]


def test_same_answers(
    on_cluster: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    """Answers and listings are the same, whatever holds the tables and the log."""
    kinds: Counter[str] = Counter()
    with (
        # no answer may leave a read out, however slow the machine is
        opened(tmp_path / "embedded", tmax=60_000) as embedded,
        opened(tmp_path / "on-cluster", tmax=60_000, **on_cluster) as clustered,
    ):
        for engine in (embedded, clustered):
            _load(engine)
        for number, document in enumerate(_requests()):
            answer = _answer(embedded, document)
            assert _answer(clustered, document) == answer, document
            kinds[answer["algorithm"]] += 1
            assert not answer["degraded"]
            if number % 1_000 == 0:  # what the requests recorded goes from memory to the store
                for engine in (embedded, clustered):
                    engine.recorder.flush()
        known = _known(embedded)
        assert _known(clustered) == known
    assert len(kinds) == 6, kinds
    with capsys.disabled():
        request.config.get_terminal_writer().line(
            f"\n{kinds.total():,} answers and {len(known):,} listings compared: {dict(kinds)}"
        )
