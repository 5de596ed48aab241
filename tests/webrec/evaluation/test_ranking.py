"""Rankings of baselines are the heads of whole rankings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from tests.webrec.evaluation.sites import GIVEN_0, SITE, lists_of, visited
from webrec.evaluation import ranking
from webrec.evaluation.baselines import Conditional, Cosine, Popularity
from webrec.evaluation.ranking import BaselineQuestions, ranked


def test_a_list_is_the_head_of_the_whole_ranking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut at the limit, made in parts, it is what sorting everything gives."""
    rng = np.random.default_rng(5)
    site = sparse.csr_array((rng.random((60, 40)) < 0.2).astype(np.float64))
    given = sparse.csr_array((rng.random((20, 40)) < 0.1).astype(np.float64))
    baseline, asked = Conditional(site), BaselineQuestions(site, given)
    popular = {page: place for place, page in enumerate(asked.order.tolist())}
    scores, rows = baseline.scores(given), given.toarray()
    expected = [
        sorted(
            (p for p in range(40) if not rows[q, p]),
            key=lambda p, q=q: (-scores[q, p], popular[p]),  # type: ignore[misc]
        )
        for q in range(20)
    ]
    for limit in (1, 7, 40):
        found = ranked(baseline, asked, limit).tolist()
        assert [[p for p in row if p >= 0] for row in found] == [row[:limit] for row in expected]
    monkeypatch.setattr(ranking, "_CELLS", 200)
    parts = BaselineQuestions(site, given)
    assert parts.at_once == 3
    assert np.array_equal(ranked(baseline, parts, 7), ranked(baseline, asked, 7))


def test_only_what_is_allowed_is_in_a_list() -> None:
    """As for ads: pages 2 and 4 may be recommended."""
    allowed = np.array([False, False, True, False, True])
    asked = BaselineQuestions(SITE, GIVEN_0, allowed)
    assert ranked(Cosine(SITE), asked, 3).tolist() == [[2, 4, -1]]


def test_everything_given_leaves_an_empty_list() -> None:
    """There is nothing more to recommend."""
    assert lists_of(Popularity(SITE), visited([1] * 5)) == [[-1] * 5]


def test_pages_of_the_same_score_stand_in_the_order_of_popularity() -> None:
    """Pages 2 and 3 share a score, and page 3 has more visitors."""
    assert lists_of(Conditional(SITE), GIVEN_0) == [[1, 3, 2, 4, -1]]
