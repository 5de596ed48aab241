"""Whole batches, from a real log to a published generation in a real store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hbase_schema import names as t
from tests.support import world as known
from tests.support.worlds import NOW_MS, batch, ingest_known, opened, seen
from tests.webrec.batch.known_site import PAGE, sent_by_all
from webrec.admin.categories import get_category, list_categories, set_label
from webrec.admin.communities import get_community
from webrec.admin.pages import get_pages
from webrec.bench import oracle
from webrec.domain.types import Event
from webrec.errors import ResultRefused
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine


@pytest.mark.parametrize("features", ["semantic", "tfidf"])
@pytest.mark.parametrize("expected", known.EXPECTED, ids=lambda each: each.statement[:60])
def test_the_known_answers_come_out(
    published: dict[str, Engine], features: str, expected: known.Expected
) -> None:
    """What the known-answer world states in prose is what the whole way answers."""
    engine = published[features]
    request = parse_request({**expected.request, "track": False, "explain": True}, NOW_MS)
    found = engine.recommend(request, NOW_MS)
    spelled = {ad.shown: ad.page.url for c in engine.tables.campaigns.all() for ad in c.ads}
    assert [spelled.get(item.url, item.url) for item in found.items] == expected.urls
    assert found.path == expected.path
    if expected.campaigns is not None:
        assert [item.campaign for item in found.items] == expected.campaigns


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    """The known-answer world after its batch, by the features that told its pages apart."""
    home = tmp_path_factory.mktemp("known")
    with opened(home / "semantic") as semantic, opened(home / "tfidf") as tfidf:
        engines = {"semantic": semantic, "tfidf": tfidf}
        for features, engine in engines.items():
            ingest_known(engine)
            batch(engine, features=features)
        yield engines


def test_the_generation_is_what_the_log_says(published: dict[str, Engine]) -> None:
    """Categories are the themes, communities the readerships, totals count the anonymous too."""
    engine = published["semantic"]
    generation = engine.model
    assert generation is not None
    categories = {page.url: page.category for page in engine.tables.pages.all(generation.id)}
    for url, theme in known.THEME_OF.items():
        alike = {u for u, c in categories.items() if c == categories[url]}
        assert alike == {u for u, other in known.THEME_OF.items() if other == theme}
    communities = dict(engine.tables.profiles.communities(generation.id))
    assert communities.pop(known.NEWCOMER) is None
    for visitors in known.READERS.values():
        assert len({communities[visitor] for visitor in visitors}) == 1
    (page,) = engine.tables.pages.by_url(generation.id, [known.page("football", 2)])
    assert page is not None
    assert (page.visits, page.accepts) == (5, 0)
    (favourite,) = engine.tables.pages.by_url(generation.id, [known.page("football", 1)])
    assert favourite is not None
    assert (favourite.visits, favourite.accepts) == (3, 1)


def test_profiles_and_communities_add_up(published: dict[str, Engine]) -> None:
    """A profile holds what its visitor did, and a community the sum of its members."""
    engine = published["semantic"]
    generation = engine.model
    assert generation is not None
    sent = sent_by_all()
    for visitor, urls in sent.items():
        assert seen(engine, visitor) == urls
    for community_id in generation.community_ids:
        found = get_community(engine, community_id, 100, "")
        number = generation.community_ids.index(community_id)
        members = [v for v, g in engine.tables.profiles.communities(generation.id) if g == number]
        assert found["size"] == len(members) == 4
        expected = {
            url: oracle.add([sent[v][url] for v in members if url in sent[v]])
            for v in members
            for url in sent[v]
        }
        assert {e["url"]: (e["visits"], e["accepts"]) for e in found["urls"]} == {
            url: counts for url, counts in expected.items() if counts[0]
        }
        scores = [(-e["rank_score"], e["url"]) for e in found["urls"]]
        assert scores == sorted(scores)
    for category_id in generation.category_ids:
        row = engine.tables.categories.get(generation.id, category_id)
        assert row is not None
        shown = get_category(engine, category_id, 100, "")["urls"]
        assert row.value == sum(each["affinity"] for each in shown)
        assert shown == sorted(shown, key=lambda e: (-e["affinity"], e["url"]))


def _content(engine: Engine, generation_id: str) -> dict[str, list[tuple[bytes, object]]]:
    return {
        kind: list(engine.tables.store.scan(t.generation_table(generation_id, kind)))
        for kind in t.KINDS
    }


def test_the_same_log_and_seed_give_the_same_generation(engine: Engine, tmp_path: Path) -> None:
    """Byte by byte, in another store and after the log was written in another order."""
    first = batch(engine, seed=7)
    again = batch(engine, seed=7)
    with opened(tmp_path / "elsewhere") as other:
        records = [r.event for s in engine.log.closed_segments() for r in engine.log.read(s)]
        for event in reversed(records):
            other.recorder.record([event])
        other.tables.campaigns.put(list(engine.tables.campaigns.all()))
        elsewhere = batch(other, seed=7)
        assert _content(other, elsewhere.id) == _content(engine, first.id)
    assert _content(engine, again.id) == _content(engine, first.id)
    assert again.suggested_labels == first.suggested_labels == elsewhere.suggested_labels
    assert again.counts == first.counts == elsewhere.counts


def test_a_name_given_by_a_person_survives_the_next_batch(engine: Engine) -> None:
    """The category keeps its id and its name though its pages change; the others are suggested."""
    batch(engine)
    category = get_pages(engine, [PAGE])[0]
    assert category is not None
    named = set_label(engine, category["category"]["id"], "Good food")
    assert (named["label"], named["label_source"]) == ("Good food", "manual")
    engine.recorder.record(
        [
            Event(
                "page",
                f"https://cooking.example/new-{n}",
                None,
                NOW_MS,
                title="A soup recipe with garlic and onions from your kitchen",
                keywords=("soup", "recipe", "kitchen", "garlic"),
            )
            for n in range(5)
        ]
    )
    batch(engine)
    after, new = get_pages(engine, [PAGE, "https://cooking.example/new-0"])
    assert after is not None
    assert new is not None
    assert after["category"] == new["category"] == {"id": named["id"], "label": "Good food"}
    sources = Counter(c["label_source"] for c in list_categories(engine, 10, "").items)
    assert sources == {"manual": 1, "suggested": 2}


def test_an_empty_result_is_refused_unless_forced(tmp_path: Path) -> None:
    """An empty log publishes nothing; with force its generation answers with nothing."""
    with opened(tmp_path) as engine:
        with pytest.raises(ResultRefused, match="no page"):
            batch(engine)
        assert engine.model is None
        generation = batch(engine, force=True)
        assert engine.model == generation
        request = parse_request({"url": PAGE, "track": False}, NOW_MS)
        answer = engine.recommend(request, NOW_MS)
        assert answer.items == []
        assert answer.empty_reason == "nothing_to_recommend"
        ingest_known(engine)
        assert batch(engine).counts["pages"] == len(known.THEME_OF)


def test_a_shrunken_result_is_refused_unless_forced(engine: Engine) -> None:
    """A log that lost most of its events does not replace the model, unless an operator says so."""
    first = batch(engine)
    for name in engine.log.closed_segments():
        engine.log.rewrite(name, lambda r: r.number < 10)
    with pytest.raises(ResultRefused, match="--force"):
        batch(engine)
    engine.refresh()
    assert engine.model == first
    assert engine.tables.generations.with_tables() == {first.id}
    assert batch(engine, force=True).counts["pages"] < 31
