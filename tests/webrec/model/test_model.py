"""A generation in memory: its pages by URL and by number."""

from __future__ import annotations

from pathlib import Path
from random import Random

from algorithms import UNCATEGORISED
from tests.support.worlds import publish
from tests.webrec.model.known import WORLD, A
from webrec.bench import oracle
from webrec.bench.oracle import World
from webrec.model.files import load
from webrec.model.model import EMPTY, Model
from webrec.tables.tables import Tables


def test_every_page_is_found_by_its_url(model: Model) -> None:
    """Numbers are in the order of URLs; a URL that is not there has none."""
    assert model.size == 6
    for number, url in enumerate(sorted(WORLD.category)):
        assert model.find(url) == number
        assert model.url(number) == url
    for url in (A + "x", A[:-1], "", "https://elsewhere.example/ü"):
        assert model.find(url) is None


def test_pages_have_category_and_total(model: Model) -> None:
    """As the generation has them; a page nobody visited has 0."""
    ids = model.generation.category_ids
    for url, category in WORLD.category.items():
        page = model.find(url)
        assert page is not None
        number = model.category(page)
        assert (None if number == UNCATEGORISED else ids[number]) == category
        assert model.total(page) == oracle.number(WORLD, WORLD.totals.get(url, (0, 0)))


def test_urls_have_a_sort_position_whether_they_are_there_or_not(model: Model) -> None:
    """As many URLs come before one as in a sorted list."""
    urls = sorted(WORLD.category)
    for url in [*urls, "", A + "x", "https://site.example/zzz"]:
        assert model.sort_position(url) == sum(each < url for each in urls)


def test_some_urls_have_a_category(model: Model) -> None:
    """Those of the generation but for its pages without one."""
    urls = [*WORLD.category, "https://elsewhere.example/"]
    assert [model.has_category(url) for url in urls] == [
        WORLD.category.get(url) is not None for url in urls
    ]


def test_the_empty_model_has_no_page() -> None:
    """Before the first batch every question has an answer."""
    assert EMPTY.size == 0
    assert EMPTY.find(A) is None
    assert [c for _, run in EMPTY.rec_all.whole() for c in run] == []


def test_an_empty_generation_can_be_loaded(tables: Tables, tmp_path: Path) -> None:
    """A forced result without a page."""
    generation = publish(tables, World(), Random(1))
    model = load(tables, generation, tmp_path / "cache")
    assert (model.size, model.find(A)) == (0, None)
    assert [c for _, run in model.rec_all.whole() for c in run] == []
