"""The sets of a generation that algorithms recommend from."""

from __future__ import annotations

import numpy as np
import pytest

from algorithms import Candidates
from tests.webrec.model.known import WORLD
from webrec.bench import oracle
from webrec.model.model import Model


@pytest.fixture
def sets(model: Model) -> list[Candidates]:
    """All sets of the generation."""
    communities = range(len(model.generation.community_ids))
    return [
        *(model.rec(c) for c in range(len(model.generation.category_ids))),
        model.rec_all,
        *(model.col(g) for g in communities),
        *(model.rec_of(g) for g in communities),
    ]


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
        found = [(model.url(c.page), -c.rank) for _, run in candidates.whole() for c in run]  # type: ignore[arg-type]
        assert found == list(scores.items())


def test_a_community_without_visits_has_an_empty_list(model: Model) -> None:
    """It has no categories, and so the wider list is empty too."""
    number = model.generation.community_ids.index("h")
    assert model.categories_of(number) == set()
    for candidates in (model.col(number), model.rec_of(number)):
        assert [c for _, run in candidates.whole() for c in run] == []
        assert list(candidates.categories()) == []


def test_a_page_is_found_as_it_is_in_the_list(model: Model, sets: list[Candidates]) -> None:
    """Found, contained and counted are the same pages, those of the whole list."""
    for candidates in sets:
        listed = {c.page: c for _, run in candidates.whole() for c in run}
        assert len(candidates) == len(listed)
        for page in range(model.size):
            assert candidates.find(page) == listed.get(page)
            assert (page in candidates) == (page in listed)
        assert 0.5 not in candidates


def test_the_pages_of_a_category_are_in_the_order_of_the_list(sets: list[Candidates]) -> None:
    """Category by category there are the same pages as in the whole list."""
    for candidates in sets:
        listed = [c for _, run in candidates.whole() for c in run]
        assert {c.category for c in listed} == set(candidates.categories())
        for category in candidates.categories():
            found = [c for _, run in candidates.of(category) for c in run]
            assert found == [c for c in listed if c.category == category]


def test_some_pages_affinities_in_a_community(model: Model) -> None:
    """Of those in its list, in the order asked; of an empty list, and of no pages, none."""
    pages = np.array([4, 3, 0, 1], np.uint32)
    for number, community in enumerate(model.generation.community_ids):
        scores = oracle.col_list(WORLD, community)
        expected = [(p, scores[model.url(p)]) for p in pages.tolist() if model.url(p) in scores]
        assert model.col_ranks(number, pages) == expected
        assert model.col_ranks(number, pages[:0]) == []
