"""[2] The learner of similar pages: who visited what in, the pages similar to each page out.

Two pages are similar when the visit of one predicts a visit of the other. How much, is learned by
ridge regression (`clustering.similar.ridge`): a page's weights are those with which *its* visit
speaks for others; weights below 0 speak against.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from clustering.similar.ridge import Matrix, co_visits, ridge_coefficients
from webrec.batch.history import SiteHistory
from webrec.batch.steps import Findings, Learned
from webrec.domain.progress import Progress, StepProgress, no_progress, step
from webrec.domain.types import Arrays
from webrec.model.co_visit_scorer import MOST_SEEN, CoVisitScorer

SIMILAR = 40
"""Weights of a page at most: with 50 the same, with 30 lists are worse (decision 13)."""

START = 50
"""Weights of the intercept at most."""

MOST_PAGES_OF_A_USER = 200
"""Pages of a user that count, the most visited: a user of thousands has millions of pairs."""

RIDGE, STRONG_RIDGE = 4.0, 40.0
"""The constant part of the ridge in weighted visits, and where visits are few (decision 13)."""

MOST_VALIDATION_USERS = 2_000
"""They are scored one by one: at most some seconds."""

VALIDATION_SHARE = 0.2
"""Of the users with two pages; the others are training users."""

FEWEST_VALIDATION_USERS = 100
"""With fewer a handful of pages left out would decide."""

CLEARLY = 3.0
"""Standard errors by which the strong ridge must be better."""

HALF_LIFE = 5
"""Ranks after which a page that was left out counts half."""


@dataclass(frozen=True, slots=True)
class SimilarityLearner:
    """Finds the pages similar to each page by who visited what; its arrays see `similar_pages`."""

    name: ClassVar = "similar"

    def learn(
        self,
        history: SiteHistory,
        so_far: Findings,  # noqa: ARG002 - the protocol's
        seed: int,
        progress: Progress,
    ) -> Learned:
        """Find the similar pages of a history."""
        report = step(progress, "finding similar pages")
        return Learned(arrays=similar_pages(history.visits(), seed, report))


def similar_pages(visits: Any, seed: int, progress: StepProgress = no_progress) -> Arrays:
    """Find the pages similar to each page (P pages).

    Visits count once per visitor and page.

    Args:
        visits: CSR (n_users, P), how often each user opened each page.
        seed: of the validation users, see `choose_ridge`.
        progress: called after each chunk of pages.

    Returns:
        pages, weights, ends: uint32, float32 and int64 (P,): of each page at most `SIMILAR`
            others end to end, the greatest weights of either sign first.
        start_pages, start_weights: of the intercept, at most `START` pages that anybody may like.
        alone_pages, alone_weights, alone_ends: for a visitor of whom one page is known, the pages
            that are visited with it most, as the first three.
    """
    visited = _binary(visits)
    progress(0, visited.shape[1])
    with threadpool_limits(limits=1):  # the order of sums, so the result, is the same everywhere
        ridge = choose_ridge(visited, seed)
        (arrays,) = _learned(visited, [ridge], progress)
    return arrays


def choose_ridge(visited: Matrix, seed: int) -> float:
    """`RIDGE`, or `STRONG_RIDGE` where it clearly predicts better what users visit.

    Where few people visited a page, what they have in common is much by chance, and a stronger
    ridge believes less of it. A fifth of the users are validation users: of each one page is left
    out, and predicted from the others by what is learned from the training users, the rest. The
    stronger ridge must do it better by three standard errors of the difference.

    Args:
        visited: ones (n_users, P).
    """
    rng = np.random.default_rng(seed)
    able = np.flatnonzero(np.diff(visited.indptr) >= 2)
    wanted = min(MOST_VALIDATION_USERS, int(VALIDATION_SHARE * len(able)))
    if wanted < FEWEST_VALIDATION_USERS:
        return RIDGE
    validation = np.sort(rng.choice(able, wanted, replace=False))
    training = np.delete(np.arange(visited.shape[0]), validation)
    learned = _learned(sparse.csr_array(visited[training]), [RIDGE, STRONG_RIDGE], no_progress)
    usual, strong = (CoVisitScorer(arrays) for arrays in learned)
    gains = []
    for user in validation.tolist():
        pages = visited.indices[visited.indptr[user] : visited.indptr[user + 1]]
        left_out, *given = rng.permutation(pages)[: MOST_SEEN + 1].tolist()
        gains.append(_found(strong, given, left_out) - _found(usual, given, left_out))
    gain = np.array(gains)
    clearly = gain.mean() > CLEARLY * gain.std() / math.sqrt(len(gain))
    return STRONG_RIDGE if clearly else RIDGE


def _found(scorer: CoVisitScorer, given: Sequence[int], left_out: int) -> float:
    """How far up the page left out stands, halved every five ranks (Breese et al. 1998)."""
    sums, _, order = scorer.scores(given)
    mine = sums.get(left_out, 0.0)
    if mine <= 0:
        return 0.0
    before = sum(sums[page] > mine and page not in given for page in order)
    return float(2 ** (-before / HALF_LIFE))


def _learned(visited: Matrix, ridges: Sequence[float], progress: StepProgress) -> list[Arrays]:
    """The similar pages by each ridge."""
    gram, pairs = co_visits(visited)
    alone = _alone(pairs)
    size = gram.shape[0] - 1
    chunks = list(ridge_coefficients(gram, ridges, progress))
    source, target = (
        np.concatenate([np.empty(0, np.int64), *(chunk[part] for chunk in chunks)])
        for part in range(2)
    )
    return [
        alone
        | _strongest_of(
            size, source, target, np.concatenate([np.empty(0), *(c.weights[n] for c in chunks)])
        )
        for n in range(len(ridges))
    ]


def _alone(pairs: Matrix) -> dict[str, NDArray[Any]]:
    """The pages that are visited most with each one, whatever else the visitors saw."""
    size = pairs.shape[0]
    found = pairs.tocoo()
    source, target = (part.astype(np.int64) for part in found.coords)
    apart = np.flatnonzero(source != target)
    kept = apart[_strongest(source[apart], target[apart], found.data[apart])]
    return {
        "alone_pages": target[kept].astype(np.uint32),
        "alone_weights": found.data[kept].astype(np.float32),
        "alone_ends": np.cumsum(np.bincount(source[kept], minlength=size)),
    }


def _strongest_of(
    size: int, source: NDArray[np.int64], target: NDArray[np.int64], weight: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """The strongest weights of each page and of the intercept, as the generation holds them."""
    of_intercept = np.flatnonzero(source == size)
    start = of_intercept[_greatest(weight[of_intercept], target[of_intercept])[:START]]
    of_pages = np.flatnonzero(source != size)
    kept = of_pages[_strongest(source[of_pages], target[of_pages], weight[of_pages])]
    return {
        "pages": target[kept].astype(np.uint32),
        "weights": weight[kept].astype(np.float32),
        "ends": np.cumsum(np.bincount(source[kept], minlength=size)),
        "start_pages": target[start].astype(np.uint32),
        "start_weights": weight[start].astype(np.float32),
    }


def _binary(visits: Any) -> Matrix:
    """Ones where a user visited a page; of users with very many pages the most visited ones."""
    visits = sparse.csr_array(visits)
    visited = sparse.csr_array(
        (visits.data.astype(np.float64), visits.indices.copy(), visits.indptr.copy()),
        shape=visits.shape,
    )
    for user in np.flatnonzero(np.diff(visited.indptr) > MOST_PAGES_OF_A_USER):
        row = slice(visited.indptr[user], visited.indptr[user + 1])
        order = np.lexsort((visited.indices[row], -visited.data[row]))
        visited.data[row][order[MOST_PAGES_OF_A_USER:]] = 0
    visited.eliminate_zeros()
    visited.data[:] = 1
    return visited


def _strongest(
    source: NDArray[np.int64], target: NDArray[Any], weight: NDArray[Any]
) -> NDArray[np.intp]:
    """Where the `SIMILAR` greatest weights of either sign of each source stand, in order."""
    order = np.lexsort((target, -np.abs(weight), source))
    ordered = source[order]
    counts = np.bincount(ordered, minlength=1)
    starts = np.cumsum(counts) - counts
    return order[np.arange(len(order)) - starts[ordered] < SIMILAR]


def _greatest(weight: NDArray[Any], target: NDArray[Any]) -> NDArray[np.intp]:
    """Where the weights above 0 stand, the greatest first."""
    order = np.lexsort((target, -weight))
    return order[weight[order] > 0]
