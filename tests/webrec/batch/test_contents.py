"""The rows of a generation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from hbase_schema import names as t
from tests.webrec.batch.small_generation import contents, pairs, profile, write
from webrec.batch import contents as contents_module
from webrec.tables.tables import Tables


def test_pages_carry_category_and_totals(tables: Tables) -> None:
    """Anonymous visits included; -1 is no category."""
    write(tables, contents())
    pages = sorted(tables.pages.all("000001"), key=lambda p: p.number)
    assert [p[2:] for p in pages] == [(0, 6, 0), (1, 6, 1), (0, 1, 0), (1, 3, 1), (-1, 9, 0)]


def test_categories_are_in_the_order_of_rec_l(tables: Tables) -> None:
    """By total affinity, 9 before 6 and 6 before 1, under the ids of their numbers."""
    write(tables, contents())
    one, other = tables.categories.get("000001", "c7"), tables.categories.get("000001", "c2")
    assert one is not None
    assert other is not None
    assert (one.urls.tolist(), one.value, one.keywords) == ([0, 2], 7.0, ["one", "first"])
    assert (other.urls.tolist(), other.value) == ([1, 3], 15.0)


def test_ties_go_by_url(tables: Tables) -> None:
    """Pages of equal affinity are in the order of their numbers."""
    found = contents()
    found.history.page_visits[:] = 4
    found.history.page_accepts[:] = 0
    write(tables, found)
    row = tables.categories.get("000001", "c2")
    assert row is not None
    assert row.urls.tolist() == [1, 3]


def test_a_profile_has_its_four_families(tables: Tables) -> None:
    """URLs and categories, visits and accepts, each in the order of its numbers."""
    write(tables, contents())
    row = profile(tables, "u:b")
    assert pairs(row.urls) == {0: 1, 1: 4, 4: 9}
    assert pairs(row.cats) == {0: 1, 1: 4}
    assert pairs(row.accepted_urls) == {3: 1}
    assert pairs(row.accepted_cats) == {1: 1}
    assert row.community == 0
    assert profile(tables, "u:c").community is None
    assert pairs(profile(tables, "u:c").urls) == {3: 1}
    assert dict(tables.profiles.communities("000001")) == {"u:a": 0, "u:b": 0, "u:c": None}


def test_a_profile_knows_what_was_visited_last(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one first, of one moment by number, and no more than count."""
    write(tables, contents())
    assert profile(tables, "u:a").last.tolist() == [0, 3, 2]
    assert profile(tables, "u:b").last.tolist() == [1, 4, 0]
    monkeypatch.setattr(contents_module, "MOST_SEEN", 2)
    tables.generations.drop("000001")
    write(tables, contents())
    assert profile(tables, "u:b").last.tolist() == [1, 4]


def test_a_community_is_the_sum_of_its_members(tables: Tables) -> None:
    """Its list is `colL`: by affinity, and without what was only accepted."""
    write(tables, contents())
    found = tables.communities.get("000001", "g4")
    assert found is not None
    row, size = found
    assert size == 2
    assert row.urls.numbers.tolist() == [4, 1, 0, 3, 2]  # 9, 4 + 3, 6, 2 + 3, 1
    assert row.urls.counts.tolist() == [9, 4, 6, 2, 1]
    assert pairs(row.cats) == {0: 7, 1: 6}
    assert pairs(row.accepted_urls) == {1: 1, 3: 1}
    assert pairs(row.accepted_cats) == {1: 2}


@pytest.mark.parametrize(
    ("profile_urls", "urls", "accepted"),
    [(1, {0: 5}, {}), (2, {0: 5}, {1: 1}), (3, {0: 5, 3: 2}, {1: 1}), (4, None, {1: 1})],
)
def test_a_long_profile_keeps_its_strongest_urls(
    tables: Tables, profile_urls: int, urls: dict[int, int] | None, accepted: dict[int, int]
) -> None:
    """By visits and accepts together (5, 3, 2, 1); its categories stay complete."""
    write(tables, contents(profile_urls))
    row = profile(tables, "u:a")
    assert pairs(row.urls) == ({0: 5, 2: 1, 3: 2} if urls is None else urls)
    assert pairs(row.accepted_urls) == accepted
    assert pairs(row.cats) == {0: 6, 1: 2}
    assert pairs(row.accepted_cats) == {1: 1}
    assert pairs(profile(tables, "u:c").urls) == {3: 1}


def test_equally_strong_urls_are_kept_by_url(tables: Tables) -> None:
    """The smaller number stays."""
    found = contents(profile_urls=2)
    ones, none = np.ones((3, 5), np.int64), sparse.csr_array((3, 5), dtype=np.int64)
    matrices = replace(found.history.matrices, visits=sparse.csr_array(ones), accepts=none)
    write(tables, replace(found, history=replace(found.history, matrices=matrices)))
    assert pairs(profile(tables, "u:a").urls) == {0: 1, 1: 1}


def test_arrays_come_back(tables: Tables) -> None:
    """Arrays of any length and type, each as it was."""
    write(tables, contents())
    found = tables.arrays.all("000001")
    assert found.keys() == {"users"}
    assert found["users"].keys() == {"idf", "columns"}
    for name, array in contents().found.arrays["users"].items():
        assert found["users"][name].dtype == array.dtype
        assert (found["users"][name] == array).all()


def test_a_generation_from_before_there_were_arrays_has_none(tables: Tables) -> None:
    """It can be gone back to: nothing new is categorised then."""
    write(tables, contents())
    tables.store.drop_table(t.generation_table("000001", "spaces"))
    assert tables.arrays.all("000001") == {}
