"""[2] The users' affinities in, how many communities there should be out."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustering.users.features import UserFeatures, rows_of
from clustering.users.spherical import assign, communities
from webrec.batch.matrices import by_category

SAMPLE_USERS = 10_000
"""Users of the trial at most: 1 to 4 s of a batch at the reference size."""

VALIDATION_SHARE = 0.2
"""Of the sample; the others are training users."""

FEWEST_VALIDATION_USERS = 100
"""With fewer a handful of pages left out would decide."""

FEWEST_MEMBERS = 20
"""Training users of a community, on the average: its list is as good as the number behind it."""

OWN_SHARE = 0.9
"""Of a page's likelihood, what its community's visits say; the rest is what all visits say."""

CLEARLY = 3.0
"""Standard errors by which twice as many communities must be better."""


def auto_k(users: int) -> int:
    """How many communities for so many users, to begin with: twice ``users ** 0.15``.

    3 for 12 users, 4 for 100, 8 for 10,000, 9 for 30,000, 16 for a million. Few on purpose: a
    community's list is as good as the number of people behind it, and what it does not hold
    cannot be recommended from it. It depends on the count only, so that communities do not come
    and go from batch to batch.
    """
    return max(1, round(2 * math.pow(users, 0.15)))


def choose_k(
    urls: sparse.csr_array[np.float64],
    page_category: NDArray[np.int32],
    features: UserFeatures,
    seed: int,
) -> int:
    """`auto_k`, doubled as long as twice as many clearly predict better what users visit.

    A fifth of a sample of users are validation users: of each one page is left out, and the
    community chosen by the others, among those of the training users, the rest of the sample. The
    better number of communities gives the pages left out the higher likelihood. Twice as many
    must be better by three standard errors of the difference: so a batch rarely decides otherwise
    than the one before, and never by the chance of a few users.

    Args:
        urls: affinities (n_users, n_pages).
        page_category: int32 (n_pages,), -1 is uncategorised.
        features: of the same users.
        seed: of the sample, of the pages left out, and of the clustering.
    """
    k = auto_k(urls.shape[0])
    trial = _trial(urls, page_category, features, seed)
    if len(trial.left_out) < FEWEST_VALIDATION_USERS:
        return k
    likelihood = _likelihoods(trial, k, seed)
    while 2 * k * FEWEST_MEMBERS <= trial.training.shape[0]:
        doubled = _likelihoods(trial, 2 * k, seed)
        gain = doubled - likelihood
        if gain.mean() <= CLEARLY * gain.std() / math.sqrt(len(gain)):
            break
        k, likelihood = 2 * k, doubled
    return k


class _Trial(NamedTuple):
    """Training users, who make communities, and validation users (T and V of them).

    Attributes:
        training, validation: features (T, n_columns) and (V, n_columns), without what is left out.
        visits: affinities of the training users (T, n_pages).
        left_out: (V,), the page of each validation user.
    """

    training: sparse.csr_array[np.float64]
    visits: sparse.csr_array[np.float64]
    validation: sparse.csr_array[np.float64]
    left_out: NDArray[np.integer]


def _trial(
    urls: sparse.csr_array[np.float64],
    page_category: NDArray[np.int32],
    features: UserFeatures,
    seed: int,
) -> _Trial:
    rng = np.random.default_rng(seed)
    sample = rng.permutation(urls.shape[0])[:SAMPLE_USERS]
    many = round(VALIDATION_SHARE * len(sample))
    able = np.diff(urls.indptr) >= 2
    validation, training = (np.sort(part) for part in (sample[:many], sample[many:]))
    known = urls[validation[able[validation]]]
    drawn = known.indptr[:-1] + (rng.random(known.shape[0]) * np.diff(known.indptr)).astype(int)
    left_out = known.indices[drawn]
    known.data[drawn] = 0
    known.eliminate_zeros()
    rows = rows_of(known, by_category(known, page_category), features.pages, features.idf)
    return _Trial(features.rows[training], urls[training], rows, left_out)


def _likelihoods(trial: _Trial, k: int, seed: int) -> NDArray[np.float64]:
    """The log-likelihood of each validation user's page, in the user's community: (V,).

    Nine tenths of it are the page's share of what the community visits, one tenth its share of
    what all do, so that no page is impossible (Jelinek and Mercer 1980).
    """
    labels, centroids = communities(trial.training, k, seed)
    community = assign(trial.validation, centroids)
    shape = (centroids.shape[1], len(labels))
    of = (labels, np.arange(len(labels)))
    members = sparse.csr_array((np.ones(len(labels)), of), shape=shape)
    visits = sparse.csr_array(members @ trial.visits)
    of_all: NDArray[np.float64] = visits.sum(axis=0) + 1
    own = visits[community, trial.left_out] / visits.sum(axis=1)[community]
    everywhere = of_all[trial.left_out] / of_all.sum()
    return np.asarray(np.log(OWN_SHARE * own + (1 - OWN_SHARE) * everywhere))
