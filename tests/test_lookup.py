"""The fast answers, held against the slow and obvious ones over random worlds in a real store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests import oracle
from tests.random_worlds import random_request, random_world
from tests.worlds import answer_of, published

Branches = Counter[tuple[str, bool]]


def compare(home: Path, seeds: Sequence[int], requests: int) -> Branches:
    """Ask every world of these seeds so many requests, and both sides for the answer.

    Returns:
        How often each path came up, with a list and without.
    """
    branches: Branches = Counter()
    for seed in seeds:
        rng = Random(seed)
        world = random_world(rng)
        with published(world, home / str(seed), rng) as engine:
            for number in range(requests):
                request = random_request(rng, world)
                wanted, found = oracle.recommend(world, request), answer_of(engine, request)
                assert found == wanted, f"seed {seed}, request {number}: {request} in {world}"
                branches[" > ".join(found.path), found.empty] += 1
    return branches


def test_answers_are_those_of_the_definitions(tmp_path: Path) -> None:
    """URLs, order, priorities, scores, path, campaign and size are exactly the oracle's."""
    compare(tmp_path, range(8), 200)


@pytest.mark.slow
def test_answers_are_those_of_the_definitions_everywhere(tmp_path: Path) -> None:
    """The same over 64 worlds and 12,800 requests, which come by every branch."""
    branches = compare(tmp_path, range(1_000, 1_064), 200)
    assert len(branches) == 16 + 8
