"""How good lists are: lists and the pages that were wanted in, one measure each out.

Each measure is a quotient of two sums over the questions asked, so that all are averaged, and
resampled, in the same way. The list of a question is the head of a full ranking of all pages, never
of a sample of them; a page that is not in it counts as missed.

The formulas are few lines each and checked by hand in the tests (NDCG against scikit-learn's, too):
the kept libraries of ranking measures have neither the rank score nor coverage and novelty, and
bring a compiler or a data frame library along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

AT = 10
HALF_LIFE = 5

Floats = NDArray[np.float64]
Lists = NDArray[np.int32]
"""Page numbers (n_questions, limit), best first, filled up with `NO_PAGE`."""

NO_PAGE = -1


class Quotient(NamedTuple):
    """A measure: the sum of the upper part over that of the lower, float64 (n_questions,) each."""

    upper: Floats
    lower: Floats


def hits(lists: Lists, wanted: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """Where a list holds a page that was wanted, of the shape of the lists."""
    pages = np.int64(lists.max(initial=0) + 1)
    rows = np.repeat(np.arange(len(wanted)), [len(each) for each in wanted])
    numbers = np.array([page for each in wanted for page in each], np.int64)
    inside = numbers < pages
    right = rows[inside] * pages + numbers[inside]
    found: NDArray[np.bool_] = np.isin(np.arange(len(lists))[:, None] * pages + lists, right)
    found &= lists != NO_PAGE
    return found


def accuracy(found: NDArray[np.bool_], n_wanted: NDArray[np.int64]) -> dict[str, Quotient]:
    """The measures of where the wanted pages stand.

    Args:
        found: see `hits`.
        n_wanted: how many pages each question wants, those no list can hold included; at least 1.

    Returns:
        rank_score: see `rank_score`.
        precision, recall, f1: of the first 10; a shorter list is not excused.
        ndcg: of the first 10, see `ndcg`.
        mrr: reciprocal of the first right page's rank, 0 where that is none of the first 10.
    """
    of_ten = found[:, :AT].sum(axis=1)
    precision, recall = of_ten / AT, of_ten / n_wanted
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0)
    return {
        "rank_score": rank_score(found, n_wanted),
        "precision": _mean(precision),
        "recall": _mean(recall),
        "f1": _mean(f1),
        "ndcg": _mean(ndcg(found, n_wanted)),
        "mrr": _mean(_reciprocal(found[:, :AT])),
    }


def rank_score(found: NDArray[np.bool_], n_wanted: NDArray[np.int64]) -> Quotient:
    """``100 · Σ 2^(-r/5) / Σ best``, r the rank from 0 of each wanted page that a list holds.

    Breese, Heckerman and Kadie (1998), for votes that are 1 or absent: the chance that a position
    is looked at halves every 5 positions; the sums run over all questions, and the best list has
    everything wanted in front. A page that is not in the list adds nothing.
    """
    return Quotient(100 * found @ _halving(found.shape[1]), _best(_halving, n_wanted))


def ndcg(found: NDArray[np.bool_], n_wanted: NDArray[np.int64]) -> Floats:
    """``Σ 1/log2(r+2)`` over the right pages of the first 10, by that of the best such list.

    Järvelin and Kekäläinen (2002), for relevance that is 1 or 0.
    """
    first = found[:, :AT]
    gained: Floats = first @ _discount(first.shape[1])
    return gained / _best(_discount, np.minimum(n_wanted, AT))


def novelty(lists: Lists, visitors_of: NDArray[np.int64], visitors: int) -> Quotient:
    """Mean of ``-log2`` of a page's popularity share, over the first 10 of all lists (bits).

    Zhou et al. (2010), Vargas and Castells (2011): the share is that of the visitors whom the
    training part who visited the page; a page that none did counts as one visitor's.

    Args:
        visitors_of: int64 (n_pages,), how many visitors each page had.
        visitors: how many there were in all.
    """
    first = lists[:, :AT]
    shares = np.maximum(visitors_of, 1) / max(visitors, 1)
    bits = np.append(-np.log2(shares), 0.0)  # the last for `NO_PAGE`
    return Quotient(bits[first].sum(axis=1), (first != NO_PAGE).sum(axis=1).astype(np.float64))


def coverage(lists: Lists, candidates: int) -> float:
    """The share of the pages that may be recommended that stand among the first 10 of anybody."""
    first = lists[:, :AT]
    return len(np.unique(first[first != NO_PAGE])) / max(candidates, 1)


def known(found: NDArray[np.bool_], asked: NDArray[np.bool_]) -> Quotient:
    """The share of some questions with what came next among the first 10 of the list.

    Args:
        asked: bool (n_questions,), which of them count.
    """
    return Quotient(
        (found[:, :AT].any(axis=1) & asked).astype(np.float64), asked.astype(np.float64)
    )


def only(quotient: Quotient, asked: NDArray[np.bool_]) -> Quotient:
    """The same measure over some of the questions."""
    return Quotient(quotient.upper * asked, quotient.lower * asked)


def _mean(values: Floats) -> Quotient:
    return Quotient(values, np.ones_like(values))


def _reciprocal(found: NDArray[np.bool_]) -> Floats:
    if not found.shape[1]:
        return np.zeros(len(found))
    return np.where(found.any(axis=1), 1 / (1 + found.argmax(axis=1)), 0.0)


def _halving(positions: int) -> Floats:
    return np.exp2(-np.arange(positions) / HALF_LIFE)


def _discount(positions: int) -> Floats:
    return 1 / np.log2(np.arange(positions) + 2)


def _best(weights: Callable[[int], Floats], n_wanted: NDArray[np.int64]) -> Floats:
    """What lists with everything wanted in front would have, float64 (n_questions,)."""
    sums = np.cumsum(weights(int(n_wanted.max(initial=1))))
    best: Floats = sums[n_wanted - 1]
    return best
