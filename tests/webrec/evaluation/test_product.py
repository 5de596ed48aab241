"""The product under test gives the answers that the engine gives."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import world as known
from tests.support.worlds import NOW_MS, batch, identity, ingest_known, opened
from webrec.batch.options import BatchOptions
from webrec.evaluation.interactions import Interactions, SiteLog
from webrec.evaluation.product import ProductUnderTest, mix_name, trained
from webrec.evaluation.protocols import Given, Question
from webrec.formats.campaigns import parse_campaign
from webrec.formats.events import parse_event
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine

OPTIONS: dict[str, Any] = {"categories": 3, "communities": 3, "features": "tfidf"}
FILTERS = ("content", "collaborative")
W_SIM = 16.0
VISITORS = (*known.READERS["cooking"], known.READERS["football"][1], known.NEWCOMER)
SINCE = [("cooking", 5, "visit"), ("football", 4, "visit"), ("football", 4, "accept")]


def silent(*_: object) -> None:
    """Is called, and does nothing."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where store and log are."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def engine(home: Path) -> Iterator[Engine]:
    """The known-answer world after its batch, without the campaign that ended."""
    with opened(home, w_sim=W_SIM) as engine:
        ingest_known(engine)
        engine.tables.campaigns.delete("ended")
        batch(engine, **OPTIONS)
        yield engine


@pytest.fixture(scope="module")
def history(engine: Engine) -> Interactions:
    """What happened in that world."""
    return source_of(engine).interactions(silent)


@pytest.fixture(scope="module")
def product(engine: Engine, history: Interactions) -> Iterator[ProductUnderTest]:
    """The product, having learnt all of it."""
    source = source_of(engine)
    learnt_from = source.part(lambda _: True, silent)
    options = BatchOptions(**OPTIONS)
    with trained(
        learnt_from, engine.settings, options, source.campaigns, history, silent, also_w_sim=[0.0]
    ) as made:
        yield made


@pytest.fixture(scope="module")
def published(home: Path, engine: Engine) -> Iterator[Engine]:
    """The same world by the published definition."""
    with opened(home, w_sim=0) as other:
        yield other


def source_of(engine: Engine) -> SiteLog:
    """Its log until the batch."""
    watermark = engine.snapshot.model.generation.watermark
    return SiteLog(engine.log, watermark, {}, list(engine.tables.campaigns.all()))


def answered(
    engine: Engine, mode: str, filter_: str, visitor: str, url: str, *, fill: bool = True
) -> list[str]:
    """The canonical URLs of an answer, and the algorithm last."""
    document = {
        "url": url, "mode": mode, "filter": filter_, "limit": 100, "repeat": False, "track": False,
        "fill": fill,
    }  # fmt: skip
    request = parse_request(document | identity(visitor), NOW_MS)
    found = engine.recommend(request, NOW_MS)
    shown = {ad.shown: ad.page.url for c in engine.tables.campaigns.all() for ad in c.ads}
    return [*(shown.get(item.url, item.url) for item in found.items), found.algorithm]


def asked(
    engine: Engine,
    product: ProductUnderTest,
    history: Interactions,
    mode: str,
    questions: list[Question],
) -> dict[str, list[list[str]]]:
    """The same of the product, by the way it starts, question by question."""
    answers = product.answer(mode, questions, 100, silent)
    model = engine.snapshot.model
    return {
        filter_: [
            [*(model.url(page) for page in row if page >= 0), step]
            for row, step in zip(answers[name].lists.tolist(), answers[name].steps, strict=True)
        ]
        for filter_ in FILTERS
        if (name := mix_name(filter_, engine.settings.w_sim))
    }


@pytest.mark.parametrize("which", ["engine", "published"])
@pytest.mark.parametrize("mode", ["related", "sponsored"])
def test_answers_are_those_of_the_engine(
    request: pytest.FixtureRequest,
    product: ProductUnderTest,
    history: Interactions,
    mode: str,
    which: str,
) -> None:
    """For readers, a newcomer, every page and none, both filters, with similarity and without."""
    engine: Engine = request.getfixturevalue(which)
    urls = [None, *range(len(history.urls))]
    questions = [
        Question(history.visitors.index(visitor), url, (), (0,))
        for visitor in VISITORS
        for url in urls
    ]
    found = asked(engine, product, history, mode, questions)
    for filter_, answers in found.items():
        for question, answer in zip(questions, answers, strict=True):
            visitor = history.visitors[question.visitor]
            viewed = question.viewed
            url = known.STRANGER_PAGE if viewed is None else history.urls[viewed]
            assert answer == answered(engine, mode, filter_, visitor, url)


def test_what_a_visitor_did_since_counts(
    engine: Engine, product: ProductUnderTest, history: Interactions
) -> None:
    """As the recent row does: visits and accepts, of a known visitor and of a stranger."""
    events = [
        {"type": kind, "url": known.page(theme, n), "timestamp": NOW_MS} for theme, n, kind in SINCE
    ]
    number = {url: n for n, url in enumerate(history.urls)}
    given = (
        Given(number[known.page("cooking", 5)], 1, 0),
        Given(number[known.page("football", 4)], 1, 1),
    )
    for visitor in ("u:edith", "u:someone"):
        before = answered(engine, "related", "content", visitor, known.STRANGER_PAGE)
        sent = [parse_event(e | identity(visitor), NOW_MS) for e in events]
        engine.recorder.record(sent)
        engine.recorder.flush()
        if visitor not in history.visitors:
            history.visitors.append(visitor)
        question = Question(history.visitors.index(visitor), None, given, (0,))
        found = asked(engine, product, history, "related", [question])
        for filter_ in FILTERS:
            after = answered(engine, "related", filter_, visitor, known.STRANGER_PAGE)
            assert found[filter_] == [after]
        assert after != before


def test_an_algorithm_alone_has_no_fallback(
    product: ProductUnderTest, history: Interactions
) -> None:
    """On an unknown page content has nothing; a stranger has no community; default always has."""
    anna = history.visitors.index("u:anna")
    nora = history.visitors.index(known.NEWCOMER)
    page = history.urls.index(known.page("cooking", 1))
    questions = [
        Question(anna, None, (), (0,)),
        Question(anna, page, (), (0,)),
        Question(nora, page, (), (0,)),
    ]
    for mode, short in (("related", "Rel"), ("sponsored", "Sp")):
        answers = product.answer(mode, questions, 10, silent)
        has_list = {
            name: [row[0] >= 0 for row in answers[f"WebR.{short}.{name}"].lists.tolist()]
            for name in ("Cont", "Col", "Default")
        }
        assert has_list == {
            "Cont": [False, True, True],
            "Col": [True, True, False],
            "Default": [True, True, True],
        }


@pytest.mark.parametrize(("mode", "short"), [("related", "Rel"), ("sponsored", "Sp")])
def test_an_algorithm_alone_ranks_as_in_the_product(
    engine: Engine, product: ProductUnderTest, history: Interactions, mode: str, short: str
) -> None:
    """Where it is the first to be asked and has a list, that list is the answer."""
    page = history.urls.index(known.page("cooking", 2))
    for visitor in (known.READERS["cooking"][0], known.READERS["football"][1]):
        question = Question(history.visitors.index(visitor), page, (), (0,))
        answers = product.answer(mode, [question], 100, silent)
        for name, filter_ in (("Cont", "content"), ("Col", "collaborative")):
            alone = answers[f"WebR.{short}.{name}"].lists[0].tolist()
            urls = [engine.snapshot.model.url(number) for number in alone if number >= 0]
            expected = answered(engine, mode, filter_, visitor, history.urls[page], fill=False)
            assert [*urls, f"WebR.{short}.{name}"] == expected


def test_campaigns_count_whatever_their_dates(engine: Engine, history: Interactions) -> None:
    """The one that ended has an ad, too."""
    source = source_of(engine)
    ended = known.CAMPAIGNS[-1]
    learnt_from = source.part(lambda _: True, silent)
    options = BatchOptions(**OPTIONS)
    campaigns = [parse_campaign(ended)]
    with trained(learnt_from, engine.settings, options, campaigns, history, silent) as made:
        assert [learnt_from.pages[ad].url for ad in made.ads] == [known.page("astronomy", 5)]


def test_nothing_is_left_behind(
    engine: Engine, history: Interactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a temporary folder nor a generation in the site's store."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source, generations = source_of(engine), engine.tables.generations.all()
    learnt_from = source.part(lambda _: True, silent)
    options = BatchOptions(**OPTIONS)
    with trained(learnt_from, engine.settings, options, (), history, silent):
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())
    assert engine.tables.generations.all() == generations


def test_each_weight_of_similarity_is_measured_once(engine: Engine, history: Interactions) -> None:
    """Beside that of the settings, which may be named again; one that leaves no weight is not."""
    source = source_of(engine)
    learnt_from = source.part(lambda _: True, silent)
    settings = engine.settings.model_copy(update={"w_ads": 0.0, "w_aff": 0.0, "w_sim": 2.0})
    options = BatchOptions(**OPTIONS)
    with trained(
        learnt_from, settings, options, (), history, silent, also_w_sim=[0.5, 2, 0]
    ) as made:
        names = list(made.answer("related", [], 10, silent))
    assert names[3:] == [mix_name(filter_, w_sim) for w_sim in (2, 0.5) for filter_ in FILTERS]
