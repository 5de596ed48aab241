"""Similar pages from co-visits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from clustering.similar import learner as similarity
from clustering.similar import ridge
from clustering.similar.learner import similar_pages
from webrec.domain.types import Arrays
from webrec.model.co_visit_scorer import CoVisitScorer


def log(seed: int, users: int, pages: int, share: float = 0.2) -> sparse.csr_array[np.int64]:
    """Visits (users, pages) of people with a taste: some pages go together."""
    rng = np.random.default_rng(seed)
    taste = rng.integers(4, size=(users, 1)) == np.arange(pages) % 4
    visited = rng.random((users, pages)) < np.where(taste, 2 * share, share / 2)
    return sparse.csr_array(visited * rng.integers(1, 5, (users, pages)))


def weights(arrays: Arrays, pages: int) -> NDArray[np.float64]:
    """The weights (pages + 1, pages) of each page for each; the last row is the intercept's."""
    found = np.zeros((pages + 1, pages))
    bounds = [0, *arrays["ends"].tolist()]
    for page in range(pages):
        part = slice(bounds[page], bounds[page + 1])
        found[page, arrays["pages"][part]] = arrays["weights"][part]
    found[pages, arrays["start_pages"]] = arrays["start_weights"]
    return found


def closed_form(visits: sparse.csr_array[np.int64]) -> NDArray[np.float64]:
    """EASE of all visits, with a column of ones and this ridge: of the inverse (Steck)."""
    visited = (visits.toarray() > 0).astype(float)
    visited = visited[visited.sum(axis=1) >= 2]
    common = visited.T @ visited
    both = np.column_stack([visited, np.ones(len(visited))])
    gram = both.T @ (both / np.sqrt(visited.sum(axis=1))[:, None])
    gram[:-1, :-1][common < 2] = 0
    penalty = 4 + np.diag(gram) / 2
    penalty[-1] = gram[-1, -1]
    inverse = np.linalg.inv(gram + np.diag(penalty))
    return (-inverse / np.diag(inverse))[:, :-1]


def test_with_all_pages_for_neighbours_it_is_ease() -> None:
    """Every weight is that of the closed form; of the intercept those above 0 are kept."""
    visits = log(1, 400, 30)
    found, wanted = weights(similar_pages(visits, 0), 30), closed_form(visits)
    np.fill_diagonal(wanted, 0)
    assert found[:-1] == pytest.approx(wanted[:-1], abs=1e-6)
    assert found[-1] == pytest.approx(np.maximum(wanted[-1], 0), abs=1e-6)
    assert (found[:-1] < 0).any()


def test_pages_that_go_together_are_similar() -> None:
    """The most similar page of each is one of its own kind, though no kind is given."""
    found = weights(similar_pages(log(2, 3_000, 40), 0), 40)[:-1]
    assert (found.argmax(axis=1) % 4 == np.arange(40) % 4).all()


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages are worked on together."""
    whole = similar_pages(log(3, 300, 60, share=0.05), 0)
    monkeypatch.setattr(ridge, "_ENTRIES", 500)
    parts = similar_pages(log(3, 300, 60, share=0.05), 0)
    assert (parts["pages"] == whole["pages"]).all()
    assert (parts["ends"] == whole["ends"]).all()
    assert parts["weights"] == pytest.approx(whole["weights"], rel=1e-5)


def test_the_same_visits_give_the_same() -> None:
    """To the last bit, where validation users are drawn, too."""
    one, other = similar_pages(log(4, 900, 40), 5), similar_pages(log(4, 900, 40), 5)
    assert all((one[name] == other[name]).all() for name in one)


def test_few_neighbours_are_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only a few may be looked at, the strongest similarities remain."""
    whole = weights(similar_pages(log(5, 3_000, 40), 0), 40)[:-1]
    monkeypatch.setattr(ridge, "LOOKUPS", 0)
    monkeypatch.setattr(ridge, "FEWEST_NEIGHBOURS", 9)
    found = weights(similar_pages(log(5, 3_000, 40), 0), 40)[:-1]
    assert ((found != 0).sum(axis=0) <= 9).all()
    assert (found.argmax(axis=1) % 4 == whole.argmax(axis=1) % 4).all()


def test_a_list_holds_the_greatest_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of either sign, the greatest first."""
    whole = weights(similar_pages(log(6, 400, 30), 0), 30)[:-1]
    monkeypatch.setattr(similarity, "SIMILAR", 5)
    arrays = similar_pages(log(6, 400, 30), 0)
    assert (np.diff(arrays["ends"], prepend=0) == 5).all()
    for page in range(30):
        part = slice(5 * page, 5 * page + 5)
        assert set(arrays["pages"][part]) == set(np.argsort(-abs(whole[page]), kind="stable")[:5])
        assert (np.diff(abs(arrays["weights"][part])) <= 0).all()


def test_one_common_visitor_is_no_pattern() -> None:
    """Pages 0 and 1 have two visitors in common, page 2 one with each of them."""
    visits = sparse.csr_array(np.array([[1, 1, 0], [2, 1, 1], [0, 0, 3], [5, 0, 0]]))
    found = weights(similar_pages(visits, 0), 3)[:-1]
    assert (found != 0).tolist() == [[False, True, False], [True, False, False], [False] * 3]


def test_of_a_user_with_very_many_pages_the_most_visited_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two robots that are none visit all pages, the first two most: these are similar."""
    monkeypatch.setattr(similarity, "MOST_PAGES_OF_A_USER", 2)
    found = weights(similar_pages(sparse.csr_array(np.array([[9, 8, 1, 1]] * 2)), 0), 4)[:-1]
    assert np.argwhere(found).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 4), (1, 1), (2, 3)])
def test_nothing_is_similar_where_nobody_came(shape: tuple[int, int]) -> None:
    """No visits, no pages, nobody: empty lists, one for each page."""
    arrays = similar_pages(sparse.csr_array(shape, dtype=np.int64), 0)
    assert arrays["ends"].tolist() == [0] * shape[1]
    assert not len(arrays["pages"])
    assert not len(arrays["start_pages"])


def test_of_a_page_alone_those_visited_with_it_most() -> None:
    """Who went on to one page weighs 1, to three 3 ** -1.75; one common visitor is no pattern."""
    visits = (
        [[1, 1, 0, 0, 0]] * 2 + [[1, 0, 1, 1, 0]] * 3 + [[1, 0, 1, 1, 1]] * 4 + [[1, 0, 0, 0, 1]]
    )
    arrays = similar_pages(sparse.csr_array(np.array(visits)), 0)
    bounds = [0, *arrays["alone_ends"].tolist()]
    first = slice(*bounds[:2])
    assert arrays["alone_pages"][first].tolist() == [1, 4, 2, 3]
    assert arrays["alone_weights"][first] == pytest.approx(
        [2, 1 + 4 * 3**-1.75, *[3 * 2**-1.75 + 4 * 3**-1.75] * 2]
    )
    assert len(bounds) == 6
    assert arrays["alone_pages"][bounds[1] : bounds[2]].tolist() == [0]


def test_progress_is_told_to_the_end() -> None:
    """How many pages are done, and of how many."""
    calls: list[tuple[int, int]] = []
    similar_pages(log(7, 200, 25), 0, lambda done, of: calls.append((done, of)))
    assert calls[-1] == (25, 25)


def sparse_log(seed: int, users: int, pages: int) -> sparse.csr_array[np.int64]:
    """Visits of people of a few tastes to very many pages, most of which have few visitors."""
    rng = np.random.default_rng(seed)
    taste = rng.integers(4, size=users)
    popular = np.minimum((pages / 4) * rng.random((users, 12)) ** 3, pages / 4 - 1).astype(int)
    rows = np.repeat(np.arange(users), 12)
    return sparse.csr_array(
        (np.ones(users * 12, np.int64), (rows, (4 * popular + taste[:, None]).ravel())),
        shape=(users, pages),
    )


def test_the_ridge_is_stronger_where_that_predicts_better() -> None:
    """Where pages have few visitors and only tastes in common; not where pages go together."""
    few = similarity._binary(sparse_log(1, 6_000, 4_000))
    assert similarity.choose_ridge(few, 0) == similarity.choose_ridge(few, 1) == 40
    rng = np.random.default_rng(3)
    chains = rng.integers(100, size=(3_000, 2))
    visited = np.zeros((3_000, 300), np.int64)
    for step in range(3):  # three pages in a row are visited together
        np.put_along_axis(visited, 3 * chains + step, 1, axis=1)
    many = similarity._binary(sparse.csr_array(visited))
    assert similarity.choose_ridge(many, 0) == similarity.choose_ridge(many, 1) == 4


def test_a_few_users_are_no_validation() -> None:
    """The usual ridge is taken then."""
    assert similarity.choose_ridge(similarity._binary(sparse_log(1, 400, 4_000)), 0) == 4


def test_a_page_left_out_scores_by_its_rank() -> None:
    """Pages given do not count before it; a page that is not similar scores nothing."""
    found = CoVisitScorer(similar_pages(sparse.csr_array(np.array([[1, 1, 1, 0]] * 9)), 0))
    scores = [similarity._found(found, [0], page) for page in (1, 2, 3)]
    assert max(scores[:2]) == 1
    assert min(scores[:2]) in (1, 2 ** (-1 / 5))
    assert scores[2] == 0
    assert similarity._found(found, [0, 1], 2) == 1
