"""The pages and users of a synthetic model, by the numbers and in the order they are written."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hbase_schema import row_keys
from webrec.bench.synthetic_model.spec import SyntheticModelSpec
from webrec.synthetic.ground_truth import GroundTruth, Ints

Longs: TypeAlias = NDArray[np.int64]


class Population:
    """What is known before any profile is drawn; pages stand as the numbers they are written as.

    Attributes:
        urls: by page number, and thus sorted.
        category: int32 (urls,).
        users: int32 (users,), in the order of their rows: a store takes rows in order fastest.
        visitors: their visitor keys, in the same order.
    """

    def __init__(self, spec: SyntheticModelSpec) -> None:
        self.spec = spec
        self.truth = GroundTruth(spec.world())
        urls = self.truth.urls(np.arange(spec.urls, dtype=np.int32))
        by_url = sorted(range(spec.urls), key=urls.__getitem__)
        self.urls = [urls[page] for page in by_url]
        self.category: Ints = self.truth.page_category[by_url]
        self._number = np.empty(spec.urls, np.int64)
        self._number[by_url] = np.arange(spec.urls)
        visitors = [_visitor(self.truth, user) for user in range(spec.users)]
        by_row = sorted(range(spec.users), key=lambda user: row_keys.visitor_key(visitors[user]))
        self.users: Ints = np.array(by_row, np.int32)
        self.visitors = [visitors[user] for user in by_row]

    def draw_pages(self, rng: np.random.Generator, communities: Ints) -> Longs:
        """One page for each community of the argument, by its taste: int64, of its length."""
        drawn: Longs = self._number[self.truth.draw_pages(rng, communities)]
        return drawn


def _visitor(truth: GroundTruth, user: int) -> str:
    """The visitor key: ``u:`` and the login id, or ``i:`` and the address."""
    ((kind, name),) = truth.identity(user).items()
    return f"{kind[0]}:{name}"
