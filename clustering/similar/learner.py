"""[2] Clustering: who visited what in, for each page the pages similar to it out.

Two pages are similar when the visit of one tells of a visit of the other. How much, is learned by
regressions (`clustering.similar.ridge`): a page's weights are those with which *its* visit speaks
for others; weights below 0 speak against.
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

from clustering.similar.ridge import Matrix, co_visits, regressions
from webrec.batch.history import SiteHistory
from webrec.batch.steps import Findings, Learned
from webrec.domain.progress import Progress, StepProgress, no_progress, step
from webrec.domain.types import Arrays
from webrec.model.co_visit_scorer import MOST_SEEN, CoVisitScorer

SIMILAR = 40
START = 50
MOST_PAGES_OF_A_USER = 200

RIDGE, STRONG_RIDGE = 4.0, 40.0
MOST_JUDGES = 2_000
JUDGES_SHARE = 0.2
FEWEST_JUDGES = 100
CLEARLY = 3.0
HALF_LIFE = 5


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
        seed: of the users who judge how much is learned from few visits.
        progress: called after each chunk of pages.

    Returns:
        pages, weights, ends: uint32, float32 and int64 (P,): of each page at most `SIMILAR`
            others end to end, the greatest weights of either sign first.
        start_pages, start_weights: at most `START` pages that anybody may like.
        alone_pages, alone_weights, alone_ends: for a visitor of whom one page is known, the pages
            that are visited with it most, as the first three.
    """
    visited = _binary(visits)
    progress(0, visited.shape[1])
    with threadpool_limits(limits=1):  # the order of sums, so the result, is the same everywhere
        ridge = choose_ridge(visited, seed)
        (space,) = _learned(visited, [ridge], progress)
    return space


def choose_ridge(visited: Matrix, seed: int) -> float:
    """`RIDGE`, or `STRONG_RIDGE` where it clearly foretells more of what users visit.

    Where few people visited a page, what they have in common is much by chance, and a stronger
    ridge believes less of it. A fifth of the users are judges: of each one page is left out, and
    foretold from the others by what the rest of the users teach. The stronger ridge must do it
    better by three standard errors of the difference.

    Args:
        visited: ones (n_users, P).
    """
    rng = np.random.default_rng(seed)
    able = np.flatnonzero(np.diff(visited.indptr) >= 2)
    wanted = min(MOST_JUDGES, int(JUDGES_SHARE * len(able)))
    if wanted < FEWEST_JUDGES:
        return RIDGE
    judges = np.sort(rng.choice(able, wanted, replace=False))
    learners = np.delete(np.arange(visited.shape[0]), judges)
    spaces = _learned(sparse.csr_array(visited[learners]), [RIDGE, STRONG_RIDGE], no_progress)
    usual, strong = (CoVisitScorer(space) for space in spaces)
    gains = []
    for judge in judges.tolist():
        pages = visited.indices[visited.indptr[judge] : visited.indptr[judge + 1]]
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
    chunks = list(regressions(gram, ridges, progress))
    source, target = (
        np.concatenate([np.empty(0, np.int64), *(chunk[part] for chunk in chunks)])
        for part in range(2)
    )
    return [
        alone
        | _space(
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


def _space(
    size: int, source: NDArray[np.int64], target: NDArray[np.int64], weight: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """The strongest weights of each page and of the start, as the generation holds them."""
    of_start = np.flatnonzero(source == size)
    start = of_start[_greatest(weight[of_start], target[of_start])[:START]]
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
