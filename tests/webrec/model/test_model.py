"""A generation in memory, and the files that share it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from algorithms import UNCATEGORISED
from tests.support.worlds import publish
from webrec.bench import oracle
from webrec.bench.oracle import World
from webrec.errors import NotFound
from webrec.model.model import EMPTY, Model, load
from webrec.storage import open_store
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables

A, B, C, D, E = (f"https://site.example/{name}" for name in "abcde")
ODD = "https://site.example/%C3%BC?q=1&r"
WORLD = World(
    category={A: "c1", B: "c1", C: "c2", D: None, E: "c2", ODD: "c1"},
    totals={A: (4, 0), B: (1, 1), C: (4, 0), D: (2, 0)},
    community={"u:ann": "g", "u:bob": "g", "u:eve": "h"},
    profiles={
        "u:ann": {A: (3, 0), D: (1, 0), E: (0, 1)},
        "u:bob": {A: (1, 0), C: (2, 1), D: (1, 0)},
        "u:eve": {A: (0, 1)},
    },
)
"""Two categories and a page without; a community g, and one, h, that has only accepted."""


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    """The tables of a new store."""
    with closing(open_store(f"sqlite:///{tmp_path}/webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        yield tables


@pytest.fixture
def generation(tables: Tables) -> Generation:
    """The world, published."""
    return publish(tables, WORLD, Random(1))


@pytest.fixture
def model(tables: Tables, generation: Generation, tmp_path: Path) -> Model:
    """The world, loaded."""
    return load(tables, generation, tmp_path / "cache")


def test_every_page_is_found_by_its_url(model: Model) -> None:
    """Numbers are in the order of URLs; an unknown URL has none."""
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


def test_lists_are_those_of_the_generation(model: Model) -> None:
    """Each `recL`, their union, and each `colL`, best first, under the names explain uses."""
    generation = model.generation
    lists = {
        **{
            (f"recL[{c}]", model.rec(n).expression): (model.rec(n), oracle.rec_list(WORLD, c))
            for n, c in enumerate(generation.category_ids)
        },
        **{
            (f"colL[{g}]", model.col(n).expression): (model.col(n), oracle.col_list(WORLD, g))
            for n, g in enumerate(generation.community_ids)
        },
        ("recL", model.rec_all.expression): (
            model.rec_all,
            dict(oracle.best_first(oracle.rec_union(WORLD, {"c1", "c2"}))),
        ),
    }
    assert len(lists) == 5
    for (name, expression), (candidates, scores) in lists.items():
        assert name == expression
        found = [(model.url(c.page), -c.rank) for _, run in candidates.whole() for c in run]
        assert found == list(scores.items())


def test_a_community_without_visits_has_an_empty_list(model: Model) -> None:
    """It has no categories, and so the wider list is empty too."""
    number = model.generation.community_ids.index("h")
    assert model.categories_of(number) == set()
    for candidates in (model.col(number), model.rec_of(number)):
        assert [c for _, run in candidates.whole() for c in run] == []
        assert list(candidates.categories()) == []


def test_the_empty_model_knows_nothing() -> None:
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


_LOADING = """
import sys
from pathlib import Path
from webrec.model.model import load
from webrec.storage import open_store
from webrec.tables.tables import Tables
tables = Tables(open_store(f"sqlite:///{sys.argv[1]}/webrec.db"))
print(load(tables, tables.generations.active(), Path(sys.argv[1]) / "cache").size)
"""


def test_processes_share_the_files(tables: Tables, generation: Generation, tmp_path: Path) -> None:
    """However many come first at the same time, the files are made once."""
    command = [sys.executable, "-c", _LOADING, str(tmp_path)]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0] for process in others] == ["6\n"] * 3
    (folder,) = (tmp_path / "cache").glob("0*")
    made = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    tables.generations.drop(generation.id)  # the files are enough
    assert load(tables, generation, tmp_path / "cache").size == 6
    assert made == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_files_of_dropped_generations_go(tables: Tables, tmp_path: Path) -> None:
    """With the next load; those of listed ones stay, and a model in use works on."""
    first = publish(tables, WORLD, Random(1), "000001")
    cache = tmp_path / "cache"
    old = load(tables, first, cache)
    second = publish(tables, WORLD, Random(2), "000002")
    load(tables, second, cache)
    assert len(list(cache.glob("0*"))) == 2
    tables.generations.drop(first.id)
    third = publish(tables, WORLD, Random(3), "000003")
    load(tables, third, cache)
    assert sorted(p.name for p in cache.glob("0*")) == ["000002-1-2", "000003-1-2"]
    assert old.find(A) is not None
    assert [c.page for _, run in old.rec_all.whole() for c in run]


def test_a_load_that_was_cut_off_is_made_again(
    tables: Tables, generation: Generation, tmp_path: Path
) -> None:
    """What a killed process left half written is never read, and goes away."""
    half = tmp_path / "cache" / "f00f00f0.new"
    half.mkdir(parents=True)
    (half / "urls.npy").write_bytes(b"half")
    assert load(tables, generation, tmp_path / "cache").find(A) == 1
    assert not half.exists()


@pytest.mark.parametrize("kind", ["categories", "communities"])
def test_an_incomplete_generation_is_not_loaded(
    tables: Tables, generation: Generation, tmp_path: Path, kind: str
) -> None:
    """And leaves no files that a later load would believe."""
    table = f"g{generation.id}.{kind}"
    rows = list(tables.store.scan(table))
    tables.store.delete_many(table, [(rows[0][0], None)])
    for _ in range(2):
        with pytest.raises(NotFound, match="is gone"):
            load(tables, generation, tmp_path / "cache")
