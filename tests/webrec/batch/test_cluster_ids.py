"""Tests of webrec.batch.cluster_ids."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import count

import pytest

from webrec.batch.cluster_ids import take_over_ids


def ids(
    old: Mapping[str, AbstractSet[str]], new: Sequence[AbstractSet[str]], **options: float
) -> list[str]:
    """The ids of ``new``; fresh ones are "new1", "new2" and so on."""
    numbers = count(1)
    return take_over_ids(old, new, lambda: f"new{next(numbers)}", **options)


def span(start: int, stop: int) -> set[str]:
    """Members start … stop-1."""
    return {str(number) for number in range(start, stop)}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, [], []),
        ({}, [{"1"}], ["new1"]),
        ({"a": {"1"}}, [], []),
        ({"a": span(0, 9), "b": span(9, 18)}, [span(9, 18), span(0, 9)], ["b", "a"]),
        ({"a": span(0, 9)}, [span(100, 109)], ["new1"]),
        ({"a": set()}, [set(), {"1"}], ["new1", "new2"]),
    ],
    ids=["nothing", "first batch", "all gone", "renumbered", "all different", "empty clusters"],
)
def test_plain_cases(
    old: Mapping[str, AbstractSet[str]], new: Sequence[AbstractSet[str]], expected: list[str]
) -> None:
    """Known answers."""
    assert ids(old, new) == expected


def test_growth_keeps_the_name() -> None:
    """A cluster of 10 that is a cluster of 1,000 today is still itself."""
    assert ids({"a": span(0, 10), "b": span(10, 20)}, [span(0, 10) | span(99, 1089)]) == ["a"]


def test_split_keeps_the_name_with_the_larger_half() -> None:
    """A pure split: the larger half keeps the id, the smaller gets a fresh one."""
    assert ids({"a": span(0, 100)}, [span(0, 40), span(40, 100)]) == ["new1", "a"]


def test_merge_takes_the_name_of_the_larger() -> None:
    """Two become one: the larger gives its id."""
    assert ids({"a": span(0, 30), "b": span(30, 100)}, [span(0, 100)]) == ["b"]


def test_drift_keeps_the_name() -> None:
    """A fifth of each side moves to the other: both keep their ids."""
    old = {"a": span(0, 50), "b": span(50, 100)}
    assert ids(old, [span(10, 60), span(60, 100) | span(0, 10)]) == ["a", "b"]


def test_best_matching_overall() -> None:
    """Where two want the same id, the matching shares the most members in all."""
    old = {"a": span(0, 100), "b": span(100, 140)}
    assert ids(old, [span(0, 55), span(55, 100) | span(100, 140)]) == ["a", "b"]


def test_a_crumb_does_not_inherit_a_large_name() -> None:
    """One page of a hundred is not that category, though all it has comes from it."""
    old = {"a": span(0, 100), "b": span(100, 1000)}
    new = [span(0, 1), span(1, 1000)]
    assert ids(old, new) == ["new1", "b"]


@pytest.mark.parametrize(("min_overlap", "expected"), [(0.3, ["a", "b"]), (0.4, ["new1", "new2"])])
def test_threshold(min_overlap: float, expected: list[str]) -> None:
    """A third of the union passes a limit of 0.3 and not one of 0.4."""
    old = {"a": {"0", "1"}, "b": {"2", "3"}}
    assert sorted(ids(old, [{"1", "2"}, {"0", "3"}], min_overlap=min_overlap)) == expected


def test_ties_do_not_depend_on_the_order_of_the_old() -> None:
    """Equal overlaps are settled the same way whatever the mapping's order."""
    new = [{"1", "3"}, {"2", "4"}]
    one = ids({"a": {"1", "2"}, "b": {"3", "4"}}, new)
    assert one == ids({"b": {"3", "4"}, "a": {"1", "2"}}, new)
    assert sorted(one) == ["a", "b"]


def test_a_hundred_clusters_of_two_thousand() -> None:
    """200,000 members are matched within two seconds."""
    old = {f"c{i:03}": span(2_000 * i, 2_000 * (i + 1)) for i in range(100)}
    new = [span(2_000 * i + 300, 2_000 * (i + 1) + 300) for i in reversed(range(100))]
    start = time.perf_counter()
    assert ids(old, new) == sorted(old, reverse=True)
    assert time.perf_counter() - start < 2
